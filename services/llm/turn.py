"""One chat request on its way through the service: asked, judged, counted, excused."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.responses import Response
from starlette.types import Scope

from chassis.chain.answer import Answer, Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.chain.shares import stands_in
from chassis.errors import ApiError, BadRequest, Declined, EngineTimeout
from chassis.guard.options import HEADER
from chassis.server.headers import header
from chassis.sse import EVENT_STREAM
from llm.accounts import Accounts
from llm.answer.encode import AnswerChoice, Usage, completion, events, more
from llm.answer.usage import Tally, shared
from llm.engines import COMPANION, Engine
from llm.excuse import BROKEN_OFF, NO_ANSWER
from llm.filler import is_wanted
from llm.gen_ai_metrics import Measured
from llm.own_language import Language, own_language
from llm.settings import Settings
from llm.speak_ahead import Ahead, Teller
from llm.wire import Asked, User, said_by

if TYPE_CHECKING:
    from chassis.guard.guard import Guard
    from llm.guarding import Watched

UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}


class TurnOver(EngineTimeout):
    """A turn takes longer than it may."""


class Turn(Struct):
    """One question on its way through the service."""

    chain: Chain[Engine]
    settings: Settings
    accounts: Accounts
    asked: Asked
    scope: Scope
    teller: Teller | None
    measured: Measured
    watched: "Watched | None" = None
    """The guard of this request; None where it is off."""

    @property
    def key(self) -> str | None:
        """Name of the caller's key."""
        name: str | None = self.scope["state"].get("key")
        return name

    async def ask(
        self, extra_seconds: float = 0.0, admitted: Callable[[], object] = lambda: None
    ) -> Answer[bytes, Tally]:
        try:
            answer = await self.chain.answer(
                self.asked.wanted.model, self._asked_of, extra_seconds=extra_seconds, admitted=admitted
            )
        except ApiError as exc:
            self.measured.fail(exc.counted_as)
            raise
        self.measured.begin()
        return answer

    def _asked_of(self, engine: Engine, model: str | None) -> Work[bytes, Tally]:
        tally = Tally()
        is_last = bool(self.asked.wanted.tools) and self._is_last(engine)
        asked = msgspec.structs.replace(self.asked, model=model, tally=tally, is_last=is_last)
        pieces = engine.chat(asked)
        return Work(pieces if self.watched is None else self.watched.asked_of(pieces), tally)

    def _is_last(self, engine: Engine) -> bool:
        """Tell whether no other model would be asked after this engine."""
        seats, _ = self.chain.pick(self.asked.wanted.model)
        minds = [seat.engine for seat in seats if seat.standing == "ready" and not stands_in(seat)]
        return engine in (minds[-1:] or [engine])

    async def judged_by(self, guard: "Guard") -> Response | None:
        """Let the guard judge what is asked, and watch the answer; return the answer where no engine is to be asked."""
        if (watch := guard.watch(self.key)) is None:
            return None
        from llm.guarding import Watched  # only where the guard is on

        self.watched = Watched(watch, self.asked)
        body, self.asked = await self.watched.answer(), self.watched.asked
        if body is None:
            return None
        kind = EVENT_STREAM if self.asked.wanted.stream else "application/json"
        headers = {ENGINE_HEADER: "guard"} | (UNBUFFERED if self.asked.wanted.stream else {}) | self.guard_header
        return Response(body, media_type=kind, headers=headers)

    @property
    def guard_header(self) -> dict[str, str]:
        """The kind of risk that was found by now."""
        return {} if self.watched is None or self.watched.kind is None else {HEADER: self.watched.kind}

    async def close(self, answer: Answer[bytes, Tally]) -> None:
        """End the work for an answer, and note its cost."""
        try:
            await answer.aclose()
        finally:
            cost = await self.accounts.note(self.key, answer.engine, self.asked.wanted, answer.record)
            self.measured.end(answer.engine, cost)

    def ahead(self) -> Ahead | None:
        """Begin to tell tts of what the answer says; None where it shall not know, or the answer is not for an ear."""
        if self.teller is None or not self.asked.wanted.is_prose:
            return None
        return Ahead(self.teller, header(self.scope, b"authorization"))

    @property
    def filler_seconds(self) -> float | None:
        """Silence after which a sentence fills it; None: none does in this answer."""
        return self.settings.silence_before_filler if is_wanted(self.asked.wanted) else None

    def may_say(self, failure: ApiError) -> bool:
        """Tell whether a failure is put into words: by setting, unless it is a mistake that the caller can mend."""
        is_moderation = failure.body["code"] == "content_filter"
        at_fault = isinstance(failure, BadRequest) and not isinstance(failure, Declined) and not is_moderation
        is_call = self.asked.wanted.tool_choice not in (None, "none", "auto")  # words are no call of a tool
        return self.settings.for_the_ear and self.asked.wanted.is_prose and not at_fault and not is_call

    def excuse(self, failure: ApiError) -> Response:
        """Return an answer that says in words that there is none.

        Raises:
            ApiError: The failure itself, where it is not put into words.
        """
        if not self.may_say(failure):
            raise failure
        self.scope["state"]["error"] = failure
        kind = EVENT_STREAM if self.asked.wanted.stream else "application/json"
        headers = {ENGINE_HEADER: COMPANION} | (UNBUFFERED if self.asked.wanted.stream else {})
        return Response(self.no_answer(), media_type=kind, headers=headers)

    def no_answer(self) -> bytes:
        """Encode the excuse, in the language of the conversation."""
        choices = [AnswerChoice((NO_ANSWER[self._language],), "stop")]
        if self.asked.wanted.stream:
            return b"".join(events(choices, COMPANION, None))
        return completion(choices, COMPANION, Usage.of(0, 0))

    def last_words(self, failure: ApiError, said: bytes) -> bytes:
        """Encode what an ear hears where an answer of words breaks off in mid-sentence.

        Args:
            said: The first events of the answer.
        """
        if not self.may_say(failure) or not is_wanted(self.asked.wanted):
            return b""
        return more(shared(said), BROKEN_OFF[self._language])

    @property
    def _language(self) -> Language:
        return own_language(said_by(User, self.asked.wanted.messages)[::-1])
