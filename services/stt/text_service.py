"""The ground for engines that send a recording to a service and get its text back, whole.

Only speech is sent, in a small file; silence ends here. An engine of this kind says how one file is transcribed.
"""

from abc import abstractmethod
from collections.abc import AsyncIterator, Generator
from contextlib import aclosing
from dataclasses import dataclass

from chassis.errors import Declined
from chassis.threads import Stop, pieces, workers
from chassis.upstream.vendor import Vendor
from stt.engines import Engine
from stt.hearing import RATE, Heard, Hints, Pcm, Segment
from stt.machine import cores
from stt.sound import speech
from stt.sound.audio_file import Format, encoded
from stt.sound.speech import Speech
from stt.text.hallucinations import is_invented
from stt.text.tags import cleaned, guessed

ANSWER_SECONDS = 20.0
"""Longest wait for the text of a short recording."""
SHORT_SECONDS = 10.0
"""A longer recording is given as much more time as it is longer."""
MAX_ANSWER_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Clip:
    """A recording as it is sent.

    Args:
        content: The file; see `media_type` for its format.
        seconds: Length of the speech in it.
    """

    name: str
    content: bytes
    media_type: str
    seconds: float
    hints: Hints
    speech: Speech

    @property
    def patience_seconds(self) -> float:
        """Longest wait for its text."""
        return ANSWER_SECONDS + max(0.0, self.seconds - SHORT_SECONDS)


class TextService(Engine):
    """An engine that is a service with an API of its own.

    A subclass sets `format`, `languages` and `most_seconds`, and says in `text_of` how a clip is transcribed.
    """

    first_byte_seconds = 1.0
    models: tuple[str, ...] = ()
    format: Format = "wav"
    languages: frozenset[str] = frozenset()
    """Languages that it hears; empty: any."""
    most_seconds = 60.0
    """Longest speech that the service takes."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor = vendor
        self._executor = workers(cores(), vendor.name)

    @abstractmethod
    async def text_of(self, clip: Clip) -> tuple[str, str | None]:
        """Return the text of a clip, and its language where the service says it. Empty text: no words.

        Raises:
            ApiError: The service refused, or broke off.
        """

    @property
    def detail(self) -> str | None:
        """Text for /readyz."""
        return self.vendor.detail

    def hears(self, language: str | None) -> bool:
        return language is None or not self.languages or language in self.languages

    async def transcribe(self, pcm: Pcm, hints: Hints) -> AsyncIterator[Heard]:
        if not self.hears(hints.language):
            raise Declined(f"{self.vendor.name} does not hear {hints.language!r}.", param="language")
        async with aclosing(pieces(self._executor, lambda stop: self._packed(pcm, hints, stop))) as only:
            clip = await anext(only)
        if clip is None:
            yield Heard(language=hints.language or "en")
            return
        if clip.seconds > self.most_seconds:
            raise Declined(f"{self.vendor.name} takes {self.most_seconds:g} s of speech at most.", param="file")
        text, language = await self.text_of(clip)
        text, tagged = cleaned(text)
        language = hints.language or language or tagged or guessed(text)
        if not text.strip() or (not clip.speech.sure and is_invented(text)):
            yield Heard(language=language)
            return
        begin, end = clip.speech.spans[0][0] / RATE, clip.speech.spans[-1][1] / RATE
        yield Heard(language=language, segments=(Segment(start=begin, end=end, text=text.strip()),))

    async def aclose(self) -> None:
        self._executor.shutdown(wait=False, cancel_futures=True)
        await self.vendor.aclose()

    def _packed(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Clip | None, None, None]:
        """Yield the file to send; None if nobody speaks."""
        found = speech.find(pcm, stop)
        if found is None or stop:
            yield None
            return
        yield Clip(*encoded(found.pcm, self.format), found.seconds, hints, found)
