"""`make up` and `make talk` in the reader's language."""

import pytest
from deploy import phrases
from deploy.installation import Addresses
from deploy.ready import screen

ENGINES = {
    "stt": [{"name": "whisper", "state": "ready"}],
    "llm": [{"name": "local", "state": "unavailable", "detail": "Nobody."}, {"name": "companion", "state": "ready"}],
    "tts": [{"name": "edge", "state": "loading"}],
}


@pytest.mark.parametrize("bind", ["", "127.0.0.1"])
def test_a_chinese_reader_is_told_in_chinese_what_to_do_next(monkeypatch: pytest.MonkeyPatch, bind: str) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    shown = screen(Addresses.of({"TALKBOX_BIND": bind}), "tb-1", ENGINES)

    assert "Talkbox 已启动。" in shown
    assert "由 companion 来想（local 不可用: Nobody）" in shown
    assert "加载完就能说" in shown
    assert ("只是本机" in shown) == bool(bind)
    assert "Talkbox is up" not in shown


def test_every_phrase_has_the_same_places_in_both_languages() -> None:
    for name, (english, chinese) in phrases._PHRASES.items():
        assert sorted(set(places(english))) == sorted(set(places(chinese))), name


def places(text: str) -> list[str]:
    return [part.partition("}")[0] for part in text.split("{")[1:]]
