"""The ground for engines that have a service with an API of its own speak a clause."""

import re
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import TypeVar

from chassis.upstream.json_objects import messages
from chassis.upstream.leniency import Unexpected
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.audio.decode import LEAST_BYTES, AudioDecoder
from tts.audio.pcm import RATE, Sound, pcm
from tts.audio.recognise import NotSound
from tts.engines import Engine
from tts.text.clauses import Lengths
from tts.voices.choose import MANY, Voice
from tts.voices.names import Gender

T = TypeVar("T")
_GENDERS: dict[str, Gender] = {"female": "female", "male": "male"}

FIRST_SOUND_SECONDS = 10.0
"""Longest silence before a clause, if the chain's budget does not end sooner."""
GAP_SECONDS = 4.0
"""Longest silence in the middle of a clause."""


class SoundService(Engine):
    """An engine that is a service with an API of its own.

    A subclass says in `call` what is sent for a clause. Where the sound comes wrapped, in JSON or in events, it also
    overrides `unwrapped`. Whatever the format, its bytes are recognised and decoded here; a `sound` of mp3 passes as it
    comes.
    """

    url: str
    """Address that what is asked is sent to, at the provider's own host."""
    first_byte_seconds = 1.0
    billed = True
    sound: Sound = pcm(RATE)
    speeds = (0.5, 2.0)
    lengths = Lengths()
    ahead = 1
    reads_figures = True
    raw_rate: int | None = None
    """Rate of samples without a header, where the service sends such; None: it does not."""

    voice_names: re.Pattern[str] | None = None
    """Names of voices that it may have though they are not listed, such as cloned ones."""

    def __init__(self, vendor: Vendor, voices: Sequence[Voice], preferred: str = "") -> None:
        """Take the voices that are known from the start.

        Args:
            preferred: Name of the voice that is preferred among those of its language; one that is not in `voices`,
                such as a cloned one, speaks whatever voice is asked for.
        """
        self.vendor, self.voices = vendor, voices
        self.ahead = vendor.limits.spare(self.ahead)
        if preferred:
            found = self._listed(preferred)
            self.voices = [found, *(each for each in voices if each is not found)] if found else [_any(preferred)]

    @abstractmethod
    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        """Return the request for one clause."""

    @property
    def sends_to(self) -> str:
        """The server to which texts are sent."""
        return self.vendor.server_of(self.url)

    async def unwrapped(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the sound as they come.

        Raises:
            ApiError: The answer holds an error instead.
            Unexpected: It holds something else than sound.
        """
        async for piece in self._pieces(reply):
            yield piece

    def messages(self, reply: Reply, kind: type[T]) -> AsyncGenerator[T, None]:
        """Yield the JSON objects of an answer as they come; one that is no `kind` is raised as `Unexpected`."""
        return messages(self._pieces(reply), kind)

    def _pieces(self, reply: Reply) -> AsyncIterator[bytes]:
        return reply.in_time(FIRST_SOUND_SECONDS, GAP_SECONDS, least_bytes=LEAST_BYTES)

    @property
    def detail(self) -> str | None:
        """Text beside the state in /readyz."""
        return self.vendor.detail

    @property
    def likeness(self) -> str:
        """Name in the cache's keys of all that decides how a voice of this service sounds."""
        return self.vendor.name

    def voice(self, name: str) -> Voice | None:
        possible = self.voice_names is not None and self.voice_names.fullmatch(name)
        return self._listed(name) or (_any(name) if possible else None)

    def _listed(self, name: str) -> Voice | None:
        return next((voice for voice in self.voices if voice.name.lower() == name.lower()), None)

    async def refresh_voices(self) -> None:
        """Keep the voices that are known from the start."""

    def accept(self, text: str, voice: Voice) -> None:
        """Take any text; what the service cannot read, it says when it is asked."""

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.vendor.in_turn(lambda key: self.attempt(key, text, voice, speed))) as pieces:
            async for piece in pieces:
                yield piece

    async def attempt(self, key: str, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the samples of one clause, asked for with one key.

        Raises:
            ApiError: The answer is a refusal, or holds one.
        """
        decoder = AudioDecoder(pcm_rate=self.raw_rate or RATE, claims_pcm=self.raw_rate is not None)
        try:
            async with aclosing(self.received(key, text, voice, speed)) as pieces:
                async for piece in pieces:
                    for samples in decoder.feed(piece):
                        yield samples
            for samples in decoder.finish():
                yield samples
        except NotSound as exc:
            raise self.vendor.no_answer(exc.text or b"", "sound") from exc
        except Unexpected as exc:
            raise self.vendor.no_answer(exc.body, "sound") from exc

    async def received(self, key: str, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        """Yield the bytes of the sound of one clause, as the service encodes it and as they come."""
        reply = await self.vendor.send(self.call(key, text, voice, speed), begin_seconds=FIRST_SOUND_SECONDS)
        try:
            async with aclosing(self.unwrapped(reply)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await reply.aclose()

    async def aclose(self) -> None:
        await self.vendor.aclose()


def voices_in(table: str, *, polyglot: bool = False) -> tuple[Voice, ...]:
    """Return the voices of a table: lines such as `zh-CN female: xiaoyun ruoxi`, the preferred ones first.

    Args:
        polyglot: They read other languages than their own too.
    """
    voices = []
    for line in table.strip().splitlines():
        kind, _, names = line.partition(":")
        language, _, said = kind.partition(" ")
        gender = _GENDERS.get(said)
        voices += [Voice(name, language, gender, polyglot=polyglot or language == MANY) for name in names.split()]
    return tuple(voices)


def _any(name: str) -> Voice:
    """Return a voice of which only the name is known."""
    return Voice(name, MANY, polyglot=True)
