"""Parse, speak, encode, respond."""

import asyncio
import base64
import math
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain.attempt import Answer
from chassis.chain.chain import ENGINE_HEADER, Chain
from chassis.errors import ApiError, BadRequest
from chassis.server.streams import Stream
from chassis.sse import EVENT_STREAM, close, event
from tts.audio.encode import Encoding
from tts.audio.loudness import Levels
from tts.audio.pcm import RATE, Sound, pcm, silence
from tts.cache.cache import CACHE_HEADER, Cache
from tts.cache.entry import How, Outgoing, key_of
from tts.engines import Engine
from tts.join import Joined
from tts.settings import Settings
from tts.text.clauses import clauses
from tts.text.figures import in_words
from tts.text.language import DENSE, scripts
from tts.text.speakable import clean, speakable, tidy
from tts.voices.choose import MANY, Voice, choose
from tts.voices.names import told
from tts.wire import MEDIA_TYPES, Wanted, parse

NOTHING_SECONDS = 0.3
"""The silence that answers a text with nothing to say."""
LETTERS_PER_TOKEN = 4
TOKENS_PER_SECOND = 20


async def speech(
    chain: Chain[Engine], settings: Settings, levels: Levels, turns: asyncio.Lock, cache: Cache | None, request: Request
) -> Response:
    """Sound in the codec asked for, sent as the engine makes it, or as it was kept.

    Args:
        turns: Held by whoever encodes.

    Raises:
        BadRequest: The body cannot be served, or no engine has a voice for it.
        EngineFailed: No engine gave sound in time. (If one breaks off later, the connection does.)
    """
    wanted = await parse(request)
    spoken = Spoken(wanted, settings, levels, turns)
    sound: Outgoing
    if not speakable(spoken.text):
        sound = Speaking(spoken, spoken.nothing())
    elif cache is None or "no-store" in request.headers.get("cache-control", ""):
        sound = await spoken.begun(chain)
    else:
        sound = await cache.answer(spoken.asked, spoken.keys(chain), partial(spoken.begun, chain))
    told = {ENGINE_HEADER: sound.engine, CACHE_HEADER: sound.how}
    headers = {name: value for name, value in told.items() if value}
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


class Plan(NamedTuple):
    """What an engine is to say, and how."""

    engine: Engine
    """With the model that the caller picked."""
    voice: Voice
    speed: float
    """Within the engine's own; the rest is stretched."""
    text: str


class Spoken:
    """One answer, whoever gives it."""

    def __init__(self, wanted: Wanted, settings: Settings, levels: Levels, turns: asyncio.Lock) -> None:
        self.wanted, self.language = wanted, settings.language
        self._levels, self._turns, self._mp3 = levels, turns, settings.mp3
        self._asked = settings.meant(wanted.voice)
        self._as_written = not (settings.speakable if wanted.speakable is None else wanted.speakable)
        self.text = clean(wanted.text) if self._as_written else tidy(wanted.text)
        self._form = (settings.loudness, self._mp3 if wanted.codec == "mp3" else None)
        self._encoding: Encoding | None = None
        self._plans: dict[Engine, Plan] = {}

    @property
    def asked(self) -> bytes:
        """The same for requests that one answer can serve."""
        wanted = self.wanted
        how = (self._as_written, wanted.speed, wanted.codec, wanted.instructions)
        return key_of(wanted.model, self._asked, self.text, *how)

    def keys(self, chain: Chain[Engine]) -> Iterator[bytes]:
        """Under which it may have been kept: what the first engine that could answer now would say, before that what
        those ahead of it would have said, were they not resting."""
        seats, submodel = chain.pick(self.wanted.model)
        for seat in seats:
            if seat.engine is None:
                continue
            try:
                yield self.key(seat.name, self._plan(seat.engine, submodel))
            except BadRequest:  # declined, most likely; else the chain will say it
                continue
            if seat.state.state == "ready":
                return

    def key(self, name: str, plan: "Plan") -> bytes:
        """Under which to keep what the engine of that name makes of it."""
        how = (plan.speed, self.wanted.speed, self.wanted.codec, self._form)
        return key_of(name, plan.engine.likeness, plan.voice.name, plan.text, *how)

    async def begun(self, chain: Chain[Engine]) -> "Speaking":
        """The first sound is there.

        Raises:
            BadRequest: No engine has a voice for it.
            EngineFailed: No engine gave sound in time.
        """
        return Speaking(self, await chain.answer(self.wanted.model, self.by))

    async def by(self, engine: Engine, submodel: str | None) -> AsyncIterator[bytes]:
        """What `engine` makes of it, encoded.

        Raises:
            Declined: It cannot read this text, or has no voice for it.
        """
        plan = self._plan(engine, submodel)
        engine, voice, speed = plan.engine, plan.voice, plan.speed
        self.plan = plan
        answer = Joined(engine, filter(speakable, clauses(plan.text, engine.lengths)), voice, speed, self._levels)
        encoding = self._begin(answer.sound, self.wanted.speed / speed)
        async with aclosing(answer.pieces()) as pieces:
            async for piece in pieces:
                slices = encoding.encode(piece)
                while (coded := await self._turn(slices, encoding)) is not None:
                    yield coded
        for coded in encoding.finish() if encoding.seconds else self._silence():
            yield coded

    async def _turn(self, slices: Iterator[bytes], encoding: Encoding) -> bytes | None:
        """The next slice. One is encoded in each of the loop's turns, however many callers wait for one: so whoever is
        about to be served from what was kept, or to hear his first sound, waits for one and not for all."""
        if not encoding.begun:
            return next(slices, None)
        async with self._turns:
            coded = next(slices, None)
            await asyncio.sleep(0)
        return coded

    def _plan(self, engine: Engine, submodel: str | None) -> "Plan":
        """What `engine` is to say, and how.

        Raises:
            Declined: It cannot read this text, or has no voice for it.
            NotFound: It has no such model.
        """
        if (plan := self._plans.get(engine)) is not None:
            return plan
        picked = engine if submodel is None else engine.model(submodel)
        voice = choose(picked.voices, picked.voice(self._asked), self._asked, self.text, self.language)
        picked.accept(self.text, voice)
        if self.wanted.instructions:
            picked = picked.instructed(self.wanted.instructions)
        slowest, fastest = picked.speeds
        text = self.text if self._as_written or picked.reads_figures else in_words(self.text, voice.language)
        plan = Plan(picked, voice, min(max(self.wanted.speed, slowest), fastest), text)
        self._plans[engine] = plan
        return plan

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

    @property
    def seconds(self) -> float:
        """How long it has sounded so far."""
        return self._encoding.seconds if self._encoding else 0.0

    def usage(self, seconds: float) -> dict[str, int]:
        """Estimates: a token for every Chinese, Japanese or Korean letter or four others, 20 for a second of sound."""
        dense = sum(count for language, count in scripts(self.text).items() if language in DENSE)
        words = dense + math.ceil((len(self.text) - dense) / LETTERS_PER_TOKEN)
        sound = math.ceil(seconds * TOKENS_PER_SECOND)
        return {"input_tokens": words, "output_tokens": sound, "total_tokens": words + sound}


class Speaking(AsyncIterator[bytes]):
    """It, as it is made."""

    how: How | None = None

    def __init__(self, spoken: Spoken, pieces: AsyncIterator[bytes]) -> None:
        self._spoken, self._pieces = spoken, pieces
        self.engine = pieces.engine if isinstance(pieces, Answer) else None

    @property
    def seconds(self) -> float:
        return self._spoken.seconds

    @property
    def key(self) -> bytes:
        assert self.engine is not None
        return self._spoken.key(self.engine, self._spoken.plan)

    async def __anext__(self) -> bytes:
        return await anext(self._pieces)

    async def aclose(self) -> None:
        await close(self._pieces)


async def events(sound: Outgoing, spoken: Spoken, request: Request) -> AsyncIterator[bytes]:
    """The sound as server-sent events, and what it cost; a failure is an event too, and the last one."""
    try:
        async for piece in sound:
            yield event({"type": "speech.audio.delta", "audio": base64.b64encode(piece).decode()})
    except ApiError as exc:
        request.scope["state"]["error"] = exc
        yield event({"error": exc.body})
    else:
        yield event({"type": "speech.audio.done", "usage": spoken.usage(sound.seconds)})
    finally:
        await close(sound)
