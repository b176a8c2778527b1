"""The server behind a row: asked with one key after the other, and what it means by what it answers."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
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
    EngineWithoutModel,
    NotFound,
)
from chassis.request_id import REQUEST_ID, request_id
from chassis.upstream.client import Reply, Unusable, Upstream
from chassis.upstream.keys import KeyRing
from chassis.upstream.model_names import ModelNames, listed_in
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
LIST_SECONDS = 2.0
"""The longest wait for the list of models, with a question that waits for it."""
MAX_LIST_BYTES = 4 * 2**20

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
        self.names = ModelNames(row.name, row.base_url, row.preferred)
        self._key_headers = {key: row.headers_with(key) for key in self.ring.keys}
        self._refused: dict[str, frozenset[str]] = {}
        """Fields that are left out, by model: those that it was seen to refuse."""
        own = {"accept-encoding": "identity", "user-agent": "talkbox"}  # what is passed on must be readable
        try:
            for shown in self._key_headers.values():
                Upstream.check(shown)
            self.upstream = Upstream(
                row.url(path),
                own | headers,
                connect_seconds=connect_seconds,
                proxy=row.proxy,
                ca_file=row.ca_file,
                setting=f"{row.prefix}BASE_URL",
            )
        except Unusable as exc:
            raise EngineUnavailable(f"Check {row.prefix}BASE_URL, _API_KEY and _PROXY: {exc}.") from exc

    async def aclose(self) -> None:
        await self.upstream.aclose()

    @property
    def detail(self) -> str | None:
        """For /readyz."""
        resting = self.ring.resting
        parts = [f"{resting} of {len(self.ring.keys)} keys rest" if resting else None, self.names.notice]
        return "; ".join(filter(None, parts)) or None

    async def ask(self, question: Question) -> Reply:
        """Return a 200 that has begun, from a key that is accepted and a question that is understood. Close it.

        What is refused is asked again: with the next key, without the fields that the server does not know, or for the
        model that has taken the place of one that is gone.

        Raises:
            EngineTimeout: The answer did not begin in time.
            ApiError: The meaning of the last refusal.
        """
        if (model := self.names.current(question.model)) != question.model:
            question = replace(question, model=model)
        try:
            return await self._ask(question)
        except ApiError as exc:
            if not _is_without_model(exc):
                raise
            return await self._ask_for_another_model(question, exc)

    async def _ask_for_another_model(self, question: Question, refused: ApiError) -> Reply:
        if len(self.names.alternatives(question.model)) > 1:
            await self._learn_models()
        for name in self.names.alternatives(question.model):
            try:
                reply = await self._ask(replace(question, model=name))
            except ApiError as exc:
                if not _is_without_model(exc):
                    raise
                continue
            log.warning(
                "%s has no model %r any more; %r is asked instead. Set %sMODEL.",
                *(self.row.name, question.model, name, self.row.prefix),
            )
            self.names.move(question.model, name)
            return reply
        raise refused

    async def _learn_models(self) -> None:
        try:
            async with asyncio.timeout(LIST_SECONDS):
                reply = await self.get("/models", silence_seconds=LIST_SECONDS)
                try:
                    if reply.status == 200:
                        self.names.learn(listed_in(await reply.read(MAX_LIST_BYTES)))
                finally:
                    await reply.aclose()
        except (EngineFailed, TimeoutError, ValueError) as exc:
            log.info("%s: the list of models could not be read (%s)", self.row.name, type(exc).__name__)

    async def _ask(self, question: Question) -> Reply:
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
        """Return the answer to a GET of another `path` of the same base URL, such as `/models`."""
        key = self.ring.take() or ""
        return await self.upstream.get(self.row.url(path), self._key_headers[key], silence_seconds=silence_seconds)

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
                return EngineWithoutModel(message, rest_seconds=MISCONFIGURED_REST_SECONDS)

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


def _is_without_model(failure: ApiError) -> bool:
    return isinstance(failure, EngineWithoutModel | UnknownModel) or failure.body["code"] == "model_not_found"
