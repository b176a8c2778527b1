"""POST /v1/chat/completions: parse, ask, pass on."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from msgspec import Struct, field
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from chassis.chain import ENGINE_HEADER, Answer, Chain
from chassis.errors import ApiError, BadRequest, EngineTimeout
from chassis.streams import EVENT_STREAM, KEEP_ALIVE, Stream, event
from llm.accounts import Accounts
from llm.encode import Spoken, Usage, completion, events, finish
from llm.engines import COMPANION, Engine
from llm.phrases import NO_ANSWER
from llm.settings import Settings
from llm.talk import language_of
from llm.usage import Tally
from llm.wire import Asked, User, parse, said_by

UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}


async def chat_completions(chain: Chain[Engine], settings: Settings, accounts: Accounts, request: Request) -> Response:
    """The next words of a conversation: events as they come where a stream is wanted, else one JSON object.

    Raises:
        BadRequest: The body is no `ChatRequest`, or no engine can do what it asks.
        TooBusy: No place in time, or the key has used up its budget.
        EngineFailed: No engine of the chain answered. (One that breaks off later is an error event in the stream.)
    """
    asked = await parse(request)
    turn = Turn(chain, settings, accounts, asked, request.scope)
    try:
        await accounts.admit(turn.key)
        return await (_streamed(turn) if asked.wanted.stream else _whole(turn))
    except ApiError as exc:
        if not turn.may_say(exc):
            raise
        request.scope["state"]["error"] = exc
        kind = EVENT_STREAM if asked.wanted.stream else "application/json"
        headers = {ENGINE_HEADER: COMPANION} | (UNBUFFERED if asked.wanted.stream else {})
        return Response(turn.no_answer(), media_type=kind, headers=headers)


class Turn(Struct):
    """One question, and what its answer takes."""

    chain: Chain[Engine]
    settings: Settings
    accounts: Accounts
    asked: Asked
    scope: Scope
    tallies: dict[int, Tally] = field(default_factory=dict)
    """Of each engine that was asked, by its id."""

    @property
    def key(self) -> str | None:
        """The name of who asks."""
        name: str | None = self.scope["state"].get("key")
        return name

    async def ask(self, extra_seconds: float = 0.0) -> Answer[bytes]:
        def work(engine: Engine, model: str | None) -> AsyncIterator[bytes]:
            tally = self.tallies[id(engine)] = Tally()
            return engine.chat(msgspec.structs.replace(self.asked, model=model, tally=tally))

        return await self.chain.answer(self.asked.wanted.model, work, extra_seconds=extra_seconds)

    async def close(self, answer: Answer[bytes]) -> None:
        """End its work, and note what it cost."""
        try:
            await answer.aclose()
        finally:
            engine = next(each for name, each in self.chain.ready_engines() if name == answer.engine)
            await self.accounts.note(self.key, answer.engine, self.asked.wanted, self.tallies[id(engine)])

    def may_say(self, failure: ApiError) -> bool:
        """Whether it is to be told in words: by setting, and not where the caller is at fault."""
        return self.settings.for_the_ear and self.asked.wanted.is_prose and not isinstance(failure, BadRequest)

    def no_answer(self) -> bytes:
        """In words, in the language of the conversation, that there is none."""
        language = language_of(said_by(User, self.asked.wanted.messages)[::-1])
        choices = [Spoken((NO_ANSWER[language],), "stop")]
        if self.asked.wanted.stream:
            return b"".join(events(choices, COMPANION, None))
        return completion(choices, COMPANION, Usage.of(0, 0))


async def _whole(turn: Turn) -> Response:
    settings = turn.settings
    answer = await turn.ask(extra_seconds=max(0.0, settings.answer_seconds - settings.first_byte_seconds))
    try:
        body = b"".join([piece async for piece in answer])
    finally:
        await turn.close(answer)
    return Response(body, media_type="application/json", headers={ENGINE_HEADER: answer.engine})


async def _streamed(turn: Turn) -> Response:
    """An answer that begins in time, with its true status; or, when that takes too long, a stream that waits for it."""
    quiet_seconds = turn.settings.keep_alive_seconds
    told = Told(turn)
    try:
        engine = await told.begun(quiet_seconds)
    except BaseException:
        await told.aclose()
        raise
    headers = UNBUFFERED | ({ENGINE_HEADER: engine} if engine else {})
    return Unhurried(told, quiet_seconds, headers)


class Told(AsyncIterator[bytes]):
    """The events of an answer that may be yet to come; a failure is told as an event, then raised.

    Not a generator: one that was never begun could not be closed, and would keep its place in the chain.
    """

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._asking = asyncio.create_task(turn.ask())
        self._answer: Answer[bytes] | None = None
        self._failure: ApiError | None = None
        self._waiting = self._over = self._said = False
        self._deadline: float | None = None
        if turn.settings.turn_seconds != "off":
            self._deadline = asyncio.get_running_loop().time() + turn.settings.turn_seconds

    async def begun(self, seconds: float) -> str | None:
        """Whose answer has begun within `seconds`; None if nobody's has.

        Raises:
            ApiError: There will be none.
        """
        done, _ = await asyncio.wait({self._asking}, timeout=seconds)
        if not done:
            self._waiting = True
            return None
        self._answer = self._asking.result()
        return self._answer.engine

    async def __anext__(self) -> bytes:
        if self._failure is not None:
            raise self._failure
        if self._over:
            raise StopAsyncIteration
        if self._waiting:
            self._waiting = False
            return KEEP_ALIVE
        try:
            piece = await (self._next() if self._deadline is None else self._next_in_time(self._deadline))
        except ApiError as exc:
            return self._ended_by(exc)
        self._said = True
        return piece

    async def _next(self) -> bytes:
        if self._answer is None:
            self._answer = await self._asking
            self._turn.scope["state"]["engine"] = self._answer.engine  # the headers have left without it
        return await anext(self._answer)

    async def _next_in_time(self, deadline: float) -> bytes:
        patience = asyncio.timeout_at(deadline)
        try:
            async with patience:
                return await self._next()
        except TimeoutError as exc:
            if not patience.expired():
                raise
            raise EngineTimeout(f"The turn took longer than {self._turn.settings.turn_seconds} s.") from exc

    def _ended_by(self, failure: ApiError) -> bytes:
        """A failure, for eyes; or, for ears, words where none were said yet, and an early end where time is up."""
        spoken = self._turn.may_say(failure)
        if spoken and (not self._said or isinstance(failure, EngineTimeout)):
            self._turn.scope["state"]["error"] = failure
            self._over = True
            return finish("length") if self._said else self._turn.no_answer()
        self._failure = failure
        return event({"error": failure.body})

    async def aclose(self) -> None:
        if not self._asking.done():
            self._asking.cancel()
            await asyncio.wait({self._asking})
        if not self._asking.cancelled() and self._asking.exception() is None:
            await self._turn.close(self._asking.result())


class Unhurried(Stream):
    """A stream of events that sends a comment when nothing was sent for a while."""

    def __init__(self, body: AsyncIterator[bytes], quiet_seconds: float, headers: dict[str, str]) -> None:
        super().__init__(body, media_type=EVENT_STREAM, headers=headers)
        self.quiet_seconds = quiet_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        now = asyncio.get_running_loop().time
        spoke, sending = now(), False

        async def send_noting(message: Message) -> None:
            nonlocal spoke, sending
            sending = True
            await send(message)
            spoke, sending = now(), False

        async def break_silence() -> None:
            while True:
                quiet = now() - spoke
                if sending or quiet < self.quiet_seconds:
                    await asyncio.sleep(self.quiet_seconds if sending else self.quiet_seconds - quiet)
                else:
                    await send_noting({"type": "http.response.body", "body": KEEP_ALIVE, "more_body": True})

        comments = asyncio.create_task(break_silence())
        try:
            await super().__call__(scope, receive, send_noting)
        finally:
            comments.cancel()
