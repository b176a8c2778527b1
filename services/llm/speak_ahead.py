"""Tell tts of each piece of an answer as soon as it is known, so that it is spoken before the toy's server asks for it.

The pieces are those that folotoy-server cuts. tts gets them with the caller's own key, and knows by itself which voice
that key heard last. Nothing here holds an answer up: what does not go well is left out.
"""

import asyncio
import re
from collections.abc import Iterator
from time import monotonic

import msgspec
from msgspec import Struct

from chassis import spans, trace
from chassis.errors import ApiError
from chassis.privacy import Transfer
from chassis.settings import Options, SettingError

PATH = "/audio/speech/ahead"
AT_A_TIME = 2
"""Pieces of one answer told at a time; tts speaks no more anyway."""
_MOST_PIECES = 12
"""Pieces of one answer that are told."""
MOST_WAITING = 256
"""Events of one answer that wait to be cut."""
SECONDS = 10.0
"""Time for one piece to be spoken."""
AWAY_SECONDS = 30.0
"""Time for which a tts that failed is left alone."""


class SpeakAheadOptions(Options, frozen=True, kw_only=True):
    """Pieces of a streamed answer that tts makes before they are asked for."""

    prefix = "LLM_"
    speak_ahead_url: str = ""
    """Base of tts itself, not of the proxy: `http://tts:8000/v1` in containers, `http://127.0.0.1:8093/v1` natively.
    Empty: no piece is spoken before it is asked for. Several workers of tts find each other's pieces in
    `TTS_CACHE_DIR` alone."""
    speak_ahead_separators: str = "，！。？,!.?"
    """Signs after which the toy's server cuts: its `SENTENCE_SEPARATORS`."""


class _Delta(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Delta
    index: int = 0


class _Chunk(Struct):
    choices: list[_Choice] = []


_decode = msgspec.json.Decoder(_Chunk).decode


class Teller:
    """Tells one tts of pieces, for all answers of the service."""

    def __init__(self, options: SpeakAheadOptions) -> None:
        """Raises:
        SettingError: The address cannot be used.
        """
        from chassis.upstream.client import Unusable, Upstream  # its library is large, and few want it

        url, signs = options.speak_ahead_url.rstrip("/") + PATH, re.escape(options.speak_ahead_separators)
        self.piece = re.compile(f"[^{signs}]*[{signs}]+")
        self._away_until = 0.0
        try:
            self._tts = Upstream(
                url,
                {"content-type": "application/json"},
                connect_seconds=0.5,
                proxy="direct",
                setting="LLM_SPEAK_AHEAD_URL",
            )
        except Unusable as exc:
            raise SettingError(f"LLM_SPEAK_AHEAD_URL: {exc}.") from exc

    @classmethod
    def of(cls, options: SpeakAheadOptions) -> "Teller | None":
        return cls(options) if options.speak_ahead_url else None

    @property
    def sends(self) -> Transfer:
        """Entry for the sheet of what leaves this service."""
        return Transfer("words", "tts", "LLM_SPEAK_AHEAD_URL", self._tts.shown)

    async def tell(self, text: str, authorization: str) -> None:
        """Let tts speak a piece; return when it has, or will not."""
        if monotonic() < self._away_until:
            return
        shown = {"authorization": authorization} if authorization.isascii() and authorization.isprintable() else {}
        try:
            async with asyncio.timeout(SECONDS):
                with spans.calling("POST", self._tts.shown) as call:
                    reply = await self._tts.post(msgspec.json.encode({"input": text}), trace.passed_on() | shown)
                    call.answered(reply.status)
                try:
                    await reply.read(2**16)
                finally:
                    await reply.aclose()
        except (ApiError, TimeoutError):
            self._away_until = monotonic() + AWAY_SECONDS

    async def aclose(self) -> None:
        await self._tts.aclose()


class Ahead:
    """One answer's pieces on their way to tts.

    Args:
        authorization: The caller's own header.
    """

    def __init__(self, teller: Teller, authorization: str) -> None:
        self._teller, self._authorization = teller, authorization
        self._events: asyncio.Queue[bytes | None] = asyncio.Queue(MOST_WAITING)
        self._task = asyncio.create_task(self._run())
        _running.add(self._task)
        self._task.add_done_callback(_running.discard)

    def hear(self, events: bytes | None) -> None:
        """Take whole events that have left for the caller; None: these were all."""
        if self._events.full():
            self._task.cancel()
        else:
            self._events.put_nowait(events)

    def stop(self) -> None:
        """Tell nothing more, since nobody will ask; what tts is speaking ends too."""
        self._task.cancel()

    async def _run(self) -> None:
        places, told = asyncio.Semaphore(AT_A_TIME), 0
        async with asyncio.TaskGroup() as group:
            waiting = ""
            while told < _MOST_PIECES and (events := await self._events.get()) is not None:
                waiting += "".join(words(events))
                *whole, waiting = _cut(self._teller.piece, waiting)
                for text in whole:
                    told += 1
                    group.create_task(self._told(places, text))
            if told < _MOST_PIECES and waiting.strip():
                group.create_task(self._told(places, waiting))

    async def _told(self, places: asyncio.Semaphore, text: str) -> None:
        async with places:
            await self._teller.tell(text, self._authorization)


_running: set[asyncio.Task[None]] = set()


def _cut(piece: re.Pattern[str], text: str) -> list[str]:
    """Return the pieces that have ended, without those of blanks alone, and what is left: it may go on."""
    ends = [match.end() for match in piece.finditer(text)]
    if ends and ends[-1] == len(text):
        ends.pop()  # another sign may follow
    starts = [0, *ends]
    pieces = [text[start:end] for start, end in zip(starts, ends, strict=False)]
    return [*filter(str.strip, pieces), text[starts[-1] :]]


def words(events: bytes) -> Iterator[str]:
    """Yield the words of the first choice in some events."""
    for line in events.splitlines():
        if line.startswith(b"data: {"):
            try:
                chunk = _decode(line[6:])
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            yield from (choice.delta.content for choice in chunk.choices if choice.index == 0 and choice.delta.content)
