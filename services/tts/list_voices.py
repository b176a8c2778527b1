"""Answer GET /v1/audio/voices: list the voices that a caller can name."""

import asyncio
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from chassis.chain.chain import Chain
from tts.engines import Engine
from tts.settings import Settings
from tts.voices.choose import MANY, Voice
from tts.voices.names import voice_traits


async def voices(chain: Chain[Engine], settings: Settings, request: Request) -> Response:
    """Return the operator's own names, and the voices of every engine that is ready."""
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
    """Describe a name of the operator's own by the voice behind it."""
    for engine_name, engine in ready:
        if voice := engine.voice(of):
            return _listed(engine_name, voice) | {"id": name, "name": name, "alias_of": voice.name}
    said = voice_traits(of)
    voice = Voice(of, said.language if said else MANY, said.gender if said else None)
    return _listed(None, voice) | {"id": name, "name": name, "alias_of": of}
