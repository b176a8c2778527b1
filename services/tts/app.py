"""The service on one page."""

import asyncio
import ctypes
from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.loading import load
from chassis.server.app import create_service
from chassis.settings import SettingError, read
from tts.audio.loudness import Levels
from tts.cache.cache import Cache, CacheOptions
from tts.engines import ENGINES, ROWS, Engine
from tts.engines.openai.providers import UPSTREAMS
from tts.list_voices import voices
from tts.settings import Settings
from tts.speech import speech

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""The C library's numbers for them."""
KEPT_BYTES = 16 * 2**20
LARGEST_CLAUSE_BYTES = 2 * 2**20


def create_app() -> Starlette:
    """What uvicorn calls: settings from the environment, and the engines they name.

    Raises:
        SettingError: A variable cannot be used, or an engine is neither known nor a row of one's own.
    """
    _keep_memory()
    settings = read(Settings)
    for name in settings.engines:
        if name not in ENGINES and not UPSTREAMS.exists(name):
            known = ", ".join(sorted({*ENGINES, *UPSTREAMS.providers}))
            raise SettingError(f"TTS_ENGINES: no engine {name!r}. There are: {known}; or set its BASE_URL.")
    chain: Chain[Engine] = Chain(
        load(settings.engines, ENGINES, ROWS),
        first_byte_seconds=settings.first_byte_seconds,
        last_engine_seconds=settings.last_engine_seconds,
        hedge_seconds=settings.hedge_seconds,
        admission=Admission(settings.max_concurrent, settings.max_queued, settings.first_byte_seconds / 2),
    )
    return assemble(settings, chain, Cache.of(read(CacheOptions)))


def _keep_memory() -> None:
    """What one clause's sound took stays with the process for the next one's: to give it back and to get it anew,
    empty pages, each time, costs about as much as to make the sound louder."""
    if set_option := getattr(ctypes.CDLL(None), "mallopt", None):  # other C libraries have no such thing
        set_option(M_TRIM_THRESHOLD, KEPT_BYTES)
        set_option(M_MMAP_THRESHOLD, LARGEST_CLAUSE_BYTES)


def assemble(settings: Settings, chain: Chain[Engine], cache: Cache | None = None) -> Starlette:
    """Two paths on the shared chassis. Tests bring their own `settings` and `chain`, and a `cache` if they want one."""
    levels = Levels(settings.loudness)
    return create_service(
        settings,
        chain,
        routes=[
            Route(
                "/v1/audio/speech", partial(speech, chain, settings, levels, asyncio.Lock(), cache), methods=["POST"]
            ),
            Route("/v1/audio/voices", partial(voices, chain, settings), methods=["GET"]),
        ],
        door=cache is None,  # what was kept is served however busy we are; the chain refuses the others itself
    )
