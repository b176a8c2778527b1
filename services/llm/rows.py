"""Rows: what the environment and the table of providers say of each upstream."""

import re
from typing import Annotated, Literal

from msgspec import Meta, Struct

from chassis.errors import EngineUnavailable
from chassis.settings import Options, read
from llm.providers import PROVIDERS, Provider

PASS_ON = "*"

Count = Annotated[int, Meta(ge=1)]
Seconds = Annotated[float, Meta(gt=0)]
Temperature = Annotated[float, Meta(ge=0, le=2)]


class RelayOptions(Options, frozen=True, kw_only=True):
    """What holds for every row."""

    prefix = "LLM_"
    max_tokens: Count | Literal["off"] = 200
    """Sent where the caller gives no limit."""
    temperature: Temperature | Literal["off"] = 0.7
    """Sent where the caller gives none."""
    connect_seconds: Seconds = 3.0
    silence_seconds: Seconds = 30.0
    """The longest pause in the middle of a stream; then it counts as broken."""


class RowOptions(Options, frozen=True, kw_only=True):
    """`LLM_<NAME>_…`: one row. Unset, the table of providers speaks."""

    base_url: str | None = None
    api_key: str | None = None
    model: str | None = None
    """Asked for whatever the caller says; `*`: what the caller says."""
    models: tuple[str, ...] = ()
    """What may be picked as `engine/model`; none named: anything."""
    proxy: str | None = None
    """`direct`, or a proxy's address; unset, the environment's."""


class SharedOptions(Options, frozen=True, kw_only=True):
    """`<NAME>_…`: what a row shares with the same provider's rows in the other services."""

    base_url: str | None = None
    api_key: str | None = None


class Row(Struct, frozen=True):
    """One upstream, all questions settled."""

    name: str
    base_url: str
    api_key: str = ""
    model: str | None = None
    models: tuple[str, ...] = ()
    proxy: str | None = None

    @property
    def prefix(self) -> str:
        return prefix(self.name)


def prefix(name: str) -> str:
    """`my-vllm` → `LLM_MY_VLLM_`."""
    return f"LLM_{_variable(name)}_"


def row(name: str) -> Row:
    """What the environment and the table say of `name`.

    Raises:
        EngineUnavailable: Something is missing; the message says which variable to set.
    """
    own, provider = read(RowOptions, prefix=prefix(name)), PROVIDERS.get(name)
    shared_names = provider.also if provider and provider.also else (_variable(name),)
    shared = [read(SharedOptions, prefix=f"{shared_name}_") for shared_name in dict.fromkeys(shared_names)]
    provider = provider or Provider(None, needs_key=False)
    base_url = own.base_url or next((each.base_url for each in shared if each.base_url), None)
    api_key = own.api_key or next((each.api_key for each in shared if each.api_key), "")
    if not (base_url or provider.base_url):
        raise EngineUnavailable(f"Set {prefix(name)}BASE_URL. {provider.hint}".strip())
    if provider.needs_key and not (api_key or base_url):  # an address of one's own may want none
        raise EngineUnavailable(f"Set {shared_names[0]}_API_KEY (or {prefix(name)}API_KEY).")
    if provider.needs_model and not own.model:
        raise EngineUnavailable(f"Set {prefix(name)}MODEL to the name of the model or endpoint you were given.")
    return Row(
        name,
        (base_url or provider.base_url or "").rstrip("/").removesuffix("/chat/completions"),
        api_key,
        None if own.model == PASS_ON else own.model or (own.models[0] if own.models else provider.model),
        own.models,
        own.proxy,
    )


def exists(name: str) -> bool:
    """Whether `name` is known, or a row of the operator's own."""
    return name in PROVIDERS or any(
        read(SharedOptions, prefix=each).base_url is not None for each in (prefix(name), f"{_variable(name)}_")
    )


def usable(name: str) -> bool:
    """Whether nothing is missing for it."""
    try:
        row(name)
    except EngineUnavailable:
        return False
    return True


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
