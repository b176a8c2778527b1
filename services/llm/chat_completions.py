"""Answer `POST /v1/chat/completions`: parse, ask, pass on."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis import trace
from chassis.chain.answer import Answer, Work
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError, BadRequest, Declined, EngineTimeout
from chassis.guard.options import HEADER
from chassis.sse import EVENT_STREAM, KEEP_ALIVE, event
from llm.answer.encode import Spoken, Usage, completion, events, finish
from llm.answer.usage import Tally, shared
from llm.budgets.key_budgets import Accounts
from llm.engines import COMPANION, Engine
from llm.excuse import NO_ANSWER, language_of
from llm.filler import continued, filler, is_wanted
from llm.gen_ai_metrics import Measured
from llm.settings import Settings
from llm.speak_ahead import Ahead, Teller
from llm.wire import Asked, User, parse, said_by

if TYPE_CHECKING:
    from chassis.guard.guard import Guard
    from llm.guarding import Watched

ANY_MODEL = "any"
"""Model that is counted where the caller named no engine."""
UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}


async def chat_completions(
    chain: Chain[Engine],
    settings: Settings,
    accounts: Accounts,
    teller: Teller | None,
    guard: "Guard | None",
    request: Request,
) -> Response:
    """Return the next words of a conversation: events as they come if the request streams, else one JSON object.

    Raises:
        BadRequest: The body is no `ChatRequest`, or no engine can do what it asks.
        TooBusy: No place in time, or the key has used up its budget.
        EngineFailed: No engine of the chain answered. (One that breaks off later is an error event in the stream.)
    """
    asked = await parse(request)
    named, _ = chain.pick(asked.wanted.model)
    measured = Measured(ANY_MODEL if named is chain.seats else named[0].name)
    turn = Turn(chain, settings, accounts, asked, request.scope, teller, measured)
    try:
        await accounts.admit(turn.key)
        if guard is not None and (answer := await turn.judged_by(guard)) is not None:
            return answer
        return Unhurried(turn) if asked.wanted.stream else await _whole(turn)
    except ApiError as exc:
        return turn.excuse(exc)


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
        def work(engine: Engine, model: str | None) -> Work[bytes, Tally]:
            tally = Tally()
            return Work(engine.chat(msgspec.structs.replace(self.asked, model=model, tally=tally)), tally)

        try:
            answer = await self.chain.answer(
                self.asked.wanted.model, work, extra_seconds=extra_seconds, admitted=admitted
            )
        except ApiError as exc:
            self.measured.fail(exc.counted_as)
            raise
        self.measured.begin()
        return answer

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
        return Ahead(self.teller, Headers(scope=self.scope).get("authorization", ""))

    @property
    def filler_seconds(self) -> float | None:
        """Silence after which a sentence fills it; None: none does."""
        seconds = self.settings.filler_seconds
        return (
            None if seconds == "off" or not self.settings.for_the_ear or not is_wanted(self.asked.wanted) else seconds
        )

    def may_say(self, failure: ApiError) -> bool:
        """Tell whether a failure is put into words: by setting, unless it is a mistake that the caller can mend."""
        is_moderation = failure.body["code"] == "content_filter"
        at_fault = isinstance(failure, BadRequest) and not isinstance(failure, Declined) and not is_moderation
        return self.settings.for_the_ear and self.asked.wanted.is_prose and not at_fault

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
        language = language_of(said_by(User, self.asked.wanted.messages)[::-1])
        choices = [Spoken((NO_ANSWER[language],), "stop")]
        if self.asked.wanted.stream:
            return b"".join(events(choices, COMPANION, None))
        return completion(choices, COMPANION, Usage.of(0, 0))


async def _whole(turn: Turn) -> Response:
    settings = turn.settings
    answer = await turn.ask(extra_seconds=max(0.0, settings.answer_seconds - settings.first_byte_seconds))
    try:
        with trace.stage("engine"):
            body = b"".join([piece async for piece in answer])
    finally:
        await turn.close(answer)
    if turn.watched is not None:
        body = await turn.watched.whole(body)
    return Response(body, media_type="application/json", headers={ENGINE_HEADER: answer.engine} | turn.guard_header)


class Unhurried(Response):
    """Sends the events of an answer as they come.

    An answer that begins in time has its true status. In a pause a comment is sent, after the headers if they have not
    left yet; a failure after that is an event.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn = turn
        self.quiet_seconds = turn.settings.keep_alive_seconds
        self.status_code, self.background = 200, None
        self._began = self._sending = self._filled = False
        self._said = b""
        """The first piece of the answer."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send, self._loop = send, asyncio.get_running_loop()
        self._spoke = self._loop.time()
        self._comment: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._filler_timer: asyncio.TimerHandle | None = None
        self._ahead: Ahead | None = None
        try:
            await self._answered()
            if self._ahead is not None:
                self._ahead.hear(None)
                self._ahead = None
        except ApiError as exc:
            if not self._began:
                return await self.turn.excuse(exc)(scope, receive, send)
            await self._ended_by(exc)
        finally:
            if self._ahead is not None:
                self._ahead.stop()
            for timer in (self._timer, self._filler_timer):
                if timer is not None:
                    timer.cancel()
            if self._comment is not None:
                self._comment.cancel()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _answered(self) -> None:
        seconds = self.turn.settings.turn_seconds
        patience = asyncio.timeout(None if seconds == "off" else seconds)
        try:
            async with patience:
                await self._passed_on(await self.turn.ask(admitted=self._admitted))
        except TimeoutError as exc:
            if not patience.expired():
                raise
            raise EngineTimeout(f"The turn took longer than {seconds} s.") from exc

    def _admitted(self) -> None:
        """Begin to count silence: who waits for a place in vain is told by a status, and not in a stream."""
        self._spoke = self._loop.time()
        self._timer = self._loop.call_later(self.quiet_seconds, self._look)
        if (seconds := self.turn.filler_seconds) is not None:
            self._filler_timer = self._loop.call_later(seconds, self._begin_filler)

    def _begin_filler(self) -> None:
        self._comment = self._loop.create_task(self._fill())

    async def _fill(self) -> None:
        """Say a sentence while nothing of the answer is known."""
        if self._said:
            return
        self._filled = True
        if not self._began:
            await self._begin(None)
        await self._write(sentence := filler(self.turn.asked.wanted, self.turn.asked.wanted.model))
        self._tell(sentence)

    async def _passed_on(self, answer: Answer[bytes, Tally]) -> None:
        try:
            self.turn.scope["state"]["engine"] = answer.engine  # the headers may have left without it
            async for piece in answer if self.turn.watched is None else self.turn.watched.heard(answer, answer.record):
                if not self._began:
                    await self._begin(answer.engine)
                out = piece if self._said else self._continued(piece)
                self._said = self._said or piece
                await self._write(out)
                self._tell(piece)
        finally:
            await self.turn.close(answer)

    def _continued(self, events: bytes) -> bytes:
        """Return the first events of an answer as they follow what was said before them."""
        return continued(events) if self._filled else events

    def _tell(self, piece: bytes) -> None:
        if self.turn.teller is None:
            return
        self._ahead = self._ahead or self.turn.ahead()
        if self._ahead is not None:
            self._ahead.hear(piece)

    async def _ended_by(self, failure: ApiError) -> None:
        """Send a failure: for eyes an event; for ears an excuse before the first word, and an end when time is up."""
        if self.turn.may_say(failure) and (not self._said or isinstance(failure, EngineTimeout)):
            self.turn.scope["state"]["error"] = failure
            excuse = finish("length", shared(self._said)) if self._said else self._continued(self.turn.no_answer())
            return await self._write(excuse)
        await self._write(event({"error": failure.body}))
        raise failure

    async def _begin(self, engine: str | None) -> None:
        self._began = True
        headers = UNBUFFERED | {"content-type": f"{EVENT_STREAM}; charset=utf-8"}
        if engine:
            headers[ENGINE_HEADER] = engine
        headers |= self.turn.guard_header
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _write(self, piece: bytes) -> None:
        self._sending = True
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        self._spoke, self._sending = self._loop.time(), False

    def _look(self) -> None:
        """Run the one timer for all pauses: it is set again when it rings too early."""
        left = self.quiet_seconds - (0 if self._sending else self._loop.time() - self._spoke)
        if left <= 0:
            self._comment = self._loop.create_task(self._say_something())
            left = self.quiet_seconds
        self._timer = self._loop.call_later(left, self._look)

    async def _say_something(self) -> None:
        if not self._began:
            await self._begin(None)
        await self._write(KEEP_ALIVE)
