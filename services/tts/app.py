"""The service on one page."""

import re
from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.chain import Chain
from chassis.chain.loading import from_settings
from chassis.guard.loading import guard_of_environment
from chassis.process import keep_freed_memory
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.model_list import EngineList
from chassis.server.openapi import Described
from chassis.server.privacy import Privacy
from chassis.settings import read
from tts.cache.cache import Cache
from tts.cache.settings import CacheOptions
from tts.engines import ENGINES, ROWS, Engine
from tts.engines.openai.providers import UPSTREAMS
from tts.list_voices import voices
from tts.settings import Settings
from tts.speak_ahead import SpeakAhead
from tts.speech import speech
from tts.synthesizer import Synthesizer
from tts.wire import MEDIA_TYPES, SpeechRequest

USUAL_MODELS = re.compile(r"tts-1[\w.-]*|gpt-[\w.-]*-tts[\w.-]*")
"""OpenAI's names for models that speak; they mean the chain, as any other name does."""


def create_app() -> Starlette:
    """Make the service from the environment; uvicorn calls this.

    Raises:
        SettingError: A variable cannot be used, or an engine is neither known nor a row of one's own.
    """
    keep_freed_memory()
    settings = read(Settings)
    chain: Chain[Engine] = from_settings(settings, ENGINES, ROWS, UPSTREAMS)
    return assemble(settings, chain, Cache.of(read(CacheOptions), read(KeyOptions)))


def assemble(
    settings: Settings, chain: Chain[Engine], cache: Cache | None = None, keys: KeyOptions | None = None
) -> Starlette:
    """Put six paths on the shared chassis. Tests bring their own `settings`, `chain`, `cache` and `keys`."""
    keys = read(KeyOptions) if keys is None else keys
    guard, budgets = guard_of_environment(), KeyBudgets(settings, "characters", settings.key_characters, keys.names)
    synthesizer = Synthesizer(settings, chain, cache, guard)
    ahead = SpeakAhead(synthesizer, budgets)
    known = EngineList(chain, ("tts-1", "tts-1-hd"), USUAL_MODELS)
    return create_service(
        settings,
        chain,
        routes=[
            Route("/v1/audio/speech", partial(speech, synthesizer, budgets), methods=["POST"]),
            Route("/v1/audio/speech/ahead", ahead.answer, methods=["POST"], include_in_schema=False),  # for llm alone
            Route("/v1/audio/voices", partial(voices, chain, settings), methods=["GET"]),
            Route("/v1/audio/models", known.bare_models, methods=["GET"]),
            Route("/v1/models", known.models, methods=["GET"]),
            Route("/v1/models/{id:path}", known.model, methods=["GET"]),
        ],
        described={
            "/v1/audio/speech": Described(SpeechRequest, (*MEDIA_TYPES.values(), "text/event-stream")),
        },
        keys=keys,
        at_end=budgets.aclose,
        privacy=Privacy("words", "TTS_ENGINES", kept=(*budgets.keeps, *(() if cache is None else cache.keeps))),
        guard=guard,
        door=cache is None,  # what was kept is served however busy we are; the chain refuses the others itself
    )
