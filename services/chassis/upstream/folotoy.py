"""Read FoloToy's variables of the upstreams that speak OpenAI's dialect, under whatever name each of them has."""

import re
from urllib.parse import quote

import msgspec

from chassis.settings import Options, read, value_of
from chassis.upstream.provider import Provider

_PLACE = re.compile(r"\{(\w+)\}")


class FoloToyOptions(Options, frozen=True, kw_only=True):
    """FoloToy's own names for the settings of an upstream, so that a block of its compose file works as it is:
    `OPENAI_TTS_KEY`, `SILICONFLOW_TTS_KEY`, `AZURE_OPENAI_TTS_KEY`. A service's own variable wins."""

    prefix = "<TYPE>_"
    api_base: str | None = None
    """Address of the upstream, instead of the known one."""
    key: str | None = None
    """Key of the upstream, or several separated by commas."""
    model: str | None = None
    """Model to ask for, whatever the caller names."""
    deployment_name: str = ""
    """Azure's deployment, at the address of the resource: `https://NAME.openai.azure.com`."""
    api_version: str = ""
    """Version of Azure's API, with a deployment."""

    def address(self, base_url: str | None, usual_version: str) -> str | None:
        """Return `base_url` as far as the deployment, where one is named and not in it already."""
        if not base_url or not self.deployment_name or "/openai/" in base_url:
            return base_url
        query = f"?api-version={self.api_version or usual_version}"
        return f"{base_url.rstrip('/')}/openai/deployments/{quote(self.deployment_name, safe='')}{query}"


def folotoys(provider: Provider) -> FoloToyOptions:
    """Return what FoloToy's variables say of `provider`.

    Raises:
        SettingError: A variable cannot be used.
    """
    usual = read(FoloToyOptions, prefix=provider.folotoy) if provider.folotoy else FoloToyOptions()
    named = {field: text for field, name in provider.folotoy_names.items() if (text := value_of(name))}
    pair = [value_of(name) for name in provider.folotoy_pair]
    if pair and all(pair) and not usual.key:
        named["key"] = ":".join(pair)
    return msgspec.structs.replace(usual, **named)


def assembled(provider: Provider) -> str | None:
    """Return the provider's address where it is made of variables and all of them are set; else None."""
    values = {name: value_of(name) for name in _PLACE.findall(provider.folotoy_base)}
    if not values or not all(values.values()):
        return None
    return _PLACE.sub(lambda place: quote(values[place[1]], safe=""), provider.folotoy_base)


def retired(provider: Provider) -> str:
    """Return a sentence on what to do instead, if a variable is set that its vendor no longer takes; else an empty
    text."""
    found = next((name for name in provider.retired if value_of(name)), None)
    return f"{found} is of no use any more: {provider.retired[found]}" if found else ""


def variables(provider: Provider) -> frozenset[str]:
    """Return the names of FoloToy's variables that describe `provider`."""
    usual = [f"{provider.folotoy}{field.upper()}" for field in provider.folotoy_fields] if provider.folotoy else []
    azure = [f"{provider.folotoy}API_VERSION", f"{provider.folotoy}DEPLOYMENT_NAME"] if provider.api_version else []
    places = _PLACE.findall(provider.folotoy_base)
    names = (*provider.folotoy_names.values(), *provider.folotoy_extra.values())
    return frozenset((*usual, *azure, *provider.folotoy_pair, *names, *places))
