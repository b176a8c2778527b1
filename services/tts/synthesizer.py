"""Makes orders of requests, and sound of orders, with all that the requests of this service share."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from chassis import metrics
from chassis.chain.answer import Answer, Work
from chassis.chain.chain import Chain
from chassis.errors import Declined
from tts.admission import SpeakingPace
from tts.audio.loudness import Levels
from tts.cache.cache import Cache
from tts.cache.entry import How, Outgoing
from tts.engines import Engine
from tts.order import Order
from tts.recent import RecentLanguages, RecentManners
from tts.settings import Settings
from tts.take import Silence, Take
from tts.text.aside import aside
from tts.text.speakable import speakable, tidy
from tts.wire import CheckedRequest

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


class Synthesizer:
    """Speaks for all callers of the service.

    Args:
        cache: Keeps what was spoken; None: nothing is kept.
        guard: Judges a text before it is spoken; None: it is off.
    """

    def __init__(
        self, settings: Settings, chain: Chain[Engine], cache: Cache | None, guard: "Guard | None" = None
    ) -> None:
        self.settings, self.chain, self.cache = settings, chain, cache
        self.manners = RecentManners()
        self._guard, self._languages = guard, RecentLanguages()
        self._levels, self._pace = Levels(settings.loudness), SpeakingPace()
        self._turns = asyncio.Lock()  # held by the answer that encodes a slice

    async def order(self, wanted: CheckedRequest, key: str | None, *, ahead: bool = False) -> tuple[Order, str | None]:
        """Return what is to be spoken for a request of the caller with this key, and the kind of risk found in it.

        A text that does not pass the guard is replaced by a kind sentence.

        Args:
            ahead: Nobody has asked for it yet; the guard counts it once somebody does.
        """
        wanted, kind = await self._fit_for_a_child(wanted, key, counts=not ahead)
        hint = self._languages.get(key, wanted.voice)
        return await aside(wanted.text, partial(Order.planned, wanted, self.settings, hint, self.chain)), kind

    async def sound(self, order: Order, key: str | None, *, kept: bool = True, ahead: bool = False) -> Outgoing:
        """Return the sound of an order as it was kept, or once an engine has given the first of it.

        Args:
            kept: The sound may come from the cache, and be kept in it.
            ahead: Nobody has asked for it yet.

        Raises:
            BadRequest: No engine has a voice for it.
            TooBusy: No place in time.
            EngineFailed: No engine gave sound in time.
        """
        if not speakable(order.text):
            return Unspoken(Silence(order))
        begin = partial(self._begin, order, ahead=ahead)
        if self.cache is None or not kept:
            return await begin()
        return await self.cache.answer(order.shared_key, order.keys(self.chain), begin, caller=key or "", ahead=ahead)

    def remember(self, order: Order, key: str | None) -> None:
        """Note the language and the manner of an order, for the next pieces of the same caller."""
        if (language := order.language_told) is not None:
            self._languages.note(key, order.wanted.voice, language)
        self.manners.note(key, order.wanted)

    async def _fit_for_a_child(
        self, wanted: CheckedRequest, key: str | None, *, counts: bool
    ) -> tuple[CheckedRequest, str | None]:
        if self._guard is None or (watch := self._guard.watch(key)) is None:
            return wanted, None
        watch.counts = counts
        if watch.stops and not watch.harmless(wanted.instructions, "answered"):
            wanted = replace(wanted, instructions="")
        verdict = None
        for text in dict.fromkeys((wanted.text, await aside(wanted.text, partial(tidy, wanted.text)))):
            if watch.noted is None:
                verdict = await watch.judge(text, "answered")  # as it is written, and as it is spoken
        kind = None if watch.noted is None else watch.noted.kind
        return (wanted if verdict is None else replace(wanted, text=watch.sentence(verdict, wanted.text))), kind

    async def _begin(self, order: Order, *, ahead: bool) -> "Speaking":
        """Return once an engine has given its first sound."""

        def work(engine: Engine, submodel: str | None) -> Work[bytes, Take]:
            if ahead and engine.billed and self.settings.speak_ahead != "all":
                raise Declined("This engine may cost money, and speaks what is asked for.")
            take = Take(order, order.plan(engine, submodel), self._levels, self._turns, self._pace)
            return Work(take.pieces(), take)

        return Speaking(order, await self.chain.answer(order.wanted.model, work))


class Speaking(AsyncIterator[bytes]):
    """An answer that an engine is making."""

    how: How | None = None

    def __init__(self, order: Order, answer: Answer[bytes, Take]) -> None:
        self._answer, self._closed = answer, False
        self.engine = answer.engine
        self.key = order.key(answer.engine, answer.record.plan)

    @property
    def seconds(self) -> float:
        return self._answer.record.seconds

    async def __anext__(self) -> bytes:
        return await anext(self._answer)

    async def aclose(self) -> None:
        if not self._closed:
            self._closed = True
            metrics.of(metrics.sound_seconds, self.engine).inc(self.seconds)
            await self._answer.aclose()


class Unspoken(AsyncIterator[bytes]):
    """An answer that no engine makes."""

    engine: str | None = None
    how: How | None = None

    def __init__(self, silence: Silence) -> None:
        self._silence, self._pieces = silence, silence.pieces()

    @property
    def seconds(self) -> float:
        return self._silence.seconds

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        await self._pieces.aclose()
