"""Speak through any server with OpenAI's API: each is a row of settings, not code.

`TTS_SILICONFLOW_API_KEY` is the key of the row `siliconflow`; `SILICONFLOW_API_KEY` is too, and is shared with the
other services. The format of the sound is recognised by its bytes, whatever the server calls it.
"""

import asyncio
import copy
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from time import monotonic
from typing import Annotated, Any, Literal, Self

import msgspec
from msgspec import Meta, structs

from chassis.chain.seat import Report
from chassis.errors import ApiError, EngineFailed, NotFound
from chassis.settings import Options, read
from chassis.upstream.question import NamedBy, Question
from chassis.upstream.remote import Remote
from chassis.upstream.reply import Reply
from chassis.upstream.settings import Row
from tts.audio.decode import LEAST_BYTES, AudioDecoder
from tts.audio.pcm import RATE, pcm
from tts.audio.recognise import NotSound
from tts.engines import Engine
from tts.engines.openai.providers import UPSTREAMS, Format, SpeechProvider
from tts.engines.openai.voice_list import voices_in
from tts.text.clauses import Lengths
from tts.voices.choose import MANY, Voice
from tts.voices.language_tags import normal
from tts.voices.names import OPENAI, Gender, voice_traits

_MAX_TEXT_BYTES = 64 * 2**10
LISTED = re.compile(r"(?:([a-z]{2,3}(?:-[a-z0-9]+)*)(?:/(female|male))?=)?(.+)", re.IGNORECASE)
"""Entry of a list of voices: `zh-CN/female=echo`, `zh-CN=echo` or `echo`."""
_TAKES_INSTRUCTIONS = re.compile(r"(?:.*/)?gpt-", re.IGNORECASE)
"""Names of OpenAI's models that take `instructions` and ignore `speed`."""
_VOICES_PATHS = ("/audio/voices", "/audio/speech/voices")
"""Paths of lists of voices: that of most servers, and that of older versions of speaches."""
_VOICES_SECONDS = 2.5
_VOICES_LAST_SECONDS, _VOICES_RETRY_SECONDS = 3600.0, 60.0
_MOST_LIST_BYTES = 2**20

_SPARE = {"instructions": None, "response_format": None}
"""Fields that are left out if a server refuses them; the sound that then comes is recognised by its bytes."""

Seconds = Annotated[float, Meta(gt=0)]
Rate = Annotated[int, Meta(ge=4_000, le=192_000)]


class SpeechOptions(Options, frozen=True, kw_only=True):
    """More settings of a speech server, beside its address, key and model."""

    prefix = "TTS_<NAME>_"
    voice: str | None = None
    """Voice that speaks, whatever voice the caller asks for, except those of `TTS_<NAME>_VOICES`."""
    voices: tuple[str, ...] = ()
    """Voices it has, the preferred ones first: `af_heart`, `zh-CN=NAME` or `zh-CN/female=NAME`."""
    format: Format | None = None
    """Audio format it is asked for; the format of its answer is recognised by the bytes. Unset: `mp3`; `pcm` for openai
    and kokoro."""
    rate: Rate = RATE
    """Samples a second of an answer in raw PCM."""
    speed: Literal["on", "off"] | None = None
    """`off`: it ignores `speed`, so its sound is stretched here. Unset: `off` for `gpt-…` models, else `on`."""
    instructions: str | None = None
    """Manner of speaking, for models that take `instructions`, if the caller gives none."""
    ahead: Annotated[int, Meta(ge=1, le=8)] = 1
    """Clauses it makes while another one plays."""
    connect_seconds: Seconds = 3.0
    """Time to connect."""
    first_audio_seconds: Seconds = 15.0
    """Longest silence before a clause, if the chain's budget does not end sooner."""
    gap_seconds: Seconds = 4.0
    """Longest silence in the middle of a clause."""


class FoloToySpeechOptions(Options, frozen=True, kw_only=True):
    """FoloToy's name for a speech server's voice; those of `SILICONFLOW_TTS_` and `AZURE_OPENAI_TTS_` are read too."""

    prefix = "OPENAI_TTS_"
    voice_name: str = ""
    """Voice that is preferred; one that is not listed, such as a cloned one, speaks whatever voice is asked for."""


@dataclass(frozen=True, kw_only=True)
class Sentence(Question):
    """Text that is to be spoken."""

    fields: dict[str, Any]

    @property
    def spare(self) -> Mapping[str, re.Pattern[str] | None]:
        return _SPARE

    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        kept = {name: value for name, value in self.fields.items() if name not in without}
        return {}, msgspec.json.encode({"model": self.model} | kept)


class OpenAISpeech(Engine):
    """Engine of one row of settings: it asks for speech, and decodes any format of sound."""

    first_byte_seconds = 1.0
    billed = True
    sound = pcm(RATE)
    lengths = Lengths()
    reads_figures = True

    def __init__(self, row: Row, options: SpeechOptions, provider: SpeechProvider) -> None:
        """Raises:
        EngineUnavailable: The address or the key cannot be sent.
        """
        self.row, self.options = row, options
        self.ahead = row.limits.spare(options.ahead)
        self.voices: Sequence[Voice] = [_voice(row, listed) for listed in options.voices or provider.voices]
        self._only = _voice(row, options.voice) if options.voice else None
        self._format: Format = options.format or provider.format
        if self._only and not options.voices:
            self.voices = [self._only]
        self._model = row.model
        self._instructions = options.instructions or ""
        self._own = list(self.voices)
        self._asking = asyncio.Lock()
        self._asked_until = 0.0
        self.speeds = self._speeds()
        self._remote = Remote(
            row,
            "/audio/speech",
            {"content-type": "application/json"},
            connect_seconds=options.connect_seconds,
            settings="BASE_URL, _API_KEY, _MODEL and _VOICE",
        )

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        row, provider = UPSTREAMS.row(name), UPSTREAMS.provider(name)
        options = read(SpeechOptions, prefix=row.prefix)
        theirs = read(FoloToySpeechOptions, prefix=provider.folotoy) if provider.folotoy else FoloToySpeechOptions()
        voices = [each.replace(f"={provider.model}:", f"={row.model}:") for each in provider.voices]
        first = [each for each in voices if _name(each) == theirs.voice_name]
        if theirs.voice_name and not (first or options.voice or options.voices):
            options = structs.replace(options, voice=theirs.voice_name)
        voices.sort(key=lambda each: each not in first)
        return cls(row, options, structs.replace(provider, voices=tuple(voices)))

    async def aclose(self) -> None:
        await self._remote.aclose()

    @property
    def sends_to(self) -> str:
        """The server to which texts are sent."""
        return self._remote.server

    @property
    def detail(self) -> str | None:
        """State of keys, fields and names, for /readyz."""
        return self._remote.detail

    @property
    def likeness(self) -> str:
        return f"{self.row.base_url} {self._model} {self._format} {self._instructions}"

    def model(self, name: str) -> "OpenAISpeech":
        if self.row.models and name not in (*self.row.models, self.row.model):
            listed = ", ".join(f"{self.row.name}/{model}" for model in dict.fromkeys(self.row.models))
            raise NotFound(f"No model {name!r} here. There are: {listed}.", param="model", code="model_not_found")
        other = copy.copy(self)
        other._model = name
        other.speeds = other._speeds()
        return other

    def instructed(self, instructions: str) -> "OpenAISpeech":
        if not (self.options.instructions or _TAKES_INSTRUCTIONS.match(self._model or "")):
            return self  # its model may refuse the field
        other = copy.copy(self)
        other._instructions = instructions
        return other

    def voice(self, name: str) -> Voice | None:
        listed = next((voice for voice in self.voices if voice.name.lower() == name.lower()), None)
        return listed or self._only

    async def refresh_voices(self) -> None:
        """Ask the server for its voices, unless the operator listed them."""
        if self.options.voices or self._only:
            return
        async with self._asking:
            if monotonic() < self._asked_until:
                return
            try:
                async with asyncio.timeout(_VOICES_SECONDS):
                    listed = await self._listed()
            except (EngineFailed, TimeoutError):
                listed = None
            self._asked_until = monotonic() + (_VOICES_RETRY_SECONDS if listed is None else _VOICES_LAST_SECONDS)
            if listed is not None:
                known = {voice.name.lower() for voice in self._own}
                self.voices = [*self._own, *(voice for voice in listed if voice.name.lower() not in known)]

    async def _listed(self) -> list[Voice] | None:
        """Return the voices that the server lists, or None if it has no list that can be read.

        Raises:
            EngineFailed: The server cannot be reached.
        """
        for path in _VOICES_PATHS:
            reply = await self._remote.get(path, silence_seconds=_VOICES_SECONDS)
            try:
                if reply.status == 200 and (listed := voices_in(await reply.read(_MOST_LIST_BYTES))) is not None:
                    return listed
            finally:
                await reply.aclose()
        return None

    def accept(self, text: str, voice: Voice) -> None:
        """Accept any text: the server itself says what it cannot read."""

    async def speak(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        async with self._remote.allowance.place(), aclosing(self._spoken(text, voice, speed)) as sounds:
            async for sound in sounds:
                yield sound

    async def _spoken(self, text: str, voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
        reply = await self._remote.ask(self._question(text, voice, speed))
        decoder = AudioDecoder(pcm_rate=self.options.rate, claims_pcm=self._claims_pcm(reply))
        try:
            seconds = self.options.first_audio_seconds, self.options.gap_seconds
            async for piece in reply.in_time(*seconds, least_bytes=LEAST_BYTES):
                for sound in decoder.feed(piece):
                    yield sound
            for sound in decoder.finish():
                yield sound
        except NotSound as exc:
            raise await self._no_sound(exc, reply) from exc
        finally:
            await reply.aclose()

    def _question(self, text: str, voice: Voice, speed: float) -> "Sentence":
        fields: dict[str, Any] = {"input": text, "voice": voice.name, "response_format": self._format}
        if speed != 1.0:
            fields["speed"] = round(speed, 3)
        if self._instructions:
            fields["instructions"] = self._instructions
        named_by: NamedBy = "row" if self._model == self.row.model else "pick"
        begin_seconds = self.options.first_audio_seconds
        return Sentence(model=self._model or "tts-1", named_by=named_by, fields=fields, begin_seconds=begin_seconds)

    def _claims_pcm(self, reply: Reply) -> bool:
        """Return True if bytes without a signature are taken for samples."""
        return reply.media_type in ("audio/pcm", "audio/l16", "audio/raw", "audio/x-raw") or (
            self._format == "pcm" and reply.media_type in ("", "application/octet-stream")
        )

    def _speeds(self) -> tuple[float, float]:
        disobeys = _TAKES_INSTRUCTIONS.match(self._model or "") and self.options.speed != "on"
        return (1.0, 1.0) if disobeys or self.options.speed == "off" else (0.25, 4.0)

    async def _no_sound(self, exc: NotSound, reply: Reply) -> ApiError:
        """Return the error for a 200 that holds no sound."""
        if exc.text is None:
            return EngineFailed(str(exc))
        try:
            async with asyncio.timeout(self.options.gap_seconds):
                body = exc.text + await reply.read(_MAX_TEXT_BYTES)
        except (EngineFailed, TimeoutError):
            body = exc.text
        return self._remote.no_answer(body, reply, "sound")


def _name(listed: str) -> str:
    match = LISTED.fullmatch(listed)
    assert match is not None
    return match[3]


def _voice(row: Row, listed: str) -> Voice:
    """Return the voice that an entry of `TTS_<NAME>_VOICES` describes."""
    match = LISTED.fullmatch(listed)
    assert match is not None
    language, gender, name = match.groups()
    said = voice_traits(name)
    of: Gender | None = said.gender if said else OPENAI.get(name.lower())
    if gender is not None:
        of = "female" if gender.lower() == "female" else "male"
    language = normal(language) if language else said.language if said else MANY
    return Voice(name, language, of, polyglot=language == MANY)
