from typing import Any

import pytest
from deploy.ears import limits

SPHINX: dict[str, Any] = {"name": "sphinx", "state": "ready", "only": "en"}
WHISPER: dict[str, Any] = {"name": "whisper", "state": "ready"}


def without_whisper(state: str) -> list[dict[str, Any]]:
    return [{"name": "whisper", "state": state}, SPHINX]


@pytest.mark.parametrize("engines", [[], [WHISPER, SPHINX], [WHISPER], [{"name": "whisper", "state": "loading"}]])
def test_where_several_languages_are_heard_or_none_yet_there_is_nothing_to_say(engines: list[dict[str, Any]]) -> None:
    assert limits(engines) is None


@pytest.mark.parametrize("state", ["loading", "unavailable", "resting"])
def test_where_only_english_is_heard_it_says_so_and_what_to_do(state: str) -> None:
    told = limits(without_whisper(state))

    assert told is not None
    assert told.startswith(f"Only English is heard now, by sphinx; whisper is {state}.")
    assert ("make ps" if state == "loading" else "PIP_INDEX_URL") in told


@pytest.mark.parametrize("locale", [{"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "zh_TW", "LANG": "en_US"}])
def test_a_chinese_reader_is_told_in_chinese(locale: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in locale.items():
        monkeypatch.setenv(name, value)
    told = limits(without_whisper("unavailable"))

    assert told is not None
    assert told.startswith("现在只能听英语，由 sphinx 来听；whisper 不可用。")


def test_an_engine_that_hears_chinese_alone_is_named_too() -> None:
    told = limits([{"name": "zipformer", "state": "ready", "only": "zh"}, SPHINX])

    assert told is not None
    assert told.startswith("Only Chinese, English is heard now, by zipformer, sphinx.")


def test_where_whisper_is_not_in_the_chain_its_weights_are_no_remedy_before_it_is() -> None:
    told = limits([{"name": "sensevoice", "state": "unavailable"}, SPHINX])
    assert told is not None
    assert "not in STT_ENGINES" in told

    told = limits(without_whisper("unavailable"))
    assert told is not None
    assert "not in STT_ENGINES" not in told
