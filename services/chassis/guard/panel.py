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
    """Asks the rules, and, of what they let pass, all models at a time.

    Args:
        seconds: Time that the models have for a clause. While one does not answer, hints are enough for the rules.
    """

    def __init__(self, rules: Rules, models: Sequence[GuardModel], seconds: float) -> None:
        self._rules, self.models, self._seconds = rules, models, seconds
        self._away: dict[str, float] = {}

    def look(self, text: str, side: Side) -> Finding:
        """Return what the rules find in a clause, together with what passed of its sentence."""
        return self._rules.look(text, side)

    async def ask(self, text: str, side: Side, child: str) -> Finding:
        """Return what the models find in clauses that the rules let pass; one that is sure is enough.

        Args:
            child: What the child said before an answer, as far as it is known.
        """
        asked = [asyncio.create_task(self._asked(model, text, side, child)) for model in self.models]
        answers: list[Finding | None] = []
        try:
            for each in asyncio.as_completed(asked):
                answers.append(answer := await each)
                if answer is not None and answer.stopped:
                    break
        finally:
            for task in asked:
                task.cancel()
        found = [answer for answer in answers if answer is not None]
        stopped = [kind for answer in found for kind in answer.stopped]
        if not stopped and None in answers:
            stopped = sorted(self._rules.look(text, side).hinted)
        return Finding(tuple(dict.fromkeys(stopped)), frozenset().union(*(answer.hinted for answer in found)))

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
        for model in self.models:
            await model.aclose()
