"""The example roles in deploy/folotoy are what they claim to be."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from deploy.folotoy_names import TYPES
from deploy.folotoy_roles import roles
from deploy.installation import ROOT, SERVICES

FILE = ROOT / "deploy" / "folotoy" / "providers.json"
NOT_SERVED = {"xiaodu"}
"""Types without a public contract."""


def asked(service: str) -> Iterator[str]:
    for role in roles(FILE):
        assert role[f"{service}_type"].startswith("openai")
        yield role[f"{service}_config"]["model"]


@pytest.mark.parametrize("service", SERVICES)
def test_there_is_a_role_for_each_provider_that_folotoy_names(service: str) -> None:
    assert {*TYPES[service]} - NOT_SERVED - {*asked(service)} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_each_role_asks_an_engine_that_there_is(service: str) -> None:
    tables = {"llm": "llm.request.providers"}
    rows = import_module(tables.get(service, f"{service}.engines.openai.providers")).UPSTREAMS
    engines = import_module(f"{service}.engines").ENGINES

    assert [name for name in asked(service) if name not in engines and rows.known_as(name) not in rows.providers] == []
