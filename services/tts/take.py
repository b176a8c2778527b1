"""One engine's making of an order: clauses spoken, joined, encoded."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing

from chassis.errors import Declined
from tts.admission import SpeakingPace
from tts.audio.loudness import Levels
from tts.audio.pcm import RATE, pcm, silence
from tts.join import Joined
from tts.order import Order, Plan
from tts.text.aside import aside
from tts.text.clauses import clauses
from tts.text.speakable import speakable

_NOTHING_SECONDS = 0.3
"""Length of the silence that answers a text with nothing to say."""


class Take:
    """An order as one engine speaks it. Engines that race have a take each.

    Args:
        turns: Held by whoever encodes.
        pace: Pace of the engines that work on this machine.
    """

    def __init__(self, order: Order, plan: Plan, levels: Levels, turns: asyncio.Lock, pace: SpeakingPace) -> None:
        self.plan = plan
        self._turns, self._pace = turns, pace
        texts = filter(speakable, clauses(plan.text, plan.engine.lengths))
        self._joined = Joined(plan.engine, texts, plan.voice, plan.speed, levels)
        self._encoding = order.encoding(self._joined.sound, order.wanted.speed / plan.speed)

    @property
    def seconds(self) -> float:
        """Length of the sound so far."""
        return self._encoding.seconds

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the sound in the codec asked for, as the engine makes it.

        Raises:
            TooBusy: The engine works on this machine, and as many are spoken to as can be.
            Declined: The engine made no sound, though there is something to say.
            EngineFailed: The engine broke off.
        """
        if not self.plan.engine.works_here:
            async with aclosing(self._coded(lambda: None)) as pieces:
                async for coded in pieces:
                    yield coded
            return
        with self._pace.speaking() as turn:
            async with aclosing(self._coded(turn.made)) as pieces:
                async for coded in pieces:
                    turn.pause()
                    yield coded
                    turn.go_on()

    async def _coded(self, made: Callable[[], object]) -> AsyncGenerator[bytes, None]:
        """Yield the sound, and call `made` when a piece has come from the engine and begins to leave."""
        await aside(self.plan.text, self._joined.cut)
        async with aclosing(self._joined.pieces()) as pieces:
            async for piece in pieces:
                slices, fresh = self._encoding.encode(piece), True
                while (coded := await self._turn(slices)) is not None:
                    if fresh:
                        made()
                        fresh = False
                    yield coded
        if not self._encoding.seconds:
            raise Declined("The engine made no sound of this text.", param="input")
        for coded in self._encoding.finish():
            yield coded

    async def _turn(self, slices: Iterator[bytes]) -> bytes | None:
        """Encode the next slice.

        One slice is encoded in each turn of the loop, however many callers wait for one, so that a caller who is about
        to get a kept answer or a first sound waits for one slice and not for all.
        """
        if not self._encoding.begun:
            return next(slices, None)
        async with self._turns:
            coded = next(slices, None)
            await asyncio.sleep(0)
        return coded


class Silence:
    """The answer to a text without a word: a short silence that no engine is asked for."""

    def __init__(self, order: Order) -> None:
        self._encoding = order.encoding(pcm(RATE))

    @property
    def seconds(self) -> float:
        """Length of the sound so far."""
        return self._encoding.seconds

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield the silence in the codec asked for."""
        for coded in self._encoding.encode(silence(_NOTHING_SECONDS)):
            yield coded
        for coded in self._encoding.finish():
            yield coded
