"""POST /v1/chat/completions: parse, ask, pass on."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from chassis.chain import ENGINE_HEADER, Answer, Chain
from chassis.errors import ApiError
from chassis.streams import EVENT_STREAM, KEEP_ALIVE, Stream, event
from llm.engines import Engine
from llm.settings import Settings
from llm.wire import Asked, parse

UNBUFFERED = {"cache-control": "no-cache", "x-accel-buffering": "no"}


async def chat_completions(chain: Chain[Engine], settings: Settings, request: Request) -> Response:
    """The next words of a conversation: events as they come where a stream is wanted, else one JSON object.

    Raises:
        BadRequest: The body is no `ChatRequest`, or no engine can do what it asks.
        EngineFailed: No engine of the chain answered. (One that breaks off later is an error event in the stream.)
    """
    asked = await parse(request)
    if asked.wanted.stream:
        return await _streamed(chain, settings.keep_alive_seconds, asked, request.scope)
    answer = await _ask(chain, asked, extra_seconds=max(0.0, settings.answer_seconds - settings.first_byte_seconds))
    try:
        body = b"".join([piece async for piece in answer])
    finally:
        await answer.aclose()
    return Response(body, media_type="application/json", headers={ENGINE_HEADER: answer.engine})


async def _ask(chain: Chain[Engine], asked: Asked, extra_seconds: float = 0.0) -> Answer[bytes]:
    def work(engine: Engine, model: str | None) -> AsyncIterator[bytes]:
        return engine.chat(msgspec.structs.replace(asked, model=model) if model else asked)

    return await chain.answer(asked.wanted.model, work, extra_seconds=extra_seconds)


async def _streamed(chain: Chain[Engine], quiet_seconds: float, asked: Asked, scope: Scope) -> Response:
    """An answer that begins in time, with its true status; or, when that takes too long, a stream that waits for it."""
    told = Told(asyncio.create_task(_ask(chain, asked)), scope)
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

    def __init__(self, asking: asyncio.Task[Answer[bytes]], scope: Scope) -> None:
        self._asking, self._scope = asking, scope
        self._answer: Answer[bytes] | None = None
        self._failure: ApiError | None = None
        self._waiting = False

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
        if self._waiting:
            self._waiting = False
            return KEEP_ALIVE
        try:
            if self._answer is None:
                self._answer = await self._asking
                self._scope["state"]["engine"] = self._answer.engine  # the headers have left without it
            return await anext(self._answer)
        except ApiError as exc:
            self._failure = exc
            return event({"error": exc.body})

    async def aclose(self) -> None:
        if not self._asking.done():
            self._asking.cancel()
            await asyncio.wait({self._asking})
        if not self._asking.cancelled() and self._asking.exception() is None:
            await self._asking.result().aclose()


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
