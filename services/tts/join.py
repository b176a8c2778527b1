"""Join clauses into one answer: the next are made while one plays, and pauses of our own replace the engine's."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing

from tts.audio.loudness import Evened, Levels
from tts.audio.mp3_edges import LEAST_END_SECONDS, MOST_RATE, FrameEdges
from tts.audio.pcm import RATE, WIDTH, Sound, faded, pcm, silence
from tts.audio.resample import AsItIs, source
from tts.engines import Engine
from tts.voices.choose import Voice

_PAUSES = ((".。!！?？…।؟۔", 0.25), (",，、;；:：،—~～", 0.12))
"""Punctuation marks after which a speaker breathes, and the seconds of the pause."""
_SHORTEST_PAUSE = 0.04
"""Seconds of the pause after a clause that was cut between words."""
QUIET = 160
"""Highest amplitude, of 32767, of silence; more is the start of a breath or a consonant."""
_WINDOW_SECONDS = 0.005
_LEFT_BEFORE, _LEFT_AFTER = 0.02, 0.04
"""Seconds of an engine's own silence that are kept before and after a clause, so that nothing soft is cut off."""
_FADE_SECONDS = 0.005
"""Duration of the fades, which avoid a click where an engine begins or ends in mid-wave."""
CLOSERS = " \n)]）］」』】》”’\"'"


class Joined:
    """Sound of one answer, clause by clause.

    All clauses keep the form in which the engine makes them, mp3 included, unless their loudness is changed.

    Args:
        texts: The clauses. A clause being made is held in memory until it is sent; `ahead` bounds their number.
        speed: Factor within the engine's `speeds`.
        levels: Levels of the voices, to even out loudness; None keeps the loudness as it is.
    """

    def __init__(
        self, engine: Engine, texts: Iterable[str], voice: Voice, speed: float, levels: Levels | None = None
    ) -> None:
        self._engine, self._voice, self._speed = engine, voice, speed
        self._uncut = iter(texts)
        self._texts: deque[str] = deque()
        self._levels = None if levels is None or levels.leave(engine.sound) else levels
        kept = engine.sound.codec == "pcm" or (self._levels is None and engine.sound.rate <= MOST_RATE)
        self.sound: Sound = engine.sound if kept else pcm(RATE)

    def cut(self) -> None:
        """Find all clauses, which takes time in a long text. May be called in a thread, before `pieces`."""
        self._texts.extend(self._uncut)

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the sound in the form `sound`; the next clauses begin once the first sound of this one has come.

        Raises:
            EngineFailed: A clause broke off; those before it have been sent.
        """
        self.cut()
        making: deque[_Making] = deque()
        level, edges = self._level(), self._edges()
        try:
            while self._texts or making:
                self._begin(making, 1)
                clause = making[0]
                decoder = source(self._engine.sound) if self.sound != self._engine.sound else AsItIs()
                async for piece in clause:
                    self._begin(making, 1 + self._engine.ahead)
                    if heard := level.feed(edges.feed(b"".join(decoder.feed(piece)))):
                        yield heard
                last = edges.feed(b"".join(decoder.finish()))
                making.popleft()
                pause = pause_seconds(clause.text) / self._speed if self._texts or making else None
                if rest := level.feed(last + edges.finish(pause)) + level.end_clause():
                    yield rest
            if rest := level.finish():
                yield rest
        finally:
            await asyncio.gather(*(clause.aclose() for clause in making))

    def _level(self) -> "Evened | _AsLoudAsItIs":
        if self._levels is None:
            return _AsLoudAsItIs()
        whose = (type(self._engine), self._engine.likeness, self._voice.name)
        return Evened(self._levels, whose, self.sound.rate)

    def _edges(self) -> "Edges | FrameEdges | _Untouched":
        if self.sound.codec == "pcm":
            return Edges(self.sound.rate)
        return FrameEdges(self.sound) if len(self._texts) > 1 else _Untouched()

    def _begin(self, making: "deque[_Making]", most: int) -> None:
        """Begin clauses until `most` of them are under way, or none is left."""
        while self._texts and len(making) < most:
            making.append(_Making(self._engine, self._texts.popleft(), self._voice, self._speed))


def pause_seconds(text: str) -> float:
    """Return the pause that a speaker makes after this text."""
    mark = text.rstrip(CLOSERS)[-1:]
    return next((seconds for marks, seconds in _PAUSES if mark and mark in marks), _SHORTEST_PAUSE)


class Edges:
    """Trimmer of the silence at the beginning and end of clauses of PCM; other sound is passed on without delay.

    One serves the clauses of an answer in turn.
    """

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._window = WIDTH * max(1, round(rate * _WINDOW_SECONDS))
        self._held = b""
        self._begun = False

    def feed(self, piece: bytes) -> bytes:
        """Return the sound up to the last loud moment; the silence behind it is held back."""
        pcm = self._held + piece
        if not self._begun:
            start = self._first_loud(pcm)
            if start is None:
                self._held = pcm[-self._bytes(_LEFT_BEFORE) :]
                return b""
            pcm, self._begun = pcm[max(0, start - self._bytes(_LEFT_BEFORE)) :], True
            pcm = faded(pcm, _FADE_SECONDS, self._rate, out=False)
        end = max(0, min(self._last_loud(pcm), len(pcm) - self._bytes(_FADE_SECONDS)))
        self._held = pcm[end:]
        return pcm[:end]

    def finish(self, pause: float | None) -> bytes:
        """Return the end of the clause and `pause` seconds of silence.

        Args:
            pause: Seconds; None after the last clause, which keeps the engine's own silence, lengthened if too short.
        """
        if not self._begun:
            self._held = b""
            return b""
        kept = self._held if pause is None else self._held[: self._bytes(min(_LEFT_AFTER, pause))]
        kept = faded(kept, _FADE_SECONDS, self._rate, out=True)
        self._held, self._begun = b"", False
        return kept + silence(LEAST_END_SECONDS if pause is None else pause, self._rate)[len(kept) :]

    def _bytes(self, seconds: float) -> int:
        return WIDTH * round(seconds * self._rate)

    def _loud(self, window: bytes) -> bool:
        samples = memoryview(window[: len(window) // WIDTH * WIDTH]).cast("h")
        return bool(samples) and (max(samples) > QUIET or min(samples) < -QUIET)

    def _first_loud(self, pcm: bytes) -> int | None:
        return next((at for at in range(0, len(pcm), self._window) if self._loud(pcm[at : at + self._window])), None)

    def _last_loud(self, pcm: bytes) -> int:
        """Return the offset of the end of the last loud window, or 0 if all is quiet."""
        for at in range((len(pcm) - 1) // self._window * self._window, -1, -self._window):
            if self._loud(pcm[at : at + self._window]):
                return min(len(pcm), at + self._window)
        return 0


class _Untouched:
    """Stand-in for `Edges` for sound that is passed on unchanged."""

    def feed(self, piece: bytes) -> bytes:
        return piece

    def finish(self, pause: float | None) -> bytes:
        return b""


class _AsLoudAsItIs:
    """Stand-in for `Evened` for sound that keeps its loudness."""

    def feed(self, pcm: bytes) -> bytes:
        return pcm

    def end_clause(self) -> bytes:
        return b""

    def finish(self) -> bytes:
        return b""


class _Making(AsyncIterator[bytes]):
    """Clause being made in a task of its own; each step of the iterator returns all sound made since the last."""

    def __init__(self, engine: Engine, text: str, voice: Voice, speed: float) -> None:
        self.text = text
        self._made: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self._task = asyncio.create_task(self._make(engine.speak(text, voice, speed)))

    async def _make(self, pieces: AsyncGenerator[bytes, None]) -> None:
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    self._made.put_nowait(piece)
        except Exception as exc:  # any error is raised to the caller of the iterator
            self._made.put_nowait(exc)
        else:
            self._made.put_nowait(None)

    async def __anext__(self) -> bytes:
        item = await self._made.get()
        if item is None:
            raise StopAsyncIteration
        if isinstance(item, Exception):
            raise item
        pieces = [item]
        while not self._made.empty():
            item = self._made.get_nowait()
            if not isinstance(item, bytes):
                self._made.put_nowait(item)  # the end or an error is the last item, and stays so
                break
            pieces.append(item)
        return b"".join(pieces)

    async def aclose(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
