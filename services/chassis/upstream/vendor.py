"""Providers whose API is their own: the ground on which their engines stand.

An engine of such a provider is one file. It reads the provider's variables into `Options`, says in `Call`s what is
sent, and turns answers into the service's types. Addresses, keys in turn, tokens, refusals and silences are here.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import TypeVar
from urllib.parse import urlsplit

from msgspec import Struct, field

from chassis import spans, trace
from chassis.errors import (
    ApiError,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
)
from chassis.request_id import REQUEST_ID, request_id
from chassis.settings import read
from chassis.upstream.allowance import Allowance, LimitOptions
from chassis.upstream.client import Unusable, Upstream
from chassis.upstream.keys import KeyRing
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import Circumstances, refusal, within_success
from chassis.upstream.reply import Reply
from chassis.upstream.settings import RowOptions

_CONNECT_SECONDS = 3.0


T = TypeVar("T")


class Call(Struct, frozen=True):
    """One request to a provider.

    Args:
        url: Address at the provider's own host; the vendor moves it where `base_url` says.
        headers: All headers that the provider wants, its key included.
        body: Sent as it is; empty for a GET.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    method: str = "POST"


class Vendor:
    """The hosts of one provider, as one engine asks them.

    Args:
        name: The engine's name in the chain.
        prefix: Start of the variables that are this engine's alone: `STT_AZURE_STT_`.
        keys: Keys or other secrets, used in turn; one that is refused or at its limit rests alone.
        key_variable: Variable that holds them, for messages.
        secrets: More secrets that may never be shown, beside `keys`.
        options: Where the provider is reached, and how; by default what the variables with `prefix` say.
        model_variable: Variable that holds the model or the voice, for messages.
        error_headers: Headers that hold the code and the message of an error, where its body does not.

    Raises:
        EngineUnavailable: A key is missing or cannot be sent, or the address is none.
    """

    def __init__(
        self,
        name: str,
        prefix: str,
        keys: Sequence[str],
        key_variable: str,
        *,
        secrets: Sequence[str] = (),
        options: RowOptions | None = None,
        model_variable: str = "",
        error_headers: tuple[str, str] = ("", ""),
    ) -> None:
        if not any(keys):
            raise EngineUnavailable(f"Set {key_variable}.")
        self.name, self.options = name, options or read(RowOptions, prefix=prefix)
        self.ring = KeyRing(keys)
        self.limits = read(LimitOptions, prefix=prefix)
        self._allowance = Allowance(self.limits, name, prefix)
        self._base_url = (self.options.base_url or "").rstrip("/")
        self._prefix, self._error_headers = prefix, error_headers
        self._upstreams: dict[str, Upstream] = {}
        self.clock_ahead_seconds = 0.0
        """Seconds by which the provider's clock was ahead of ours when it last refused something."""
        hint = f"Check {key_variable} and {prefix}BASE_URL."
        self._secrets = [*keys, *secrets]
        self._about = Circumstances(name, prefix, key_variable, hint, self._secrets, model=model_variable)
        try:
            for key in keys:
                Upstream.check({"key": key})
            self._upstream(self._base_url or "https://localhost")
        except Unusable as exc:
            raise EngineUnavailable(f"Check {key_variable} and {prefix}BASE_URL: {exc}.") from exc

    @property
    def detail(self) -> str | None:
        """Text beside the state in /readyz: the keys that rest."""
        resting = self.ring.resting
        return f"{resting} of {len(self.ring.keys)} keys rest" if resting else None

    def at(self, url: str) -> str:
        """Return the address at which `url` is reached: below `base_url` where that is set."""
        if not self._base_url:
            return url
        parts = urlsplit(url)
        base = self._base_url
        if parts.scheme in ("ws", "wss"):
            base = base.replace("http", "ws", 1)
        return base + parts.path + (f"?{parts.query}" if parts.query else "")

    def server_of(self, url: str) -> str:
        """Return the server at which `url` is reached, without a path and credentials."""
        parts = urlsplit(self.at(url))
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

    async def in_turn(self, begin: Callable[[str], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """Yield what `begin` yields for one key; a key that is refused before the first item rests, and the next is
        tried.

        Raises:
            TooBusy: The provider has been asked as often as it may be.
            ApiError: The meaning of the last refusal.
        """
        async with self._allowance.place(), aclosing(self._of_each_key(begin)) as items:
            async for item in items:
                yield item

    async def _of_each_key(self, begin: Callable[[str], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        tried: frozenset[str] = frozenset()
        key: str | None = self.ring.take() or ""
        while key is not None:
            began = False
            try:
                async with aclosing(begin(key)) as items:
                    async for item in items:
                        began = True
                        yield item
                return
            except (EngineBusy, EngineRefused, EngineUnpaid) as exc:
                if len(self.ring.keys) == 1:
                    raise
                self.ring.rest(key, exc.rest_seconds)
                if began:
                    raise
                tried |= {key}
                failure = exc
            key = self.ring.take(tried)
        failure.rest_seconds = self.ring.seconds
        raise failure

    async def send(
        self, call: Call, *, begin_seconds: float | None = None, silence_seconds: float | None = None
    ) -> Reply:
        """Return a 2xx that has begun, of one request. Close it.

        Raises:
            ApiError: The meaning of any other answer.
            EngineTimeout: The answer did not begin in time.
        """
        url = self.at(call.url)
        upstream = self._upstream(url)
        with spans.calling(call.method, upstream.shown) as called:
            headers = {REQUEST_ID: request_id.get() or "-"} | trace.passed_on() | dict(call.headers)
            try:
                async with asyncio.timeout(begin_seconds):
                    reply = await upstream.request(
                        call.method, url, call.body, headers, silence_seconds=silence_seconds
                    )
            except TimeoutError as exc:
                raise EngineTimeout(f"{upstream.shown} was silent for {begin_seconds or 0:g} s") from exc
            called.answered(reply.status)
        if 200 <= reply.status < 300:
            return reply
        raise await self._refusal(reply)

    async def read(self, call: Call, most_bytes: int, *, seconds: float) -> bytes:
        """Return the whole body of an answer.

        Raises:
            ApiError: As `send`, or it is larger than `most_bytes`.
        """
        return (await self.whole(call, most_bytes, seconds=seconds))[1]

    async def whole(self, call: Call, most_bytes: int, *, seconds: float) -> tuple[Reply, bytes]:
        """Return an answer, closed, and its whole body.

        Raises:
            ApiError: As `send`, or it is larger than `most_bytes`.
        """
        try:
            async with asyncio.timeout(seconds):
                reply = await self.send(call)
                try:
                    return reply, await reply.read(most_bytes)
                finally:
                    await reply.aclose()
        except TimeoutError as exc:
            raise EngineTimeout(f"{self.name} was silent for {seconds:g} s") from exc

    def complaint(self, reply: Reply, body: bytes) -> Complaint:
        """Return what an answer complains of, in its body or in its headers."""
        found = Complaint.of(body) or Complaint()
        code, message = map(reply.header, self._error_headers)
        found.code, found.message = found.code or code or None, found.message or message
        found.words |= {code} - {""}
        return found

    def refused(self, status: int) -> ApiError:
        """Return the error that a status means whose body cannot be read, such as that of a WebSocket's handshake."""
        return refusal(status, Complaint(), about=self._about)

    def shown(self, url: str) -> str:
        """Return an address as messages may show it: no path, no credentials."""
        return self._upstream(re.sub(r"^ws", "http", url)).shown

    def meant(self, complaint: Complaint) -> ApiError:
        """Return the error that an error object inside a 200 means."""
        return within_success(complaint, about=self._about)

    def no_answer(self, body: bytes, wanted: str) -> ApiError:
        """Return the error that a 200 means which holds something else than what was `wanted`, such as `sound`."""
        complaint = Complaint.of(body)
        if complaint is not None and not complaint.empty:
            return self.meant(complaint)
        return EngineFailed(f"answered something that is no {wanted}. {self._about.hint}")

    def hide(self, secret: str) -> None:
        """Keep `secret`, such as a token, out of all messages to come."""
        if secret not in self._secrets:
            self._secrets.append(secret)

    async def aclose(self) -> None:
        for upstream in self._upstreams.values():
            await upstream.aclose()

    def _upstream(self, url: str) -> Upstream:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._upstreams:
            self._upstreams[origin] = Upstream(
                origin,
                {"user-agent": "talkbox", "accept-encoding": "identity"},
                connect_seconds=_CONNECT_SECONDS,
                proxy=self.options.proxy,
                ca_file=self.options.ca_file,
                setting=f"{self._prefix}BASE_URL",
            )
        return self._upstreams[origin]

    async def _refusal(self, reply: Reply) -> ApiError:
        body = await reply.refusal_body()
        self.clock_ahead_seconds = reply.clock_ahead_seconds
        return refusal(reply.status, self.complaint(reply, body), retry_after=reply.retry_after, about=self._about)
