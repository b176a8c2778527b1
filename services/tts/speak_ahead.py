"""POST /v1/audio/speech/ahead: say a piece of an answer before its caller asks for it.

llm sends the text of a piece with the caller's own key as soon as it is known. The last manner of that key says how it
will be asked for, and the sound waits in the cache. Whoever sends it learns nothing: the answer is empty, whatever
became of it, and comes when there is no more to do.
"""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.budgets.key_budgets import KeyBudgets
from chassis.errors import ApiError
from chassis.server.bodies import parse_json
from chassis.sse import close
from tts.order import Order
from tts.synthesizer import Synthesizer
from tts.wire import MOST_CHARACTERS

AT_A_TIME = 2
"""Pieces spoken ahead at a time; further ones are dropped."""
_MOST_RUNNING = 4
"""Requests under way, those ahead included, from which on nothing is spoken ahead."""


class SpeakAheadRequest(msgspec.Struct):
    """Body of the request."""

    input: str


class SpeakAhead:
    """Speaks pieces that are expected to be asked for, as long as hardly anybody else has to be served."""

    def __init__(self, synthesizer: Synthesizer, budgets: KeyBudgets) -> None:
        self._synthesizer, self._budgets = synthesizer, budgets
        self._under_way = 0

    async def answer(self, request: Request) -> Response:
        """Return 204 once the piece is kept, or will not be spoken.

        Raises:
            BadRequest: The body is no `SpeakAheadRequest`.
        """
        piece = await parse_json(request, SpeakAheadRequest)
        key = request.scope["state"].get("key")
        may_be_said = self._synthesizer.settings.speak_ahead != "off" and len(piece.input) <= MOST_CHARACTERS
        wanted = self._synthesizer.manners.expect(key, piece.input) if may_be_said else None
        if self._synthesizer.cache is not None and wanted is not None and self._is_idle:
            order, _ = await self._synthesizer.order(wanted, key, ahead=True)
            await self._speak(order, key)
        return Response(status_code=204)

    @property
    def _is_idle(self) -> bool:
        admission = self._synthesizer.chain.admission
        most = min(_MOST_RUNNING, admission.concurrent // 2)
        return self._under_way < AT_A_TIME and not admission.waiting and admission.running < most

    async def _speak(self, order: Order, key: str | None) -> None:
        self._under_way += 1
        try:
            await self._budgets.check(key)  # counted when it is asked for
            sound = await self._synthesizer.sound(order, key, ahead=True)
            try:
                async for _ in sound:
                    pass
            finally:
                await close(sound)
        except ApiError:
            pass  # whoever asks for it will be told
        finally:
            self._under_way -= 1
