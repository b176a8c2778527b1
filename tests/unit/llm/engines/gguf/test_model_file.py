from pathlib import Path

import pytest

from chassis.errors import EngineUnavailable
from chassis.weights.hub import HubOptions
from imitations.hub import running
from llm.engines.gguf import engine
from llm.engines.gguf.engine import Gguf
from llm.engines.gguf.model_file import find


def test_without_a_model_it_says_what_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GGUF_MODEL", raising=False)
    monkeypatch.setattr(engine, "require", lambda *names: None)

    with pytest.raises(EngineUnavailable, match="Set GGUF_MODEL"):
        Gguf.load("gguf", lambda doing, part: None)


@pytest.mark.parametrize("name", ["Qwen/Qwen3-0.6B-GGUF:q8_0", "Qwen/Qwen3-0.6B-GGUF/Qwen3-0.6B-Q8_0.gguf"])
def test_a_model_at_a_hub_is_fetched_alone_of_its_kind(tmp_path: Path, name: str) -> None:
    files = {"Qwen3-0.6B-Q8_0.gguf": b"q8" * 9000, "Qwen3-0.6B-F16.gguf": b"f16" * 9000, "README.md": b"x"}
    with running({"Qwen/Qwen3-0.6B-GGUF": files}) as hub:
        options = HubOptions(hf_endpoint=hub.url, modelscope_endpoint=hub.url, models_dir=tmp_path)
        path = find(name, lambda doing, part: None, options)
        asked_before = len(hub.asked)
        again = find(name, lambda doing, part: None, options)

    assert path == again
    assert path.read_bytes() == files["Qwen3-0.6B-Q8_0.gguf"]
    assert len(hub.asked) == asked_before
    assert not list(tmp_path.rglob("*F16*"))


@pytest.mark.parametrize(
    "name", ["/nowhere/model.gguf", "model.gguf", "owner/name", "../../etc/passwd:x", "a/b/../c.gguf"]
)
def test_a_name_that_is_neither_a_file_nor_at_a_hub_reaches_nobody(tmp_path: Path, name: str) -> None:
    with running({}) as hub:
        options = HubOptions(hf_endpoint=hub.url, modelscope_endpoint=hub.url, models_dir=tmp_path)
        with pytest.raises(EngineUnavailable, match="GGUF_MODEL"):
            find(name, lambda doing, part: None, options)
        assert all("passwd" not in path for path, _ in hub.asked)
