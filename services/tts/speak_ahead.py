"""POST /v1/audio/speech/ahead: say a piece of an answer before its caller asks for it.

llm sends the text of a piece with the caller's own key as soon as it is known. The last manner of that key says how it
will be asked for, and the sound waits in the cache. Whoever sends it learns nothing: the answer is empty, whatever
became of it, and comes when there is no more to do.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.chain import Chain
from chassis.errors import ApiError, Declined
from chassis.server.bodies import parse_json
from chassis.sse import close
from tts.audio.loudness import Levels
from tts.cache.cache import Cache
from tts.engines import Engine
from tts.order import Order
from tts.pace import Pace
from tts.recent import RecentLanguages, RecentManners
from tts.settings import Settings
from tts.speech import Speaking, begun, fit_for_a_child
from tts.text.aside import aside
from tts.text.speakable import speakable
from tts.wire import MOST_CHARACTERS

if TYPE_CHECKING:
    from chassis.guard.guard import Guard

AT_A_TIME = 2
"""Pieces spoken ahead at a time; further ones are dropped."""
MOST_RUNNING = 4
"""Requests under way, those ahead included, from which on nothing is spoken ahead."""


class SpeakAheadRequest(msgspec.Struct):
    """Body of the request."""

    input: str


class SpeakAhead:
    """Speaks pieces that are expected to be asked for, as long as hardly anybody else has to be served."""

    def __init__(
        self,
        chain: Chain[Engine],
        settings: Settings,
        levels: Levels,
        turns: asyncio.Lock,
        pace: Pace,
        cache: Cache | None,
        recent: RecentLanguages,
        manners: RecentManners,
        guard: "Guard | None",
        budgets: KeyBudgets,
    ) -> None:
        self._chain, self._settings, self._cache = chain, settings, cache
        self._levels, self._turns, self._pace = levels, turns, pace
        self._recent, self._manners, self._guard = recent, manners, guard
        self._budgets = budgets
        self._under_way = 0

    async def answer(self, request: Request) -> Response:
        """Return 204 once the piece is kept, or will not be spoken.

        Raises:
            BadRequest: The body is no `SpeakAheadRequest`.
        """
        piece = await parse_json(request, SpeakAheadRequest)
        key = request.scope["state"].get("key")
        may_be_said = self._settings.speak_ahead != "off" and len(piece.input) <= MOST_CHARACTERS
        wanted = self._manners.expect(key, piece.input) if may_be_said else None
        if self._cache is not None and wanted is not None and self._is_idle:
            wanted, _ = await fit_for_a_child(wanted, self._guard, key)
            hint = self._recent.get(key, wanted.voice)
            order = await aside(wanted.text, partial(Order.planned, wanted, self._settings, hint, self._chain))
            if speakable(order.text):
                await self._spoken(self._cache, order, key or "")
        return Response(status_code=204)

    @property
    def _is_idle(self) -> bool:
        admission = self._chain.admission
        most = min(MOST_RUNNING, admission.concurrent // 2)
        return self._under_way < AT_A_TIME and not admission.waiting and admission.running < most

    def _check(self, engine: Engine) -> None:
        """Raise `Declined` for an engine that shall not speak before anybody asks."""
        if engine.billed and self._settings.speak_ahead != "all":
            raise Declined("This engine may cost money, and speaks what is asked for.")

    async def _spoken(self, cache: Cache, order: Order, caller: str) -> None:
        begin: Callable[[], Awaitable[Speaking]] = partial(
            begun, self._chain, order, self._levels, self._turns, self._pace, check=self._check
        )
        self._under_way += 1
        try:
            await self._budgets.check(caller or None)  # counted when it is asked for
            sound = await cache.answer(order.shared_key, order.keys(self._chain), begin, caller=caller, ahead=True)
            try:
                async for _ in sound:
                    pass
            finally:
                await close(sound)
        except ApiError:
            pass  # whoever asks for it will be told
        finally:
            self._under_way -= 1
