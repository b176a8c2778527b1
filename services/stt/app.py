"""The whole service on one page."""

import re
from functools import partial

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.budgets.key_budgets import KeyBudgets
from chassis.chain.chain import Chain
from chassis.chain.loading import from_settings
from chassis.guard.loading import guard_of_environment
from chassis.process import switch_threads_often
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.model_list import EngineList
from chassis.server.openapi import Described
from chassis.server.privacy import Privacy
from chassis.settings import SettingError, read
from stt.engines import ENGINES, ROWS, Engine
from stt.engines.openai.providers import UPSTREAMS
from stt.settings import Settings
from stt.sound.recording import Recordings
from stt.text.chinese_script import script_of, warm_up
from stt.text.languages import UnknownLanguage, code_of
from stt.transcriber import Transcriber
from stt.transcriptions import transcriptions
from stt.wire import TranscriptionRequest

USUAL_MODELS = re.compile(r"whisper-1|gpt-[\w.-]*transcribe[\w.-]*")
"""OpenAI's names for models that transcribe; they mean the chain, as any other name does."""
_LONG_SHARE = 8
"""One in so many of those listened to at a time may be a long recording: as many as there are cores, by default."""


def create_app() -> Starlette:
    """Make the service from the environment; uvicorn calls this.

    Raises:
        SettingError: A variable cannot be used, or an engine is neither known nor a row of one's own.
    """
    switch_threads_often()
    settings = read(Settings)
    chain: Chain[Engine] = from_settings(settings, ENGINES, ROWS, UPSTREAMS)
    return assemble(settings, chain)


def assemble(settings: Settings, chain: Chain[Engine], keys: KeyOptions | None = None) -> Starlette:
    """Put three paths on the shared chassis. Tests bring their own `settings` and `chain`."""
    language = _default_language(settings)
    script = next((found for name in (settings.language, *settings.languages) if (found := script_of(name))), None)
    warm_up(script)
    keys = read(KeyOptions) if keys is None else keys
    guard, budgets = guard_of_environment(), KeyBudgets(settings, "seconds of sound", settings.key_seconds, keys.names)
    long = max(1, settings.max_concurrent // _LONG_SHARE)
    recordings = Recordings(settings.max_seconds, places=long, queued=settings.max_queued)
    transcriber = Transcriber(chain, recordings, language, script, guard)
    known = EngineList(chain, ("whisper-1",), USUAL_MODELS)
    routes = [
        Route("/v1/audio/transcriptions", partial(transcriptions, transcriber, budgets), methods=["POST"]),
        Route("/v1/models", known.models, methods=["GET"]),
        Route("/v1/models/{id:path}", known.model, methods=["GET"]),
    ]
    gives = ("application/json", "text/plain", "text/event-stream")
    described = {"/v1/audio/transcriptions": Described(TranscriptionRequest, gives, files=("file",))}
    privacy = Privacy("sound", "STT_ENGINES", kept=budgets.keeps, passing=("a recording over 1 MB",))
    return create_service(
        settings,
        chain,
        routes,
        keys=keys,
        described=described,
        privacy=privacy,
        guard=guard,
        at_end=budgets.aclose,
    )


def _default_language(settings: Settings) -> str | None:
    """Return the language that STT_LANGUAGE names, or that STT_LANGUAGES leaves no choice about.

    Raises:
        SettingError: One of them names no language.
    """
    variable = "STT_LANGUAGE"
    try:
        language = code_of(settings.language)
        variable = "STT_LANGUAGES"
        only = {code for name in settings.languages if (code := code_of(name))}
    except UnknownLanguage as exc:
        raise SettingError(f"{variable}: {exc}") from exc
    return language or (only.pop() if len(only) == 1 else None)
