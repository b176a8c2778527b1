"""What the commands behind make say in the reader's language."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from deploy import doctor, phrases
from deploy.diagnosis import Diagnosis
from deploy.doctor import _engines
from deploy.folotoy_doctor import folotoy
from deploy.guard_doctor import of_guard, of_privacy
from deploy.installation import ROOT, Addresses
from deploy.machine_doctor import docker, nginx, python, room
from deploy.native.status import _width
from deploy.ready import screen

HAN = re.compile("[一-鿿]")
CALLED = re.compile(r'\b(?:phrase|finding|finding_sentences|StepFailed|DeafToChinese)\((?:[^"\n(]*)"(\w+)"')
ENGINES = {
    "stt": [{"name": "whisper", "state": "ready"}],
    "llm": [{"name": "local", "state": "unavailable", "detail": "Nobody."}, {"name": "companion", "state": "ready"}],
    "tts": [{"name": "edge", "state": "loading"}],
}


@pytest.fixture
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


@pytest.mark.usefixtures("chinese")
@pytest.mark.parametrize("bind", ["", "127.0.0.1"])
def test_a_chinese_reader_is_told_in_chinese_what_to_do_next(bind: str) -> None:
    shown = screen(Addresses.of({"TALKBOX_BIND": bind}), "tb-1", ENGINES)

    assert "Talkbox 已启动。" in shown
    assert "由 companion 来想（local 不可用: Nobody）" in shown
    assert "加载完就能说" in shown
    assert ("只是本机" in shown) == bool(bind)
    assert "Talkbox is up" not in shown


@pytest.mark.usefixtures("chinese")
def test_the_doctor_speaks_chinese_to_a_chinese_reader(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def all_of_it() -> Iterator[Diagnosis]:
        for check in (python, nginx, docker, room, folotoy):
            yield from check()
        for service, engines in ENGINES.items():
            yield from _engines(service, engines, is_ready=service != "tts")
        yield from of_guard({"stt": None, "llm": None, "tts": None})
        yield from of_privacy({"stt": {"kept": [], "sent": []}})

    monkeypatch.setattr(doctor, "CHECKS", (all_of_it,))
    assert doctor.main() == 1
    lines = capsys.readouterr().out.splitlines()

    assert lines[-1] == "有 1 处标着“要修”。"
    assert any(line.startswith("要修 tts：edge 还在加载") for line in lines)
    only_names = re.compile(r"(好  |\s+)(Python|nginx|Docker \w+) [\d.]+\S*")
    assert [line for line in lines if line and not HAN.search(line) and not only_names.fullmatch(line)] == []


def texts(entry: Any) -> list[str]:
    return [" ".join(one) if isinstance(one, list) else one for one in entry]


def test_every_phrase_has_its_twin_with_the_same_places() -> None:
    for part in phrases.TABLE.values():
        for code, entry in part.items():
            english, chinese = texts(entry)
            assert sorted(set(places(english))) == sorted(set(places(chinese))), code
            assert [bool(one) for one in entry[0]] == [bool(one) for one in entry[1]] or isinstance(entry[0], str)


def places(text: str) -> list[str]:
    return re.findall(r"\{(\w+)", text)


def test_no_phrase_is_missing_and_none_is_left_over() -> None:
    source = "\n".join(path.read_text("utf-8") for path in [*(ROOT / "deploy").rglob("*.py"), ROOT / "deploy" / "run"])
    known = {*phrases.TABLE["phrases"], *phrases.TABLE["findings"]}
    built = tuple(re.findall(r'phrase\(f"(\w+_)\{', source))

    assert set(CALLED.findall(source)) <= known
    assert {code for code in known if not re.search(rf"\b{code}\b", source) and not code.startswith(built)} == set()


def test_no_code_of_the_table_is_there_twice() -> None:
    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), pairs
        return dict(pairs)

    json.loads((ROOT / "deploy" / "phrases.json").read_text("utf-8"), object_pairs_hook=once)


def test_a_chinese_character_takes_two_columns() -> None:
    assert (_width("llm"), _width("服务（a）")) == (3, 9)
