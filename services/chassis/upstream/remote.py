"""The server behind a row: asked with one key after the other, and what it means by what it answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import TypeGuard

from chassis.errors import (
    ApiError,
    BadRequest,
    Declined,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
    NotFound,
)
from chassis.request_id import REQUEST_ID, request_id
from chassis.upstream.client import Reply, Unusable, Upstream
from chassis.upstream.keys import KeyRing
from chassis.upstream.question import Question
from chassis.upstream.refusals import (
    MISCONFIGURED_REST_SECONDS,
    Complaint,
    UnknownModel,
    refusal,
    within_success,
)
from chassis.upstream.settings import Row

MAX_REFUSAL_BYTES = 64 * 2**10
REFUSAL_SECONDS = 4.0
KEY_REST_SECONDS = 10.0
"""Rest of a key whose refusal says nothing of how long."""


log = logging.getLogger("talkbox.upstream")


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
        self._refused: dict[str, frozenset[str]] = {}
        """Fields that are left out, by model: those that it was seen to refuse."""
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

    async def ask(self, question: Question) -> Reply:
        """Return a 200 that has begun, from a key that is accepted and a question that is understood. Close it.

        What is refused is asked again: with the next key, or without the fields that the server does not know.

        Raises:
            EngineTimeout: The answer did not begin in time.
            ApiError: The meaning of the last refusal.
        """
        without = self._refused.get(question.model, frozenset())
        tried: frozenset[str] = frozenset()
        key = self.ring.take() or ""
        while True:
            reply = await self._send(question, key, without)
            if reply.status == 200:
                if without:
                    self._refused[question.model] = without
                return reply
            try:
                failure = await self._refusal(reply, question)
            finally:
                await reply.aclose()
            if reply.status in (400, 422) and (more := question.extras - without):
                without |= more
                continue
            if len(self.ring.keys) == 1 or not _concerns_key(failure):
                raise failure
            self.ring.rest(key, failure.rest_seconds or KEY_REST_SECONDS)
            tried |= {key}
            following = self.ring.take(tried)
            if following is None:
                failure.rest_seconds = self.ring.seconds
                raise failure
            key = following

    async def _send(self, question: Question, key: str, without: frozenset[str]) -> Reply:
        headers, body = question.body(without)
        headers = {REQUEST_ID: request_id.get() or "-"} | self._key_headers[key] | headers
        try:
            async with asyncio.timeout(question.begin_seconds):
                return await self.upstream.post(body, headers, silence_seconds=question.silence_seconds)
        except TimeoutError as exc:
            raise self._silent(question.begin_seconds) from exc

    async def get(self, path: str, *, silence_seconds: float) -> Reply:
        """What lies beside the path that is asked, such as `/models`."""
        key = self.ring.take() or ""
        beside = self.upstream.url.path.removesuffix(self.path) + path
        return await self.upstream.get(beside, self._key_headers[key], silence_seconds=silence_seconds)

    async def pieces(self, reply: Reply, first_seconds: float | None, gap_seconds: float) -> AsyncIterator[bytes]:
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

    def _unknown_model(self, question: Question) -> ApiError:
        missing = f"{self.row.name} has no model {question.model!r}"
        match question.named_by:
            case "pick":
                return NotFound(f"{missing}.", param="model", code="model_not_found")
            case "request":
                log.warning("%s; set %sMODEL to one that it has", missing, self.row.prefix)
                return UnknownModel(f"{missing}. The operator can set {self.row.prefix}MODEL.", param="model")
            case "row":
                message = f"has no model {question.model!r}, or no such path. {self.hint}"
                return EngineFailed(message, rest_seconds=MISCONFIGURED_REST_SECONDS)

    async def _refusal(self, reply: Reply, question: Question) -> ApiError:
        try:
            async with asyncio.timeout(REFUSAL_SECONDS):
                body = await reply.read(MAX_REFUSAL_BYTES)
        except (EngineFailed, TimeoutError):
            body = b""  # the status says enough
        if reply.status == 404 and (complaint := Complaint.of(body)) is not None and complaint.explicit:
            return self._unknown_model(question)
        wait, secrets = reply.retry_after, self.ring.keys
        return self._judged(refusal(reply.status, body, retry_after=wait, secrets=secrets, hint=self.hint))

    def _judged(self, error: ApiError) -> ApiError:
        if self.retold and isinstance(error, BadRequest) and error.body["code"] != "content_filter":
            return Declined(str(error), param=error.body["param"])
        return error

    def _silent(self, seconds: float | None) -> EngineTimeout:
        return EngineTimeout(f"{self.upstream.shown} was silent for {seconds or 0:g} s")


def _concerns_key(failure: ApiError) -> TypeGuard[EngineFailed]:
    return isinstance(failure, EngineBusy | EngineRefused | EngineUnpaid)
