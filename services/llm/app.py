"""The whole service on one page."""

from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route

from chassis.chain.chain import Chain
from chassis.chain.loading import from_settings
from chassis.guard.loading import guard_of_environment
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.openapi import Described
from chassis.server.privacy import Privacy
from chassis.settings import read
from llm.accounts import Accounts
from llm.chat_completions import chat_completions
from llm.engines import ENGINES, ROWS, Engine
from llm.list_models import model, models
from llm.request.providers import UPSTREAMS
from llm.settings import RelayOptions, Settings, fields_of
from llm.speak_ahead import SpeakAheadOptions, Teller
from llm.wire import ChatRequest

if TYPE_CHECKING:
    from chassis.guard.guard import Guard


def create_app() -> Starlette:
    """Make the service from the environment; uvicorn calls this.

    Raises:
        SettingError: A variable cannot be used, or an engine is neither known nor a row of one's own.
    """
    settings = read(Settings)
    fields_of(read(RelayOptions).extra)  # whatever is wrong with it is better said now
    if any(name not in ENGINES and UPSTREAMS.usable(name) for name in settings.engines):
        import_module(ROWS.partition(":")[0])  # or the first callers would find it loading, and get the companion
    chain: Chain[Engine] = from_settings(settings, ENGINES, ROWS, UPSTREAMS)
    return assemble(settings, chain)


def assemble(
    settings: Settings, chain: Chain[Engine], *, keys: KeyOptions | None = None, guard: "Guard | None" = None
) -> Starlette:
    """Put three paths on the shared chassis. Tests bring their own `settings`, `chain`, `keys` and `guard`."""
    keys = read(KeyOptions) if keys is None else keys
    accounts = Accounts(settings, keys.names)
    teller, guard = Teller.of(read(SpeakAheadOptions)), guard or guard_of_environment()

    async def end() -> None:
        await accounts.aclose()
        if teller is not None:
            await teller.aclose()

    return create_service(
        settings,
        chain,
        routes=[
            Route(
                "/v1/chat/completions",
                partial(chat_completions, chain, settings, accounts, teller, guard),
                methods=["POST"],
            ),
            Route("/v1/models", partial(models, chain), methods=["GET"]),
            Route("/v1/models/{id:path}", partial(model, chain), methods=["GET"]),
        ],
        keys=keys,
        at_end=end,
        privacy=Privacy("words", "LLM_ENGINES", kept=accounts.keeps, sent=() if teller is None else (teller.sends,)),
        guard=guard,
        described={"/v1/chat/completions": Described(ChatRequest, ("application/json", "text/event-stream"))},
    )
