"""Answer `POST /v1/chat/completions`: parse, ask, pass on."""

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis import trace
from chassis.chain.answer import Answer
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError
from chassis.sse import EVENT_STREAM, KEEP_ALIVE, event
from llm.accounts import Accounts
from llm.answer.encode import finish
from llm.answer.usage import Tally, shared
from llm.engines import Engine
from llm.filler import continued, filler, without_fillers
from llm.gathered import Gathered, can_be_gathered
from llm.gen_ai_metrics import Measured
from llm.request.parsing import parse
from llm.settings import Settings
from llm.speak_ahead import Ahead, Teller
from llm.turn import UNBUFFERED, Turn, TurnOver

if TYPE_CHECKING:
    from chassis.guard.guard import Guard

_ANY_MODEL = "any"
"""Model that is counted where the caller named no engine."""


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


_HEADERS = _raw(UNBUFFERED | {"content-type": f"{EVENT_STREAM}; charset=utf-8"})
"""Headers of every stream."""


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
    if settings.silence_before_filler is not None:
        asked = without_fillers(asked)
    named, _ = chain.pick(asked.wanted.model)
    measured = Measured(_ANY_MODEL if named is chain.seats else named[0].name)
    turn = Turn(chain, settings, accounts, asked, request.scope, teller, measured)
    try:
        await accounts.admit(turn.key)
        if guard is not None and (answer := await turn.judged_by(guard)) is not None:
            return answer
        if asked.wanted.stream:
            return Unhurried(turn)
        if settings.for_the_ear and can_be_gathered(asked.wanted):
            return Gathered(turn)
        return await _whole(turn)
    except ApiError as exc:
        return turn.excuse(exc)


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
            await self._in_time()
            if self._ahead is not None:
                self._ahead.end()
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

    async def _in_time(self) -> None:
        """Answer within the longest duration of a turn, if there is one."""
        if (seconds := self.turn.settings.turn_seconds) == "off":
            return await self._answered()
        patience = asyncio.timeout(seconds)
        try:
            async with patience:
                await self._answered()
        except TimeoutError as exc:
            if not patience.expired():
                raise
            raise TurnOver(f"The turn took longer than {seconds} s.") from exc

    async def _answered(self) -> None:
        await self._passed_on(await self.turn.ask(admitted=self._admitted))

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
        """Send a failure: an event, for ears with last words before it; no event before the first word, or on time."""
        if self.turn.may_say(failure) and (not self._said or isinstance(failure, TurnOver)):
            self.turn.scope["state"]["error"] = failure
            excuse = finish("length", shared(self._said)) if self._said else self._continued(self.turn.no_answer())
            return await self._write(excuse)
        await self._write(self.turn.last_words(failure, self._said) + event(failure.envelope))
        raise failure

    async def _begin(self, engine: str | None) -> None:
        self._began = True
        more = self.turn.guard_header | ({ENGINE_HEADER: engine} if engine else {})
        headers = [*_HEADERS, *_raw(more)]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})

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
