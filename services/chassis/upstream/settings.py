"""Rows: what the environment, and a service's table of providers, say of each upstream of OpenAI's dialect."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from msgspec import Struct, field

from chassis.errors import EngineUnavailable
from chassis.misspelt import Misspelt, as_sentence, misspelt
from chassis.settings import Options, SettingError, read, variables_set
from chassis.upstream.addresses import AZURE, Address, address
from chassis.upstream.allowance import LimitOptions
from chassis.upstream.folotoy import FoloToyOptions, assembled, folotoys, retired, variables
from chassis.upstream.headers import headers_in
from chassis.upstream.pasted import plain_keys
from chassis.upstream.provider import Provider

_PASS_ON = "*"
KEY = "{key}"
"""The mark in the value of a header that is replaced by the key whose turn it is."""
_JWT = "eyJ"


P = TypeVar("P", bound=Provider)


class RowOptions(Options, frozen=True, kw_only=True):
    """One upstream with OpenAI's API, called `<NAME>` in the chain: `LLM_ENGINES=mine,companion` and
    `LLM_MINE_BASE_URL=http://…/v1`. A dash in the name is an underscore in the variable. Unset means the value of the
    table of known upstreams, if the name is in it."""

    prefix = "<SERVICE>_<NAME>_"
    base_url: str | None = None
    """Address of the upstream, up to and including `/v1`; `?api-version=…` at its end is sent with each request."""
    api_key: str | None = None
    """Key of the upstream, or several separated by commas: one that is refused or at its limit rests alone."""
    model: str | None = None
    """Model to ask for, whatever the caller names; `*`: the model that the caller asks for."""
    models: tuple[str, ...] = ()
    """Models that a caller may pick as `name/model`; empty: any."""
    headers: str = ""
    """Headers sent with each request, as `Name: value, Name: value` or a JSON object. `{key}` in a value is replaced by
    the key, which is then not sent as `Authorization: Bearer`: `api-key: {key}`."""
    ca_file: Path | None = None
    """Certificates (PEM) that are trusted for this upstream beside the public ones: your own authority's, or the
    server's own."""
    proxy: str | None = None
    """Way to the upstream: `direct`, or `http://host:port`; unset: `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`."""


class SharedOptions(Options, frozen=True, kw_only=True):
    """Values that all three services share, such as `OPENAI_API_KEY`; a service's own variable wins."""

    prefix = "<NAME>_"
    base_url: str | None = None
    """Address of the upstream, instead of the known one."""
    api_key: str | None = None
    """Key of the upstream, or several separated by commas: one that is refused or at its limit rests alone."""


class Row(Struct, frozen=True):
    """One upstream, all questions settled.

    Args:
        base_url: Address without a query, to which the path of a question is added.
        prefix: Start of the variables that are this row's alone: `LLM_MY_VLLM_`.
        more_keys: Keys of the same provider, used in turn with `api_key`.
        query: Query of each address, such as `api-version=2024-10-21`.
        preferred: Models to ask for, the best first, where `model` is unknown to the key.
        key_variable: Variable that holds the key, or that should: `MOONSHOT_API_KEY`.
        limits: How often the provider may be asked.
    """

    name: str
    base_url: str
    api_key: str = ""
    model: str | None = None
    models: tuple[str, ...] = ()
    proxy: str | None = None
    prefix: str = ""
    more_keys: tuple[str, ...] = ()
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    ca_file: Path | None = None
    preferred: tuple[str, ...] = ()
    key_variable: str = ""
    limits: LimitOptions = LimitOptions()

    @property
    def api_keys(self) -> tuple[str, ...]:
        return (self.api_key, *self.more_keys) if self.api_key else ()

    def url(self, path: str) -> str:
        """Return the address of what `path` names, such as `/models`."""
        return f"{self.base_url}{path}" + (f"?{self.query}" if self.query else "")

    def headers_with(self, key: str) -> dict[str, str]:
        """Return the headers of a request that shows `key`."""
        headers = {name: value.replace(KEY, key) for name, value in self.headers.items()}
        shown = "authorization" in headers or any(KEY in value for value in self.headers.values())
        return headers if shown or not key else {"authorization": f"Bearer {key}"} | headers


class Rows(Generic[P]):
    """The upstreams of one service.

    Args:
        service: Start of the variables: `LLM` where a row's begin with `LLM_<NAME>_`.
        path: Path of what is asked; an operator may leave it at the end of an address.
        providers: Upstreams that are known.
        unknown: Values of all others.
        spellings: Other names of known ones, in small letters and digits alone.
    """

    def __init__(
        self,
        service: str,
        path: str,
        providers: Mapping[str, P],
        unknown: P,
        spellings: Mapping[str, str] | None = None,
    ) -> None:
        self.service, self.path, self.providers, self.unknown = service, path, providers, unknown
        self._spellings = {_plain(name): name for name in providers} | dict(spellings or {})

    def prefix(self, name: str) -> str:
        """Return the start of a row's variables: `my-vllm` → `LLM_MY_VLLM_`."""
        return f"{self.service}_{_variable(name)}_"

    def known_as(self, name: str) -> str:
        """Return the table's name for `name`, however it is spelled (`one-api`, `Moonshot`); else `name` itself."""
        return name if name in self.providers else self._spellings.get(_plain(name), name)

    def provider(self, name: str) -> P:
        return self.providers.get(self.known_as(name), self.unknown)

    def row(self, name: str) -> Row:
        """Return what the environment and the table say of `name`.

        Raises:
            EngineUnavailable: Something is missing; the message says which variable to set.
            SettingError: A variable cannot be used.
        """
        sources = self._sources(name)
        try:
            sources.check()
        except EngineUnavailable as exc:
            raise EngineUnavailable(" ".join([str(exc), *map(as_sentence, self.misspelt(name))])) from exc
        own, provider, keys, model = sources.own, sources.provider, sources.keys, sources.model
        found = address(sources.address or sources.usual_address or "", self.path, provider.base_url)
        return Row(
            name,
            found.base_url,
            api_key=keys[0] if keys else "",
            model=None if own.model == _PASS_ON else model or provider.model,
            models=own.models,
            proxy=own.proxy,
            prefix=sources.prefix,
            more_keys=keys[1:],
            query=found.query,
            headers=headers_in(own.headers, f"{sources.prefix}HEADERS") or _usual_headers(provider, found, keys),
            ca_file=_existing(own.ca_file, f"{sources.prefix}CA_FILE"),
            preferred=() if model else provider.preferred,
            key_variable=sources.key_variable,
            limits=read(LimitOptions, prefix=sources.prefix),
        )

    def misspelt(self, name: str) -> list[Misspelt]:
        """Return the variables that are set for `name` and that nobody reads, with the names that seem to be meant."""
        shared = (*self.provider(name).also, _variable(self.known_as(name)), _variable(name))
        ends = {f"{start}_": _ends(SharedOptions) for start in shared}
        ends |= {self.prefix(each): _ends(RowOptions, LimitOptions) for each in (self.known_as(name), name)}
        known = frozenset().union(*map(variables, self.providers.values()))
        return list(misspelt(variables_set(), ends, known))

    def exists(self, name: str) -> bool:
        """Tell whether `name` is known, or a row of the operator's own."""
        try:
            return self.known_as(name) in self.providers or any(
                read(SharedOptions, prefix=start).base_url for start in (self.prefix(name), f"{_variable(name)}_")
            )
        except SettingError:  # it is described, though wrongly: `row` will say how
            return True

    def usable(self, name: str) -> bool:
        """Tell whether nothing is missing for `name`."""
        try:
            self.row(name)
        except (EngineUnavailable, SettingError):
            return False
        return True

    def _sources(self, name: str) -> "_Sources":
        prefix, provider = self.prefix(name), self.provider(name)
        own = read(RowOptions, prefix=self.prefix(self.known_as(name)), own=prefix)
        names = (*(provider.also or (_variable(self.known_as(name)),)), _variable(name))
        shared = {each: read(SharedOptions, prefix=f"{each}_") for each in dict.fromkeys(names)}
        return _Sources(prefix, provider, own, folotoys(provider), shared, assembled(provider) or provider.base_url)


class _Sources(Struct, frozen=True):
    """Everything that is said of one upstream: a variable of the row's own, then FoloToy's, then one that the services
    share, then the table of providers.

    Args:
        shared: Variables that the services share, by the start of their names, the first to be asked first.
        usual_address: Address that stands in where the operator writes none.
    """

    prefix: str
    provider: Provider
    own: RowOptions
    folotoys: FoloToyOptions
    shared: Mapping[str, SharedOptions]
    usual_address: str | None

    @property
    def keys(self) -> tuple[str, ...]:
        found = self.own.api_key or self.folotoys.key or _first(each.api_key for each in self.shared.values())
        return plain_keys(found or "")

    @property
    def address(self) -> str | None:
        """The address that the operator writes."""
        shared = _first(each.base_url for each in self.shared.values())
        base_url = self.own.base_url or self.folotoys.api_base or shared
        return self.folotoys.address(base_url, self.provider.api_version)

    @property
    def model(self) -> str | None:
        """The model that the operator names."""
        listed = self.own.models[0] if self.own.models else ""
        return self.own.model or listed or self.folotoys.model or self.folotoys.deployment_name or None

    @property
    def key_variable(self) -> str:
        """The variable that holds the key, or that should."""
        if self.own.api_key:
            return f"{self.prefix}API_KEY"
        if self.folotoys.key:
            return self.provider.folotoy_names.get("key", f"{self.provider.folotoy}KEY")
        return f"{next((name for name, each in self.shared.items() if each.api_key), next(iter(self.shared)))}_API_KEY"

    def check(self) -> None:
        """Raise where something is missing.

        Raises:
            EngineUnavailable: The message says which variable to set.
        """
        provider, keyless = self.provider, not (self.keys or self.own.headers)
        if keyless and (instead := retired(provider)):
            raise EngineUnavailable(instead)
        if not (self.address or self.usual_address):
            raise EngineUnavailable(f"Set {self.prefix}BASE_URL. {provider.hint}".strip())
        if provider.needs_key and keyless and not self.address:  # an address of one's own may want none
            key = provider.folotoy_names.get("key", f"{next(iter(self.shared))}_API_KEY")
            raise EngineUnavailable(f"Set {key} (or {self.prefix}API_KEY).")
        if provider.needs_model and not self.model:
            raise EngineUnavailable(f"Set {self.prefix}MODEL to the name of the model or endpoint you were given.")


def _ends(*options: type[Options]) -> tuple[str, ...]:
    return tuple(field.upper() for kind in options for field in kind.__struct_fields__)


def _existing(file: Path | None, variable: str) -> Path | None:
    """Return the file.

    Raises:
        EngineUnavailable: There is none.
    """
    if file is not None and not file.is_file():
        raise EngineUnavailable(f"There is no file {str(file)!r}. Correct {variable}.")
    return file


def _usual_headers(provider: Provider, found: Address, keys: Sequence[str]) -> Mapping[str, str]:
    """Return the headers that show the key where the operator says nothing: Azure's own, unless it is a token."""
    at_azure = AZURE.fullmatch(found.base_url.split("/")[2].partition(":")[0]) is not None
    usual = {"api-key": KEY} if at_azure else provider.headers
    return {} if any(key.startswith(_JWT) for key in keys) else usual


def _first(values: Iterable[str | None]) -> str | None:
    return next(filter(None, values), None)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _variable(name: str) -> str:
    return re.sub(r"\W", "_", name).upper()
