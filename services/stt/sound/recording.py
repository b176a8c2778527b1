"""A recording on its way to an engine: whole if it is short, else in pieces, each decoded when its turn has come.

Whatever its length, no more of it is in memory than the piece that is heard and the next one.
"""

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import aclosing, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TypeVar, TypeVarTuple

import numpy as np

from chassis.chain.admission import Admission
from chassis.errors import BadRequest
from chassis.threads import Stop, cores, pieces, workers
from stt.hearing import RATE, Pcm
from stt.sound import vad
from stt.sound.contradiction import contradiction, heard_as, look_at
from stt.sound.decode import blocks, declared_rate, measured
from stt.sound.header import Source, WavHeader
from stt.sound.rate import likelier_rate, loudest
from stt.sound.speech import Presence, presence
from stt.sound.vad import WINDOW

T = TypeVar("T")
Arguments = TypeVarTuple("Arguments")

SHORTEST_SECONDS = 0.1
LONGEST_SECONDS = 28.0
"""A longer recording comes in pieces of at most this: Whisper looks at 30 s at a time."""
LONGEST = int(LONGEST_SECONDS * RATE) // WINDOW * WINDOW
STEP = LONGEST // 4 // WINDOW * WINDOW
"""Samples decoded at a time, so that nobody waits long for the same thread."""
PATIENCE_SECONDS = 20.0
"""Time for which a long recording waits for a place."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Part of a recording, and how many seconds come before it."""

    pcm: Pcm
    begin: float = 0.0


@dataclass(frozen=True)
class Recording:
    """A sound that was uploaded.

    Args:
        seconds: How long it is, as far as that can be known before it is decoded.
        speech: Says whether anybody speaks in it.
        contradiction: What its header says and its samples do not bear out; None where they agree.
        other_rate: Says the same of its samples a second, as far as that can be heard, which takes a while.
        pieces: Its sound, from the beginning each time this is called. Of a long one, parts in which nobody speaks are
            left out; and it may turn out to be damaged, or longer than it said: `BadRequest`.
    """

    seconds: float
    pieces: Callable[[], AsyncGenerator[Piece, None]]
    speech: Callable[[], Awaitable[Presence]]
    contradiction: str | None
    other_rate: Callable[[], Awaitable[str | None]]


class Recordings:
    """Reads uploads, off the event loop.

    Args:
        max_seconds: The longest.
        places: How many long ones may be heard at a time.
        queued: How many more may wait.
    """

    def __init__(self, max_seconds: float, places: int, queued: int) -> None:
        self.max_seconds = max_seconds
        self._places = Admission(places, queued, PATIENCE_SECONDS)
        self._executor = workers(cores(), "decode")

    @asynccontextmanager
    async def open(self, file: BinaryIO) -> AsyncIterator[Recording]:
        """Open the recording in `file`, which must stay open as long as it is used.

        Raises:
            BadRequest: No sound that can be decoded, too little, or too much.
            TooBusy: It is long, and so are others that are being heard.
        """
        header, start, said = await self._made(partial(self._start, file))
        if len(start) < LONGEST:
            speech = partial(self._off_loop, presence, start)
            other_rate = partial(self._off_loop, self._other_rate, file, start)
            yield Recording(len(start) / RATE, partial(_whole, start), speech, said, other_rate)
            return
        other_rate = partial(self._off_loop, self._other_rate, file, loudest(start))
        del start  # it is decoded again when somebody listens
        reader = partial(_Reader, file, threading.Lock())
        seconds = await self._made(partial(self._measured, reader))
        since = await self._places.enter()
        try:
            pieces_of = partial(self._pieces, reader, header)
            speech = partial(_speech_among, pieces_of)
            yield Recording(max(seconds, LONGEST_SECONDS), pieces_of, speech, said, other_rate)
        finally:
            self._places.leave(since)

    async def _off_loop(self, work: Callable[[*Arguments], T], *arguments: *Arguments) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work, *arguments)

    async def _made(self, work: Callable[[Stop], Generator[T, None, None]]) -> T:
        async with aclosing(pieces(self._executor, work)) as only:
            return await anext(only)

    def _start(self, file: BinaryIO, stop: Stop) -> Generator[tuple[WavHeader | None, Pcm, str | None], None, None]:
        look = look_at(file)
        header = heard_as(file, look)
        with closing(blocks(file, self.max_seconds, LONGEST, stop, header)) as sound:
            start = next(sound, None)
        if start is None or len(start) < SHORTEST_SECONDS * RATE:
            message = f"Audio file is too short. The least is {SHORTEST_SECONDS} seconds."
            raise BadRequest(message, param="file", code="audio_too_short")
        yield header, start, contradiction(file, look)

    def _other_rate(self, file: BinaryIO, sound: Pcm) -> str | None:
        said = declared_rate(file, self.max_seconds)
        likelier = likelier_rate(loudest(sound), said)
        return None if likelier is None else f"says {said} Hz, sounds like {likelier}"

    def _measured(self, reader: Callable[[], Source], stop: Stop) -> Generator[float, None, None]:
        yield measured(reader(), self.max_seconds, stop)

    async def _pieces(self, reader: Callable[[], Source], header: WavHeader | None) -> AsyncGenerator[Piece, None]:
        """Yield the pieces; the next one is made while one is heard, and no more than that."""
        steps = _Steps(cut(blocks(reader(), self.max_seconds, STEP, header=header)))
        ahead = asyncio.ensure_future(self._next(steps))
        try:
            while (piece := await ahead) is not None:
                ahead = asyncio.ensure_future(self._next(steps))
                yield piece
                del piece
        finally:
            ahead.cancel()
            await asyncio.gather(ahead, return_exceptions=True)
            await asyncio.wrap_future(self._executor.submit(steps.close))

    async def _next(self, steps: "_Steps") -> Piece | None:
        """Return the next piece; None: that was all."""
        loop = asyncio.get_running_loop()
        while not steps.ended:
            piece = await loop.run_in_executor(self._executor, steps.take)
            if piece is not None:
                return piece
        return None


async def _whole(pcm: Pcm) -> AsyncGenerator[Piece, None]:
    yield Piece(pcm)


async def _speech_among(pieces_of: Callable[[], AsyncGenerator[Piece, None]]) -> Presence:
    """Say the same of a long recording, whose pieces are those in which somebody speaks."""
    async with aclosing(pieces_of()) as found:
        async for _ in found:
            return "found"
    return "none"


def cut(sound: Iterator[Pcm]) -> Generator[Piece | None, None, None]:
    """Cut a sound into pieces of at most `LONGEST`, where nobody speaks if that can be.

    Args:
        sound: In blocks of whole windows, but the last.

    Yields:
        None where there is nothing to be heard, or not yet.
    """
    listener, begin = vad.Listener(), 0
    held, likely = np.zeros(0, np.float32), np.zeros(0, np.float32)
    half, end = LONGEST // 2 // WINDOW, LONGEST // WINDOW
    for block in sound:
        held = np.concatenate([held, block])
        likely = np.concatenate([likely, listener.probabilities(block)])
        if len(held) < LONGEST:
            yield None
            continue
        window = half + vad.pause(likely[half:end])
        sample = window * WINDOW
        yield Piece(held[:sample], begin / RATE) if vad.spans(likely[:window], sample) else None
        held, likely, begin = held[sample:], likely[window:], begin + sample
    yield Piece(held, begin / RATE) if vad.spans(likely, len(held)) else None


class _Steps:
    """Lets several threads take the steps of a generator, one after the other."""

    def __init__(self, made: Generator[Piece | None, None, None]) -> None:
        self._made, self._lock = made, threading.Lock()
        self.ended = False

    def take(self) -> Piece | None:
        with self._lock:
            try:
                return next(self._made)
            except StopIteration:
                self.ended = True
                return None

    def close(self) -> None:
        with self._lock:
            self._made.close()


class _Reader(io.RawIOBase):
    """Reads a file that others read too, each at a place of their own."""

    def __init__(self, file: BinaryIO, lock: threading.Lock) -> None:
        self._file, self._lock = file, lock
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        with self._lock:
            self._file.seek(self._at)
            content = self._file.read(size)
            self._at = self._file.tell()
        return content

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        with self._lock:
            self._file.seek(self._at)
            self._file.seek(offset, whence)
            self._at = self._file.tell()
        return self._at
