"""The server behind a row: asked with one key after the other, and with less where it refuses a part."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import TypeGuard

from msgspec import structs

from chassis import spans, trace
from chassis.errors import (
    ApiError,
    EngineBusy,
    EngineFailed,
    EngineRefused,
    EngineTimeout,
    EngineUnavailable,
    EngineUnpaid,
    EngineWithoutModel,
)
from chassis.patience import Patience
from chassis.request_id import REQUEST_ID, request_id
from chassis.upstream.allowance import Allowance
from chassis.upstream.client import Unusable, Upstream
from chassis.upstream.concessions import Concessions
from chassis.upstream.habits import Habits
from chassis.upstream.keys import KeyRing
from chassis.upstream.model_names import ModelNames, listed_in
from chassis.upstream.question import Question
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import Circumstances, UnknownModel, refusal, within_success
from chassis.upstream.reply import Reply
from chassis.upstream.settings import Row

_LIST_SECONDS = 2.0
"""The longest wait for the list of models, with a question that waits for it."""
_MAX_LIST_BYTES = 4 * 2**20

log = logging.getLogger("talkbox.upstream")


class Remote:
    """The server behind one row.

    Args:
        path: The path of its questions, below the base URL.
        headers: Sent with each request, beside the key.
        settings: The row's variables to look at when it refuses.
        upstream: Makes the way to it, from what `Upstream` takes.

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
        upstream: Callable[..., Upstream] = Upstream,
    ) -> None:
        self.row, self.path = row, path
        self.hint = f"Check {row.prefix}{settings}."
        self.ring = KeyRing(row.api_keys)
        self.allowance = Allowance(row.limits, row.name, row.prefix)
        self.names = ModelNames(row.name, row.base_url, row.preferred)
        self.names.note(row.model, *row.models)
        self._key_headers = {key: row.headers_with(key) for key in self.ring.keys}
        self._habits = Habits()
        self._about = Circumstances(
            row.name, row.prefix, row.key_variable or f"{row.prefix}API_KEY", self.hint, self.ring.keys
        )
        own = {"accept-encoding": "identity", "user-agent": "talkbox"}  # what is passed on must be readable
        try:
            for shown in self._key_headers.values():
                Upstream.check(shown)
            self.upstream = upstream(
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
        """Keys that rest, fields that are left out and names that have moved, for /readyz; None: nothing to say."""
        resting = self.ring.resting
        keys = f"{resting} of {len(self.ring.keys)} keys rest" if resting else None
        return "; ".join(filter(None, [keys, self._habits.detail, self.names.notice])) or None

    @property
    def server(self) -> str:
        """Name of the server that is asked."""
        return self.upstream.shown

    async def ask(self, question: Question) -> Reply:
        """Return a success that has begun, from a key that is accepted and a question that is understood. Close it.

        A refused question is asked again: with the next key, without the field that the refusal names, with half of
        the history where that is too long, or for the model that has taken the place of one that is gone.

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
            async with asyncio.timeout(_LIST_SECONDS):
                reply = await self.get("/models", silence_seconds=_LIST_SECONDS)
                try:
                    if reply.status == 200:
                        self.names.learn(listed_in(await reply.read(_MAX_LIST_BYTES)))
                finally:
                    await reply.aclose()
        except (EngineFailed, TimeoutError, ValueError) as exc:
            log.info("%s: the list of models could not be read (%s)", self.row.name, type(exc).__name__)

    async def _ask(self, question: Question) -> Reply:
        made = Concessions(question, self._habits.of(question.model))
        tried: frozenset[str] = frozenset()
        key = self.ring.take() or ""
        while True:
            reply = await self._send(made.question, key, made.without)
            if reply.status // 100 == 2:  # some frameworks say 201 to every POST
                reply.key, reply.heed = key, partial(self._heed, question.model, made)
                self._habits.learn(question.model, made.learnt)
                return reply
            complaint, failure = await self._refusal(reply, made.question)
            if made.can_do_with_less(reply.status, complaint):
                continue
            if len(self.ring.keys) == 1 or not _concerns_key(failure):
                raise failure
            self.ring.rest(key, failure.rest_seconds)
            tried |= {key}
            following = self.ring.take(tried)
            if following is None:
                failure.rest_seconds = self.ring.seconds
                raise failure
            key = following

    def _heed(self, model: str, made: Concessions, complaint: Complaint) -> None:
        if made.heed(complaint):
            self._habits.learn(model, made.learnt)

    async def _send(self, question: Question, key: str, without: frozenset[str]) -> Reply:
        headers, body = question.body(without)
        post = self.upstream.post_at_once if question.in_a_hurry else self.upstream.post
        spans.describe("gen_ai.request.model", question.model)
        with spans.calling("POST", self.upstream.shown) as call:
            headers = {REQUEST_ID: request_id.get() or "-"} | trace.passed_on() | self._key_headers[key] | headers
            try:
                with Patience(question.begin_seconds):
                    reply = await post(body, headers, silence_seconds=question.silence_seconds)
            except TimeoutError as exc:
                raise self._silent(question.begin_seconds) from exc
            call.answered(reply.status)
            return reply

    async def get(self, path: str, *, silence_seconds: float) -> Reply:
        """Return the answer to a GET of another `path` of the same base URL, such as `/models`."""
        key = self.ring.take() or ""
        return await self.upstream.get(self.row.url(path), self._key_headers[key], silence_seconds=silence_seconds)

    def meant(self, complaint: Complaint, reply: Reply | None = None) -> ApiError:
        """Return the error that an error object inside a success means.

        A key of `reply` that it is about rests, and a field that it is about is left out from the next question on.
        """
        if reply is not None and reply.heed is not None:
            reply.heed(complaint)
        failure = within_success(complaint, about=self._about)
        if reply is not None and reply.key and len(self.ring.keys) > 1 and _concerns_key(failure):
            self.ring.rest(reply.key, failure.rest_seconds)
            failure.rest_seconds = self.ring.seconds
        return failure

    def no_answer(self, body: bytes, reply: Reply, wanted: str) -> ApiError:
        """Return the error that a 200 means which holds something else than what was `wanted`, such as `sound`."""
        complaint = Complaint.of(body)
        if complaint is not None and not complaint.empty:
            return self.meant(complaint, reply)
        return EngineFailed(f"answered {reply.media_type or 'something'} that is no {wanted}. {self.hint}")

    async def _refusal(self, reply: Reply, question: Question) -> tuple[Complaint, ApiError]:
        """Read what a reply other than 200 says, and close it."""
        complaint = Complaint.of_refusal(await reply.refusal_body())
        about = structs.replace(self._about, question=question)
        failure = refusal(reply.status, complaint, retry_after=reply.retry_after, about=about)
        if isinstance(failure, UnknownModel):
            log.warning("%s: %s", self.row.name, failure)
        return complaint, failure

    def _silent(self, seconds: float | None) -> EngineTimeout:
        return EngineTimeout(f"{self.upstream.shown} was silent for {seconds or 0:g} s")


def _concerns_key(failure: ApiError) -> TypeGuard[EngineFailed]:
    return isinstance(failure, EngineBusy | EngineRefused | EngineUnpaid)


def _is_without_model(failure: ApiError) -> bool:
    return isinstance(failure, EngineWithoutModel | UnknownModel) or failure.body["code"] == "model_not_found"
