"""The ground for engines that send a recording to a service and get its text back, whole.

Only speech is sent, in a small file; silence ends here. An engine of this kind says how one file is transcribed.
"""

from abc import abstractmethod
from base64 import b64encode
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import httpx

from chassis.errors import Declined, EngineFailed
from chassis.threads import Stop, cores, pieces, workers
from chassis.upstream.leniency import Unexpected, decoded
from chassis.upstream.turns import once
from chassis.upstream.vendor import Call, Vendor
from stt.engines import Engine
from stt.hearing import RATE, Heard, Hints, Pcm, Segment
from stt.sound import speech
from stt.sound.audio_file import Format, Raw, encoded
from stt.sound.speech import Speech
from stt.text.hallucinations import is_invented
from stt.text.languages import guessed
from stt.text.tags import cleaned

SHORT_SECONDS = 10.0
"""A longer recording is given as much more time as it is longer."""
MAX_ANSWER_BYTES = 4 * 2**20

A = TypeVar("A")


@dataclass(frozen=True)
class Clip:
    """A recording as it is sent.

    Args:
        content: The file; see `media_type` for its format.
        seconds: Length of the speech in it.
        patience_seconds: Longest wait for its text.
    """

    name: str
    content: bytes
    media_type: str
    seconds: float
    hints: Hints
    speech: Speech
    patience_seconds: float

    @property
    def base64(self) -> str:
        """The file, as it is written into JSON."""
        return b64encode(self.content).decode()

    def form(
        self, fields: Mapping[str, str | list[str]], *, part: str = "file", media_type: str = ""
    ) -> tuple[str, bytes]:
        """Return the type and the body of a form that holds `fields` and the file."""
        file = (self.name, self.content, media_type or self.media_type)
        request = httpx.Request("POST", "http://form", data=fields, files={part: file})
        return request.headers["content-type"], request.read()


class TextService(Engine):
    """An engine that is a service with an API of its own.

    A subclass sets `format`, `languages` and `most_seconds`, and says in `text_of` how a clip is transcribed.
    """

    first_byte_seconds = 1.0
    url: str
    """Address that what is asked is sent to, at the provider's own host."""
    models: tuple[str, ...] = ()
    format: Format | Raw = "wav"
    languages: frozenset[str] = frozenset()
    """Languages that the service hears; empty where it hears any."""
    most_seconds = 60.0
    """Longest speech that the service takes."""
    sends_hints = True
    """True where the caller's language or words are sent; else a refusal of the request is never the caller's."""
    answer_seconds = 20.0
    """Longest wait for the text of a short recording."""

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
    def sends_to(self) -> str:
        """The server to which recordings are sent."""
        return self.vendor.server_of(self.url)

    @property
    def detail(self) -> str | None:
        """Text beside the state in /readyz."""
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
        text, language = await self._text_of(clip)
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

    async def answer(self, clip: Clip, call: Callable[[str], Call], kind: type[A]) -> A:
        """Return what the service answers to the call of one key, another key's where that is refused.

        Raises:
            ApiError: The meaning of the last refusal, or of an answer that holds no `kind`.
        """

        async def answered(key: str) -> A:
            return await self.decoded(clip, call(key), kind)

        return await once(self.vendor.in_turn, answered)

    async def decoded(self, clip: Clip, call: Call, kind: type[A]) -> A:
        """Return what the service answers to one call.

        Raises:
            ApiError: The meaning of a refusal, or of an answer that holds no `kind`.
        """
        body = await self.vendor.read(call, MAX_ANSWER_BYTES, seconds=clip.patience_seconds)
        try:
            return decoded(body, kind)
        except Unexpected as exc:
            raise self.vendor.no_answer(body, "transcript") from exc

    async def _text_of(self, clip: Clip) -> tuple[str, str | None]:
        try:
            return await self.text_of(clip)
        except Declined as exc:
            if self.sends_hints:
                raise
            raise EngineFailed(f"did not take the recording: {exc}") from exc

    def _packed(self, pcm: Pcm, hints: Hints, stop: Stop) -> Generator[Clip | None, None, None]:
        """Yield the file to send; None if nobody speaks."""
        found = speech.find(pcm, stop)
        if found is None or stop:
            yield None
            return
        patience = self.answer_seconds + max(0.0, found.seconds - SHORT_SECONDS)
        yield Clip(*encoded(found.pcm, self.format), found.seconds, hints, found, patience)
