"""The server behind a row: asked with one key after the other, and what it means by what it answers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeGuard

from chassis.chain.seat import FIRST_REST_SECONDS
from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
    NotFound,
)
from chassis.server.logs import REQUEST_ID, request_id
from chassis.upstream.client import Reply, Unusable, Upstream
from chassis.upstream.keys import KeyRing
from chassis.upstream.refusals import MISCONFIGURED_REST_SECONDS, Complaint, refusal, within_success
from chassis.upstream.settings import Row

MAX_REFUSAL_BYTES = 64 * 2**10
REFUSAL_SECONDS = 4.0

Post = Callable[[dict[str, str], bool], Awaitable[Reply]]
"""Sends a question with these headers; plainly, that is without what only some servers know, or not."""


class Remote:
    """One row's server.

    Args:
        path: What is asked there.
        headers: Sent with each request, beside the key.
        settings: Which of a row's variables to look at when it refuses.
        retold: Whether what it is sent was made here. Then only moderation is the caller's matter; what else it
            dislikes, the next engine may like.

    Raises:
        EngineUnavailable: The address or a key cannot be sent.
    """

    def __init__(
        self,
        row: Row,
        path: str,
        headers: dict[str, str],
        *,
        connect_seconds: float,
        settings: str = "BASE_URL, _API_KEY and _MODEL",
        retold: bool = False,
    ) -> None:
        self.row, self.path, self.retold = row, path, retold
        self.hint = f"Check {row.prefix}{settings}."
        self.ring = KeyRing(row.api_keys)
        self._key_headers = {key: {"authorization": f"Bearer {key}"} if key else {} for key in self.ring.keys}
        self._plain: set[str] = set()
        """Models that must be asked plainly, as was seen."""
        own = {"accept-encoding": "identity", "user-agent": "talkbox"}  # what is passed on must be readable
        try:
            for shown in self._key_headers.values():
                Upstream.check(shown)
            self.upstream = Upstream(
                f"{row.base_url}{path}", own | headers, connect_seconds=connect_seconds, proxy=row.proxy
            )
        except Unusable as exc:
            raise EngineUnavailable(f"Check {row.prefix}BASE_URL, _API_KEY and _PROXY: {exc}.") from exc

    async def aclose(self) -> None:
        await self.upstream.aclose()

    @property
    def detail(self) -> str | None:
        """For /readyz."""
        resting = self.ring.resting
        return f"{resting} of {len(self.ring.keys)} keys rest" if resting else None

    async def begun(
        self,
        model: str,
        post: Post,
        unknown_model: Callable[[], ApiError],
        can_be_plain: Callable[[], bool] = lambda: False,
    ) -> Reply:
        """An answer that has begun, with a key that is accepted and a question that is understood.

        Asked again is only what was refused: with the next key, or plainly.

        Args:
            unknown_model: What to raise where it has no such model.
            can_be_plain: Whether the question would be another one then.

        Raises:
            ApiError: What the last refusal means.
        """
        plain = model in self._plain
        tried: frozenset[str] = frozenset()
        key = self.ring.take() or ""
        while True:
            reply = await post({REQUEST_ID: request_id.get() or "-"} | self._key_headers[key], plain)
            if reply.status == 200:
                if plain:
                    self._plain.add(model)
                return reply
            try:
                failure = await self._refusal(reply, unknown_model)
            finally:
                await reply.aclose()
            if reply.status in (400, 422) and not plain and can_be_plain():
                plain = True
                continue
            if len(self.ring.keys) == 1 or not _concerns_key(failure):
                raise failure
            self.ring.rest(key, failure.rest_seconds or FIRST_REST_SECONDS)
            tried |= {key}
            following = self.ring.take(tried)
            if following is None:
                failure.rest_seconds = self.ring.seconds
                raise failure
            key = following

    async def get(self, path: str, *, silence_seconds: float) -> Reply:
        """What lies beside the path that is asked, such as `/models`."""
        key = self.ring.take() or ""
        beside = self.upstream.url.path.removesuffix(self.path) + path
        return await self.upstream.get(beside, self._key_headers[key], silence_seconds=silence_seconds)

    async def post(self, body: bytes, headers: dict[str, str], seconds: float) -> Reply:
        """Send it; the answer begins within so long.

        Raises:
            EngineTimeout: It does not.
            EngineFailed: It never will.
        """
        try:
            async with asyncio.timeout(seconds):
                return await self.upstream.post(body, headers)
        except TimeoutError as exc:
            raise self._silent(seconds) from exc

    async def pieces(self, reply: Reply, first_seconds: float, gap_seconds: float) -> AsyncIterator[bytes]:
        """Its answer as it comes, with no longer silences than these.

        Raises:
            EngineTimeout: There was one.
            EngineFailed: It broke off.
        """
        patience = first_seconds
        while True:
            try:
                async with asyncio.timeout(patience):
                    piece = await anext(reply)
            except StopAsyncIteration:
                return
            except TimeoutError as exc:
                raise self._silent(patience) from exc
            yield piece
            patience = gap_seconds

    def meant(self, complaint: Complaint) -> ApiError:
        """An error object inside a 200."""
        return self._judged(within_success(complaint, secrets=self.ring.keys, hint=self.hint))

    def no_answer(self, body: bytes, reply: Reply, wanted: str) -> ApiError:
        """A 200 that holds something else than what was `wanted`, such as `sound`."""
        complaint = Complaint.of(body)
        if complaint is not None and (complaint.message or complaint.words):
            return self.meant(complaint)
        return EngineFailed(f"answered {reply.media_type or 'something'} that is no {wanted}. {self.hint}")

    def unknown_model(self, model: str, *, chosen: bool) -> ApiError:
        """It has none of that name.

        Args:
            chosen: Whether the caller named this one.
        """
        if chosen:
            return NotFound(f"{self.row.name} has no model {model!r}.", param="model", code="model_not_found")
        missing = f"has no model {model!r}, or no such path. {self.hint}"
        return EngineFailed(missing, rest_seconds=MISCONFIGURED_REST_SECONDS)

    async def _refusal(self, reply: Reply, unknown_model: Callable[[], ApiError]) -> ApiError:
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                body = await reply.read(MAX_REFUSAL_BYTES)
        except (EngineFailed, TimeoutError):
            body = b""  # the status says enough
        if reply.status == 404 and (complaint := Complaint.of(body)) is not None and complaint.explicit:
            return unknown_model()
        wait, secrets = reply.retry_after, self.ring.keys
        return self._judged(refusal(reply.status, body, retry_after=wait, secrets=secrets, hint=self.hint))

    def _judged(self, error: ApiError) -> ApiError:
        if self.retold and isinstance(error, BadRequest) and error.body["code"] != "content_filter":
            return Declined(str(error), param=error.body["param"])
        return error

    def _silent(self, seconds: float) -> EngineTimeout:
        return EngineTimeout(f"{self.upstream.shown} was silent for {seconds:g} s")


def _concerns_key(failure: ApiError) -> TypeGuard[EngineFailed]:
    return isinstance(failure, EngineBusy | EngineUnpaid) or failure.body["code"] == "upstream_auth"
