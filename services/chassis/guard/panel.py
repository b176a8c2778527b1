"""The rules, and the models beside them: the first that is sure decides, and without the models the rules do."""

import asyncio
import logging
from collections.abc import Sequence
from time import monotonic

from prometheus_client import Counter

from chassis import metrics
from chassis.errors import ApiError
from chassis.guard.models import GuardModel
from chassis.guard.rules import Finding, Rules, Side

AWAY_SECONDS = 5.0
"""Time for which a model that failed is left alone."""

failures = Counter("talkbox_guard_failures_total", "Times a model of the guard did not answer in time", ["model"])
log = logging.getLogger("talkbox.guard")


class Panel:
    """Asks the rules, and, where they find nothing, all models at a time.

    Args:
        seconds: Time that the models have for a clause. While one does not answer, hints are enough for the rules.
    """

    def __init__(self, rules: Rules, models: Sequence[GuardModel], seconds: float) -> None:
        self._rules, self._models, self._seconds = rules, models, seconds
        self._away: dict[str, float] = {}

    async def judge(self, text: str, side: Side, child: str = "") -> Finding:
        found = self._rules.look(text, side)
        if found.stopped or not self._models:
            return found
        answers = await asyncio.gather(*(self._asked(model, text, side, child) for model in self._models))
        stopped = [kind for answer in answers if answer is not None for kind in answer.stopped]
        hinted = found.hinted.union(*(answer.hinted for answer in answers if answer is not None))
        if not stopped and None in answers:
            stopped = sorted(found.hinted)
        return Finding(tuple(dict.fromkeys(stopped)), hinted, found.topics)

    async def _asked(self, model: GuardModel, text: str, side: Side, child: str) -> Finding | None:
        """Return what a model finds; None where it does not answer in time."""
        if monotonic() < self._away.get(model.name, 0.0):
            return None
        try:
            async with asyncio.timeout(self._seconds):
                return await model.ask(text, side, child)
        except (ApiError, TimeoutError) as exc:
            self._away[model.name] = monotonic() + AWAY_SECONDS
            metrics.of(failures, model.name).inc()
            log.warning("the guard's %s does not answer (%s); the rules decide", model.name, str(exc) or "too slow")
            return None

    async def aclose(self) -> None:
        for model in self._models:
            await model.aclose()
