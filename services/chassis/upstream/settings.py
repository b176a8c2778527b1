"""Rows: what the environment, and a service's table of providers, say of each upstream of OpenAI's dialect."""

import re
from collections.abc import Mapping
from typing import Generic, TypeVar

from msgspec import Struct

from chassis.errors import EngineUnavailable
from chassis.settings import Options, read

PASS_ON = "*"


class Provider(Struct, frozen=True):
    """What is known of an upstream, so that no operator need look it up.

    Args:
        base_url: Up to, without, the path of the one thing it is asked; None: only the operator knows.
        model: Asked for unless the operator says otherwise; None: what the caller says.
        needs_key: Whether it answers nobody without one.
        needs_model: Whether only the operator can know its model's name.
        also: Under which other names its key is often kept: `DASHSCOPE` → `DASHSCOPE_API_KEY`.
        hint: What to say where `base_url` is missing.
    """

    base_url: str | None
    model: str | None = None
    needs_key: bool = True
    needs_model: bool = False
    also: tuple[str, ...] = ()
    hint: str = ""


P = TypeVar("P", bound=Provider)


class RowOptions(Options, frozen=True, kw_only=True):
    """One upstream with OpenAI's API, called `<NAME>` in the chain: `LLM_ENGINES=mine,companion` and
    `LLM_MINE_BASE_URL=http://…/v1`. A dash in the name is an underscore in the variable. Unset means the value of the
    table of known upstreams, if the name is in it."""

    prefix = "<SERVICE>_<NAME>_"
    base_url: str | None = None
    """Address of the upstream, up to and including `/v1`."""
    api_key: str | None = None
    """Its key, or several separated by commas: one that is refused or at its limit rests alone."""
    model: str | None = None
    """Its model, whatever the caller asks for; `*`: the model that the caller asks for."""
    models: tuple[str, ...] = ()
    """Models that a caller may pick as `name/model`; empty: any."""
    proxy: str | None = None
    """Way to the upstream: `direct`, or `http://host:port`; unset: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`."""


class SharedOptions(Options, frozen=True, kw_only=True):
    """The same for all three services, such as `OPENAI_API_KEY`; a service's own variable wins."""

    prefix = "<NAME>_"
    base_url: str | None = None
    """Address of the upstream, instead of the known one."""
    api_key: str | None = None
    """Its key, or several separated by commas: one that is refused or at its limit rests alone."""


class Row(Struct, frozen=True):
    """One upstream, all questions settled."""

    name: str
    base_url: str
    api_key: str = ""
    model: str | None = None
    models: tuple[str, ...] = ()
    proxy: str | None = None
    prefix: str = ""
    """Of the variables that are this row's alone: `LLM_MY_VLLM_`."""
    more_keys: tuple[str, ...] = ()
    """Of the same provider, to be used in turn with `api_key`."""

    @property
    def api_keys(self) -> tuple[str, ...]:
        return (self.api_key, *self.more_keys) if self.api_key else ()


class Rows(Generic[P]):
    """The upstreams of one service.

    Args:
        service: `LLM` where a row's variables begin with `LLM_<NAME>_`.
        path: What is asked; an operator may leave it at the end of an address.
        providers: Those that are known.
        unknown: What holds for the others.
    """

    def __init__(self, service: str, path: str, providers: Mapping[str, P], unknown: P) -> None:
        self.service, self.path, self.providers, self.unknown = service, path, providers, unknown

    def prefix(self, name: str) -> str:
        """`my-vllm` → `LLM_MY_VLLM_`."""
        return f"{self.service}_{_variable(name)}_"

    def provider(self, name: str) -> P:
        return self.providers.get(name, self.unknown)

    def row(self, name: str) -> Row:
        """What the environment and the table say of `name`.

        Raises:
            EngineUnavailable: Something is missing; the message says which variable to set.
        """
        prefix, provider = self.prefix(name), self.provider(name)
        own = read(RowOptions, prefix=prefix)
        shared_names = provider.also or (_variable(name),)
        shared = [read(SharedOptions, prefix=f"{shared_name}_") for shared_name in dict.fromkeys(shared_names)]
        base_url = own.base_url or next((each.base_url for each in shared if each.base_url), None)
        api_key = own.api_key or next((each.api_key for each in shared if each.api_key), "")
        if not (base_url or provider.base_url):
            raise EngineUnavailable(f"Set {prefix}BASE_URL. {provider.hint}".strip())
        if provider.needs_key and not (api_key or base_url):  # an address of one's own may want none
            raise EngineUnavailable(f"Set {shared_names[0]}_API_KEY (or {prefix}API_KEY).")
        if provider.needs_model and not own.model:
            raise EngineUnavailable(f"Set {prefix}MODEL to the name of the model or endpoint you were given.")
        api_key, *more_keys = [key for part in api_key.split(",") if (key := part.strip())] or [""]
        return Row(
            name,
            (base_url or provider.base_url or "").rstrip("/").removesuffix(self.path),
            api_key,
            None if own.model == PASS_ON else own.model or (own.models[0] if own.models else provider.model),
            own.models,
            own.proxy,
            prefix,
            tuple(dict.fromkeys(more_keys)),
        )

    def exists(self, name: str) -> bool:
        """Whether `name` is known, or a row of the operator's own."""
        return name in self.providers or any(
            read(SharedOptions, prefix=each).base_url is not None for each in (self.prefix(name), f"{_variable(name)}_")
        )

    def usable(self, name: str) -> bool:
        """Whether nothing is missing for it."""
        try:
            self.row(name)
        except EngineUnavailable:
            return False
        return True


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
