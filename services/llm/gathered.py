"""Answer an ear in one piece: the words are asked for as a stream, so that an engine that hangs is left in time."""

import asyncio
from itertools import chain, repeat

import msgspec
from msgspec import Raw
from msgspec.structs import replace
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from chassis import trace
from chassis.chain.chain import ENGINE_HEADER
from chassis.errors import ApiError, EngineTimeout
from chassis.upstream.refusals.meaning import within_success
from llm.answer.encode import finish
from llm.answer.filter import Strainer
from llm.answer.usage import Tally, shared, shown
from llm.answer.whole import answer_of, mended
from llm.request.messages import estimated
from llm.turn import Turn
from llm.wire import Asked, ChatRequest, StreamOptions

_AS_IT_IS = Strainer(thoughts=False, reasoning=False, markdown=False)
_BLANK = b"\n"


def can_be_gathered(wanted: ChatRequest) -> bool:
    """Tell whether the answer is words, which are the same from a stream."""
    more = wanted.logprobs or wanted.asks_for_moderation or "audio" in (wanted.modalities or ())
    return wanted.is_prose and not more


class Gathered(Response):
    """Sends a whole answer for an ear.

    Until the first-byte budget is over, it has its true status and length. From then on blanks go ahead of it, which
    JSON allows, so that no client's read timeout fires; a failure after that is put into words.
    """

    def __init__(self, turn: Turn) -> None:
        self.turn, self._streamed = turn, replace(turn, asked=_streamed(turn.asked))
        self.status_code, self.background = 200, None
        self._began = False
        self._waiting: asyncio.Task[None] | None = None
        self._events: list[bytes] = []
        self._engine: str | None = None
        self._tally = Tally()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._send = send
        try:
            body = await self._body()
        except ApiError as exc:
            if not self._began:
                return await self.turn.excuse(exc)(scope, receive, send)
            scope["state"]["error"] = exc
            if not self.turn.may_say(exc):
                await self._write(msgspec.json.encode(exc.envelope))
                raise
            body = self.turn.no_answer()
        finally:
            if self._waiting is not None:
                self._waiting.cancel()
        await self._end(body)

    async def _body(self) -> bytes:
        """Return the answer as one JSON object; where it breaks off, with last words.

        Raises:
            ApiError: Nothing was said, or a program listens, to which half an answer is none.
        """
        seconds = self.turn.settings.answer_seconds
        patience = asyncio.timeout(seconds)
        try:
            async with patience:
                await self._gather()
        except (ApiError, TimeoutError) as exc:
            if isinstance(exc, TimeoutError) and not patience.expired():
                raise
            failure = exc if isinstance(exc, ApiError) else EngineTimeout(f"The answer took longer than {seconds} s.")
            said = b"".join(self._events)
            if not said or not (last := self.turn.last_words(failure, said)):
                raise failure from exc
            self.turn.scope["state"]["error"] = failure
            self._events = [said, last, finish("length", shared(said))]
        return self._joined()

    async def _gather(self) -> None:
        answer = await self._streamed.ask(admitted=self._admitted)
        self._engine, self._tally = answer.engine, answer.record
        self.turn.scope["state"]["engine"] = answer.engine  # the headers may have left without it
        try:
            with trace.stage("engine"):
                watched = self.turn.watched
                async for piece in answer if watched is None else watched.heard(answer, answer.record):
                    self._events.append(piece)
        finally:
            await self.turn.close(answer)

    def _joined(self) -> bytes:
        answer = answer_of(b"".join(self._events), within_success, self.turn.asked.wanted.model)
        if "usage" not in answer:
            counts = self._tally.counts(lambda: estimated(self.turn.asked.wanted.messages))
            answer["usage"] = shown(counts, estimated=self._tally.told is None)
        if (watched := self.turn.watched) is not None and watched.kind is not None:
            answer["guard"] = {"kind": watched.kind}
        return mended(b"", answer, _AS_IT_IS, answer["model"])

    def _admitted(self) -> None:
        """Begin to count silence: who waits for a place in vain is told by a status."""
        self._waiting = asyncio.create_task(self._send_blanks())

    async def _send_blanks(self) -> None:
        settings = self.turn.settings
        for seconds in chain((settings.first_byte_seconds,), repeat(settings.keep_alive_seconds)):
            await asyncio.sleep(seconds)
            await self._write(_BLANK)

    async def _write(self, piece: bytes) -> None:
        if not self._began:
            await self._begin({"x-accel-buffering": "no"})
        await self._send({"type": "http.response.body", "body": piece, "more_body": True})

    async def _begin(self, more: dict[str, str]) -> None:
        self._began = True
        headers = {"content-type": "application/json"} | more
        raw = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
        await self._send({"type": "http.response.start", "status": 200, "headers": raw})

    async def _end(self, body: bytes) -> None:
        if not self._began:
            told = {"content-length": str(len(body))} | self.turn.guard_header
            await self._begin(told | ({ENGINE_HEADER: self._engine} if self._engine else {}))
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _streamed(asked: Asked) -> Asked:
    """Return the request as one for a stream that tells its usage."""
    fields = msgspec.json.decode(asked.body, type=dict[str, Raw])
    body = msgspec.json.encode(fields | {"stream": True, "stream_options": {"include_usage": True}})
    wanted = replace(asked.wanted, stream=True, stream_options=StreamOptions(include_usage=True))
    return replace(asked, body=body, wanted=wanted)
