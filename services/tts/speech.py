"""Parse, speak, encode, respond."""

import asyncio
import base64
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError
from chassis.streams import EVENT_STREAM, Stream, close, event
from tts.clauses import clauses
from tts.encode import Encoding
from tts.engines import Engine
from tts.figures import in_words
from tts.join import Joined
from tts.language import DENSE, scripts
from tts.loudness import Levels
from tts.names import told
from tts.settings import Settings
from tts.sound import RATE, Sound, pcm, silence
from tts.speakable import clean, speakable, tidy
from tts.voices import MANY, Voice, choose
from tts.wire import MEDIA_TYPES, Wanted, parse

NOTHING_SECONDS = 0.3
"""The silence that answers a text with nothing to say."""
LETTERS_PER_TOKEN = 4
TOKENS_PER_SECOND = 20


async def speech(chain: Chain[Engine], settings: Settings, levels: Levels, request: Request) -> Response:
    """Sound in the codec asked for, sent as the engine makes it.

    Raises:
        BadRequest: The body cannot be served, or no engine has a voice for it.
        EngineFailed: No engine gave sound in time. (If one breaks off later, the connection does.)
    """
    wanted = await parse(request)
    spoken = Spoken(wanted, settings, levels)
    sound, headers = spoken.nothing(), {}
    if speakable(spoken.text):
        sound = answer = await chain.answer(wanted.model, spoken.by)
        headers = {ENGINE_HEADER: answer.engine}
    if wanted.streamed_as == "sse":
        return Stream(events(sound, spoken, request), media_type=EVENT_STREAM, headers=headers)
    return Stream(sound, media_type=MEDIA_TYPES[wanted.codec], headers=headers)


async def voices(chain: Chain[Engine], settings: Settings, request: Request) -> Response:
    """Who can speak: the operator's own names, and the voices of every engine that is ready."""
    ready = chain.ready_engines()
    await asyncio.gather(*(engine.refresh_voices() for _, engine in ready))
    listed = [_listed(name, voice) for name, engine in ready for voice in engine.voices]
    aliases = [_alias(name, of, ready) for name, of in settings.aliases.items()]
    return JSONResponse({"voices": aliases + listed})


def _listed(engine: str | None, voice: Voice) -> dict[str, Any]:
    return {
        "id": voice.name,
        "name": voice.name,
        "engine": engine,
        "language": voice.language,
        "gender": voice.gender,
    }


def _alias(name: str, of: str, ready: Sequence[tuple[str, Engine]]) -> dict[str, Any]:
    """A name of the operator's own, with what is known of the voice behind it."""
    for engine_name, engine in ready:
        if voice := engine.voice(of):
            return _listed(engine_name, voice) | {"id": name, "name": name, "alias_of": voice.name}
    said = told(of)
    voice = Voice(of, said.language if said else MANY, said.gender if said else None)
    return _listed(None, voice) | {"id": name, "name": name, "alias_of": of}


class Spoken:
    """One answer, whoever gives it."""

    def __init__(self, wanted: Wanted, settings: Settings, levels: Levels) -> None:
        self.wanted, self.language = wanted, settings.language
        self._levels, self._mp3 = levels, settings.mp3
        self._asked = settings.meant(wanted.voice)
        self._as_written = not (settings.speakable if wanted.speakable is None else wanted.speakable)
        self.text = clean(wanted.text) if self._as_written else tidy(wanted.text)
        self._encoding: Encoding | None = None

    async def by(self, engine: Engine, submodel: str | None) -> AsyncIterator[bytes]:
        """What `engine` makes of it, encoded.

        Raises:
            Declined: It cannot read this text, or has no voice for it.
        """
        if submodel is not None:
            engine = engine.model(submodel)
        asked = self._asked
        voice = choose(engine.voices, engine.voice(asked), asked, self.text, self.language)
        engine.accept(self.text, voice)
        slowest, fastest = engine.speeds
        speed = min(max(self.wanted.speed, slowest), fastest)
        text = self.text if self._as_written or engine.reads_figures else in_words(self.text, voice.language)
        answer = Joined(engine, filter(speakable, clauses(text, engine.lengths)), voice, speed, self._levels)
        encoding = self._begin(answer.sound, self.wanted.speed / speed)
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                for coded in encoding.encode(piece):
                    yield coded
                    await asyncio.sleep(0)  # others get their turn
        for coded in encoding.finish() if encoding.seconds else self._silence():
            yield coded

    async def nothing(self) -> AsyncIterator[bytes]:
        """A short silence: what a text without a word sounds like."""
        for coded in self._silence():
            yield coded

    def _silence(self) -> Iterator[bytes]:
        encoding = self._begin(pcm(RATE))
        yield from encoding.encode(silence(NOTHING_SECONDS))
        yield from encoding.finish()

    def _begin(self, sound: Sound, stretch: float = 1.0) -> Encoding:
        self._encoding = Encoding(sound, self.wanted.codec, stretch, self._mp3)
        return self._encoding

    def usage(self) -> dict[str, int]:
        """Estimates: a token for every Chinese, Japanese or Korean letter or four others, 20 for a second of sound."""
        dense = sum(count for language, count in scripts(self.text).items() if language in DENSE)
        words = dense + math.ceil((len(self.text) - dense) / LETTERS_PER_TOKEN)
        sound = math.ceil((self._encoding.seconds if self._encoding else 0.0) * TOKENS_PER_SECOND)
        return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}


async def events(sound: AsyncIterator[bytes], spoken: Spoken, request: Request) -> AsyncIterator[bytes]:
    """The sound as server-sent events, and what it cost; a failure is an event too, and the last one."""
    try:
        async for piece in sound:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    except ApiError as exc:
        request.scope["state"]["error"] = exc
        yield event({"error": exc.body})
    else:
        yield event({"type": "speech.audio.done", "usage": spoken.usage()})
    finally:
        await close(sound)
