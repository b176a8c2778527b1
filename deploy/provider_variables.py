"""`python -m deploy.provider_variables`: says of each of FoloToy's provider variables whose it is, as JSON.

It runs with the libraries of the services and asks their own tables. Names are printed, and never values.
"""

import json
import os
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import NamedTuple

from deploy.folotoy_names import TYPES
from deploy.installation import SERVICES
from deploy.phrases import phrase
from deploy.upstreams import TABLES

from chassis.settings import Options, read
from chassis.upstream.folotoy import variables
from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows

_SHARED = ("API_KEY", "BASE_URL")


class SetVariable(NamedTuple):
    """One variable that is set, and what becomes of it.

    Args:
        owner: Service and engine that read it: `llm qianfan`; empty: none does.
        remedy: What to do instead, where it is of no use.
    """

    variable: str
    owner: str
    remedy: str = ""


def set_variables(environ: Mapping[str, str]) -> Iterator[SetVariable]:
    """Yield each variable in `environ` that begins as FoloToy's do, or that is an upstream's and misspelt."""
    owners, retired = known()
    starts = tuple(filter(None, _starts()))
    wrong = list(_misspelt())
    yield from wrong
    rest = {name for name, value in environ.items() if value}.difference(each.variable for each in wrong)
    for name in sorted(rest):
        bare = name.removesuffix("_FILE")
        if bare in retired:
            yield SetVariable(name, "", retired[bare])
        elif bare in owners:
            yield SetVariable(name, owners[bare])
        elif bare.startswith(starts):
            yield SetVariable(name, "", phrase("nothing_reads"))


def _misspelt() -> Iterator[SetVariable]:
    """Yield variables of the upstreams in the chains whose names nobody reads."""
    for service in SERVICES:
        rows: Rows[Provider] = import_module(TABLES[service]).UPSTREAMS
        engines = import_module(f"{service}.engines").ENGINES
        for name in read(import_module(f"{service}.settings").Settings).engines:
            if name not in engines:
                yield from (
                    SetVariable(wrong, "", phrase("called", name=right)) for wrong, right in rows.misspelt(name)
                )


def known() -> tuple[dict[str, str], dict[str, str]]:
    """Return whose each variable is, and the remedy of each that is of no use any more."""
    owners: dict[str, str] = {}
    retired: dict[str, str] = {}
    for service in SERVICES:
        owners[f"{service.upper()}_TYPE"] = service
        rows: Rows[Provider] = import_module(TABLES[service]).UPSTREAMS
        for name, provider in rows.providers.items():
            shared = [f"{start}_{end}" for start in provider.also or (_upper(name),) for end in _SHARED]
            owners |= {each: owners.get(each, f"{service} {name}") for each in (*variables(provider), *shared)}
            retired |= provider.retired
        for name, options in _engines(service):
            fields = options.__struct_fields__
            owners |= {f"{options.prefix}{field.upper()}": f"{service} {name}" for field in fields}
    return owners, retired


def _engines(service: str) -> Iterator[tuple[str, type[Options]]]:
    """Yield engines that have FoloToy's names, each with its settings."""
    engines = import_module(f"{service}.engines").ENGINES
    for name in TYPES[service]:
        if name in engines:
            module = engines[name].partition(":")[0]
            for kind in vars(import_module(module)).values():
                if isinstance(kind, type) and issubclass(kind, Options) and kind.__module__ == module:
                    yield name, kind


def _starts() -> Iterator[str]:
    for service in SERVICES:
        yield from (each.folotoy for each in import_module(TABLES[service]).UPSTREAMS.providers.values())
        yield from (options.prefix for _, options in _engines(service))


def _upper(name: str) -> str:
    return name.upper().replace("-", "_")


def main() -> int:
    print(json.dumps(list(set_variables(os.environ))))
    return 0


if __name__ == "__main__":
    sys.exit(main())
