"""Judges beside the rules."""

import asyncio
from typing import Any, cast

import pytest

from chassis.errors import EngineFailed
from chassis.guard.guard import Guard
from chassis.guard.models import GuardModel
from chassis.guard.options import GuardOptions
from chassis.guard.panel import Panel
from chassis.guard.rules import Finding


class Judge:
    """Finds `kinds`, or fails; without any it is silent until it is called off."""

    def __init__(self, name: str, *kinds: str, error: Exception | None = None) -> None:
        self.name, self.kinds, self.error = name, kinds, error
        self.called_off = False

    async def ask(self, *asked: Any) -> Finding:
        if self.error is not None:
            raise self.error
        if self.kinds:
            return Finding(self.kinds, frozenset())
        try:
            await asyncio.Event().wait()
        finally:
            self.called_off = True
        raise AssertionError


def panel(*judges: Judge, seconds: float = 30.0) -> Panel:
    return Panel(Guard(GuardOptions(guard="kids")).rules, cast(list[GuardModel], judges), seconds)


async def test_nobody_waits_for_a_judge_once_another_is_sure() -> None:
    slow = Judge("slow")
    judges = panel(slow, Judge("sure", "violence"))
    async with asyncio.timeout(20):
        found = await judges.ask("A zorgle.", "answered", "")
        await asyncio.sleep(0)

    assert found.stopped == ("violence",)
    assert slow.called_off


@pytest.mark.parametrize("text", ["A pistol.", "A bear."])
async def test_while_a_judge_is_away_hints_are_enough(text: str) -> None:
    found = await panel(Judge("slow"), Judge("dead", error=EngineFailed("away")), seconds=0.05).ask(text, "asked", "")

    assert found.stopped == (("weapons",) if "pistol" in text else ())


async def test_a_caller_who_leaves_calls_the_judges_off() -> None:
    slow = Judge("slow")
    asking = asyncio.create_task(panel(slow).ask("A zorgle.", "answered", ""))
    await asyncio.sleep(0.01)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await asyncio.sleep(0)

    assert slow.called_off
