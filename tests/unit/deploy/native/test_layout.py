import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest
from deploy.installation import ROOT, SERVICES
from deploy.native import layout
from deploy.native.layout import fingerprint, own_prefixes, service_environment


def prefixes(service: str) -> Iterator[str]:
    """Yield the prefix of every `Options` in a service's code."""
    for source in (ROOT / "services" / service).rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            match node:
                case ast.Assign(targets=[ast.Name(id="prefix")], value=ast.Constant(value=str(prefix))) if prefix:
                    yield prefix


@pytest.mark.parametrize("service", SERVICES)
def test_every_prefix_of_a_service_restarts_that_service_alone(service: str) -> None:
    found = set(prefixes(service))

    assert found
    for prefix in found - {"<TYPE>_"}:  # a provider's own name, as in its keys, which several services may use
        assert prefix.startswith(own_prefixes(service)), prefix


def test_every_engine_has_settings_of_its_name() -> None:
    for service in SERVICES:
        for name in {*import_module(f"{service}.engines").ENGINES} - {"companion"}:  # which has none
            assert f"{name.upper().replace('-', '_')}_" in own_prefixes(service)


def test_a_change_of_the_local_mind_leaves_ears_and_mouth_alone() -> None:
    before, after = {"GGUF_MODEL": "a.gguf"}, {"GGUF_MODEL": "b.gguf"}

    changed = [service for service in SERVICES if fingerprint(service, before) != fingerprint(service, after)]

    assert changed == ["llm"]


def test_the_guard_concerns_every_service_and_so_does_one_of_its_lists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for service in SERVICES:
        assert fingerprint(service, {"GUARD": "kids"}) != fingerprint(service, {})
    lists = tmp_path / "services" / "chassis" / "guard"
    lists.mkdir(parents=True)
    for service in SERVICES:
        own_prefixes(service)  # read while the code is where it is
    monkeypatch.setattr(layout, "ROOT", tmp_path)
    (lists / "en.toml").write_text("[fire]")
    before = {service: fingerprint(service, {}) for service in SERVICES}
    (lists / "en.toml").write_text("[water]")

    assert [service for service in SERVICES if fingerprint(service, {}) == before[service]] == []


def test_a_key_in_somebodys_shell_does_not_reach_a_service() -> None:
    seen = service_environment({"PATH": "/bin", "OPENAI_API_KEY": "secret", "STT_ENGINES": "whisper", "LC_ALL": "C"})

    assert seen["PATH"] == "/bin"
    assert seen["LC_ALL"] == "C"
    assert "secret" not in seen.values()
    assert seen["MODELS_DIR"]
