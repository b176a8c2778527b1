"""Parse, speak, encode, respond."""

import asyncio
import base64
import math
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError, NotFound
from chassis.streams import EVENT_STREAM, Stream, close, event
from tts import clauses
from tts.encode import Encoding
from tts.engines import Engine
from tts.language import DENSE, scripts
from tts.sound import RATE, pcm, silence
from tts.speakable import clean, speakable
from tts.voices import Voice, choose
from tts.wire import MEDIA_TYPES, Wanted, parse

PAUSE_SECONDS = 0.25
"""Between clauses of an engine that leaves none of its own."""
NOTHING_SECONDS = 0.3
"""The silence that answers a text with nothing to say."""
LETTERS_PER_TOKEN = 4
TOKENS_PER_SECOND = 20


async def speech(chain: Chain[Engine], language: str, request: Request) -> Response:
    """Sound in the codec asked for, sent as the engine makes it.

    Args:
        language: Of a text whose letters do not tell.

    Raises:
        BadRequest: The body cannot be served, or no engine has a voice for it.
        EngineFailed: No engine gave sound in time. (If one breaks off later, the connection does.)
    """
    wanted = await parse(request)
    spoken = Spoken(wanted, language)
    sound, headers = spoken.nothing(), {}
    if speakable(spoken.text):
        sound = answer = await chain.answer(wanted.model, spoken.by)
        headers = {ENGINE_HEADER: answer.engine}
    if wanted.streamed_as == "sse":
        return Stream(events(sound, spoken, request), media_type=EVENT_STREAM, headers=headers)
    return Stream(sound, media_type=MEDIA_TYPES[wanted.codec], headers=headers)


async def voices(chain: Chain[Engine], request: Request) -> Response:
    """Who can speak: the voices of every engine that is ready."""
    ready = chain.ready_engines()
    await asyncio.gather(*(engine.refresh_voices() for _, engine in ready))
    listed = [
        {"id": voice.name, "name": voice.name, "engine": name, "language": voice.language, "gender": voice.gender}
        for name, engine in ready
        for voice in engine.voices
    ]
    return JSONResponse({"voices": listed})


class Spoken:
    """One answer, whoever gives it."""

    def __init__(self, wanted: Wanted, language: str) -> None:
        self.wanted, self.language = wanted, language
        self.text = clean(wanted.text)
        self._encoding = Encoding(pcm(RATE), wanted.codec)

    async def by(self, engine: Engine, submodel: str | None) -> AsyncIterator[bytes]:
        """What `engine` makes of it, encoded.

        Raises:
            Declined: It cannot read this text, or has no voice for it.
        """
        if submodel is not None:
            told = f"No model {self.wanted.model!r}: ask for an engine alone, or for any other name to use the chain."
            raise NotFound(told, param="model", code="model_not_found")
        asked = self.wanted.voice
        voice = choose(engine.voices, engine.voice(asked), asked, self.text, self.language)
        engine.accept(self.text, voice)
        slowest, fastest = engine.speeds
        speed = min(max(self.wanted.speed, slowest), fastest)
        self._encoding = encoding = Encoding(engine.sound, self.wanted.codec, self.wanted.speed / speed)
        async with aclosing(_joined(engine, clauses.cut(self.text, *engine.clause_bytes), voice, speed)) as pieces:
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
        self._encoding = Encoding(pcm(RATE), self.wanted.codec)
        yield from self._encoding.encode(silence(NOTHING_SECONDS))
        yield from self._encoding.finish()

    def usage(self) -> dict[str, int]:
        """Estimates: a token for every Chinese, Japanese or Korean letter or four others, 20 for a second of sound."""
        dense = sum(count for language, count in scripts(self.text).items() if language in DENSE)
        words = dense + math.ceil((len(self.text) - dense) / LETTERS_PER_TOKEN)
        sound = math.ceil(self._encoding.seconds * TOKENS_PER_SECOND)
        return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}


async def _joined(engine: Engine, pieces: Sequence[str], voice: Voice, speed: float) -> AsyncGenerator[bytes, None]:
    """The clauses one after another, with a pause between them where the engine leaves none."""
    pause = silence(PAUSE_SECONDS / speed, engine.sound.rate) if engine.sound.codec == "pcm" else b""
    begun = False
    for clause in filter(speakable, pieces):
        if begun and pause:
            yield pause
        async with aclosing(engine.speak(clause, voice, speed)) as spoken:
            async for piece in spoken:
                yield piece
                begun = True


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
