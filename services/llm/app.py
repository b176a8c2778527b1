"""The whole service on one page."""

from functools import partial
from importlib import import_module

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.chain.admission import Admission
from chassis.chain.chain import Chain
from chassis.chain.loading import load
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.settings import SettingError, read
from llm.budgets.accounts import Accounts
from llm.chat_completions import chat_completions
from llm.engines import ENGINES, ROWS, Engine
from llm.list_models import model, models
from llm.request.body import fields_of
from llm.request.providers import PROVIDERS, UPSTREAMS
from llm.settings import RelayOptions, Settings


def create_app() -> Starlette:
    """What uvicorn calls: settings from the environment, and the engines they name.

    Raises:
        SettingError: A variable cannot be used, or an engine is neither known nor a row of one's own.
    """
    settings = read(Settings)
    fields_of(read(RelayOptions).extra or "{}")  # whatever is wrong with it is better said now
    for name in settings.engines:
        if name not in ENGINES and not UPSTREAMS.exists(name):
            known = ", ".join(sorted({*ENGINES, *PROVIDERS}))
            raise SettingError(f"LLM_ENGINES: no engine {name!r}. There are: {known}; or set its BASE_URL.")
    if any(name not in ENGINES and UPSTREAMS.usable(name) for name in settings.engines):
        import_module(ROWS.partition(":")[0])  # or the first callers would find it loading, and get the companion
    chain: Chain[Engine] = Chain(
        load(settings.engines, ENGINES, ROWS),
        first_byte_seconds=settings.first_byte_seconds,
        last_engine_seconds=settings.last_engine_seconds,
        hedge_seconds=settings.hedge_seconds,
        admission=Admission(settings.max_concurrent, settings.max_queued, settings.first_byte_seconds / 2),
    )
    return assemble(settings, chain)


def assemble(settings: Settings, chain: Chain[Engine], *, keys: KeyOptions | None = None) -> Starlette:
    """Three paths on the shared chassis. Tests bring their own `settings`, `chain` and `keys`."""
    keys = read(KeyOptions) if keys is None else keys
    accounts = Accounts(settings, keys.names)
    return create_service(
        settings,
        chain,
        routes=[
            Route("/v1/chat/completions", partial(chat_completions, chain, settings, accounts), methods=["POST"]),
            Route("/v1/models", partial(models, chain), methods=["GET"]),
            Route("/v1/models/{id:path}", partial(model, chain), methods=["GET"]),
        ],
        keys=keys,
        at_end=accounts.aclose,
    )
