"""Speak English with a natural voice, offline, by a small model within the package hibari-tts.

The model is loaded when the first sentence is to be spoken, so that a service that never needs it stays small.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import partial
from importlib import import_module
from typing import Any, Self

from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed
from chassis.extras import require
from chassis.script_language import scripts
from chassis.threads import Stop, handed_over, workers
from tts.audio.pcm import RATE, pcm
from tts.engines import Engine
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

HEART = Voice("heart", "en-US", "female")


class Hibari(Engine):
    """Engine with one voice, an American woman's: `heart`, whose weights are in the package."""

    first_byte_seconds = 0.8
    stands_in = True
    works_here = True
    sound = pcm(RATE)
    speeds = (0.5, 2.0)
    lengths = Lengths()
    ahead = 1
    reads_figures = False  # by itself it reads "12 - 7" as a range
    voices = (HEART,)

    def __init__(self, make: Callable[[], Any]) -> None:
        """Args:
        make: Function that loads the model; called once, in the engine's thread.
        """
        self._make = make
        self._model: Any = None
        self._only_thread = workers(1, "hibari")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        require(name, "hibari")
        return cls(lambda: import_module("hibari").Hibari(voice=HEART.name))

    @property
    def detail(self) -> str | None:
        """Text beside "ready" in /readyz."""
        return None if self._model is not None else "loaded when it is needed"

    def voice(self, name: str) -> Voice | None:
        return HEART if name.lower() == HEART.name else None

    async def refresh_voices(self) -> None:
        """Do nothing: there is one voice only."""

    def accept(self, text: str, voice: Voice) -> None:
        if set(scripts(text)) - {""}:
            raise Declined("hibari reads English only, and this text holds other letters.", param="input")

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the sound sentence by sentence."""
        async with aclosing(handed_over(self._only_thread, partial(self._say, text, speed))) as sentences:
            async for samples in sentences:
                yield samples

    async def aclose(self) -> None:
        self._only_thread.shutdown(wait=False, cancel_futures=True)

    def _say(self, text: str, speed: float, put: Callable[[bytes], None], stop: Stop) -> None:
        """Speak one clause; runs in the only thread."""
        try:
            self._model = self._model or self._make()
            for samples in self._model.stream(text, speed=speed):
                if stop:
                    return
                put((samples.clip(-1.0, 1.0) * 32_767.0).astype("<i2").tobytes())
        except Exception as exc:  # whatever the package raises belongs to this sentence
            raise EngineFailed(f"hibari broke off ({type(exc).__name__}).") from exc
