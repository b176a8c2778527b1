"""However hard recordings are, and however their callers leave: a little later whisper is as quick as at the start."""

import asyncio
import random
from collections.abc import Sequence
from time import monotonic, sleep

import numpy as np

from chassis.threads import Stop
from stt.admission import Full
from stt.engines.whisper.batching import Batching
from stt.engines.whisper.decoding import Decoding, Utterance
from stt.engines.whisper.windows import Again
from stt.hearing import Heard
from stt.sound.speech import Speech

EASY_SECONDS, HARD_SECONDS, QUIET_SECONDS = 0.15, 2.0, 10.0
MIXES, LANES = 500, 20
FASTER = 10.0
STUMBLES = 10
"""How often in a row this machine may be too busy for eight callers at a tenfold pace."""


class Worker:
    """A model that takes its time, `faster` times less of it than it says."""

    workers, grows = 2, False

    def __init__(self, faster: float) -> None:
        self.faster = faster

    def clock(self) -> float:
        return monotonic() * self.faster

    def prepare(self, utterance: Utterance, stop: Stop) -> Decoding | Heard:
        sleep(EASY_SECONDS / 3 / self.faster)
        return Decoding(utterance, Speech(utterance.pcm, ((0, 1),)), 600, [], stop)

    def decode(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        sleep(EASY_SECONDS * (2 + len(decodings)) / 3 / self.faster)
        return [
            Again(decoding, lambda: Heard(language="en"))
            if decoding.utterance.prompt == "hard"
            else Heard(language="en")
            for decoding in decodings
        ]

    def retry(self, decodings: Sequence[Decoding]) -> list[Heard | Again]:
        for decoding in decodings:
            if not decoding.stop:
                sleep(HARD_SECONDS / self.faster)
        return [Heard(language="en") for _ in decodings]


def utterance(kind: str) -> Utterance:
    return Utterance(pcm=np.zeros(1, np.float32), prompt=kind)


def shared(worker: Worker) -> Batching:
    return Batching(worker, pace_seconds=EASY_SECONDS, threads=2, clock=worker.clock)


async def at_once(batching: Batching, *kinds: str) -> int:
    """Return how many of them were refused."""
    answers = await asyncio.gather(*(batching.hear(utterance(kind)) for kind in kinds), return_exceptions=True)
    return sum(isinstance(answer, Full) for answer in answers)


async def test_after_four_hard_recordings_four_easy_ones_are_heard_together_again() -> None:
    batching = shared(Worker(faster=1.0))
    try:
        assert await at_once(batching, *["easy"] * 4) == 0
        await at_once(batching, *["hard"] * 4)

        for _ in range(3):
            began = monotonic()
            assert await at_once(batching, *["easy"] * 4) == 0
            assert monotonic() - began < 2.0
    finally:
        await asyncio.to_thread(batching.close)


async def mixes(worker: Worker, count: int, dice: random.Random) -> None:
    """After each of `count` random mixes and a while of quiet, eight callers are let in, and the pace is the first."""
    batching = shared(worker)

    async def caller() -> None:
        await asyncio.sleep(dice.uniform(0.0, 5.0) / worker.faster)
        kind = dice.choice(["easy", "hard", "abandoned", "hard and abandoned"])
        patience = dice.uniform(0.05, 4.0) / worker.faster if "abandoned" in kind else None
        try:
            async with asyncio.timeout(patience):
                await batching.hear(utterance(kind.split()[0]))
        except (Full, TimeoutError):
            pass

    try:
        for _ in range(count):
            await asyncio.gather(*(caller() for _ in range(dice.randint(1, 12))))
            refused = -1
            for _ in range(STUMBLES):
                await asyncio.sleep(QUIET_SECONDS / worker.faster)
                assert len(batching.pace) == 0
                assert batching.pace.seconds < 1.5 * EASY_SECONDS
                if (refused := await at_once(batching, *["easy"] * 8)) == 0:
                    break
            assert refused == 0
    finally:
        await asyncio.to_thread(batching.close)


async def test_after_any_mix_and_ten_seconds_of_quiet_it_is_as_quick_as_when_it_started() -> None:
    dice = [random.Random(lane) for lane in range(LANES)]
    await asyncio.gather(*(mixes(Worker(FASTER), MIXES // LANES, each) for each in dice))
