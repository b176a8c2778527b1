"""The ground for engines that have a service with an API of its own speak a clause."""

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call, Vendor
from tts.audio.decode import Decoder, NotSound
from tts.audio.pcm import RATE, Sound, pcm
from tts.engines import Engine
from tts.text.clauses import Lengths
from tts.voices.choose import Voice

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

    first_byte_seconds = 1.0
    sound: Sound = pcm(RATE)
    speeds = (0.5, 2.0)
    lengths = Lengths()
    ahead = 1
    reads_figures = True
    raw_rate: int | None = None
    """Rate of samples without a header, where the service sends such; None: it does not."""

    def __init__(self, vendor: Vendor, voices: Sequence[Voice]) -> None:
        self.vendor, self.voices = vendor, voices

    @abstractmethod
    def call(self, key: str, text: str, voice: Voice, speed: float) -> Call:
        """Return the request for one clause."""

    async def unwrapped(self, reply: Reply) -> AsyncIterator[bytes]:
        """Yield the bytes of the sound as they come.

        Raises:
            ApiError: The answer holds an error instead.
        """
        async for piece in self.vendor.pieces(reply, FIRST_SOUND_SECONDS, GAP_SECONDS):
            yield piece

    @property
    def detail(self) -> str | None:
        """Text for /readyz."""
        return self.vendor.detail

    @property
    def likeness(self) -> str:
        """Name in the cache's keys of all that decides how a voice of this service sounds."""
        return self.vendor.name

    def voice(self, name: str) -> Voice | None:
        return next((voice for voice in self.voices if voice.name.lower() == name.lower()), None)

    async def refresh_voices(self) -> None:
        """Keep the voices that are known from the start."""

    def accept(self, text: str, voice: Voice) -> None:
        """Take any text; what the service cannot read, it says when it is asked."""

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        async def call(key: str) -> Call:
            return self.call(key, text, voice, speed)

        reply = await self.vendor.ask(call, begin_seconds=FIRST_SOUND_SECONDS)
        try:
            async with aclosing(self._decoded(reply)) as pieces:
                async for piece in pieces:
                    yield piece
        finally:
            await reply.aclose()

    async def _decoded(self, reply: Reply) -> AsyncGenerator[bytes, None]:
        decoder = Decoder(pcm_rate=self.raw_rate or RATE, claims_pcm=self.raw_rate is not None)
        try:
            async for piece in self.unwrapped(reply):
                for sound in decoder.feed(piece):
                    yield sound
            for sound in decoder.finish():
                yield sound
        except NotSound as exc:
            raise self.vendor.no_answer(exc.text or b"", "sound") from exc

    async def aclose(self) -> None:
        await self.vendor.aclose()
