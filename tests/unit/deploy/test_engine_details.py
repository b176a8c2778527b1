"""What engines say of their state is told to a Chinese reader in Chinese, on the page and behind make."""

import re
from collections.abc import Iterator
from importlib import import_module

import pytest
from deploy.engine_details import detail_in_words

from chassis.errors import EngineUnavailable
from chassis.settings import SettingError
from llm.engines import ENGINES as MINDS
from llm.engines import ROWS as MIND_ROWS
from llm.request.providers import PROVIDERS as MIND_PROVIDERS
from stt.engines import ENGINES as EARS
from stt.engines import ROWS as EAR_ROWS
from stt.engines.openai.providers import PROVIDERS as EAR_PROVIDERS
from tts.engines import ENGINES as MOUTHS
from tts.engines import ROWS as MOUTH_ROWS
from tts.engines.openai.providers import PROVIDERS as MOUTH_PROVIDERS

HAN = re.compile("[一-鿿]")
ENGLISH_WORDS = re.compile(r"(?<![\w/.:-])[A-Za-z]+ [a-z]+ [a-z]+(?![\w/.:-])")
NEED_NOTHING = {"whisper", "sphinx", "local", "companion", "edge", "edge-tts", "espeak", "flite", "hibari"} | {
    *("chatglm", "lmstudio", "ollama", "vllm"),
    *("faster-whisper", "sensevoice-server", "speaches"),
    *("emotivoice", "kokoro"),
}
SAID = {
    "not tried yet": "还没用过",
    "1 of 2 keys rest; asks qwen-flash without top_p, seed": (
        "2 个密钥里有 1 个暂停使用；问 qwen-flash 时不带 top_p, seed"
    ),
    "downloading model.bin, 3 of 145 MB": "正在下载 model.bin，145 MB 里已有 3 MB",
    "refused access with this key (401). Check OPENAI_API_KEY and LLM_OPENAI_BASE_URL.": (
        "这个密钥被拒绝（401）。请检查 OPENAI_API_KEY 和 LLM_OPENAI_BASE_URL。"
    ),
    "answered 500: Oops. We try later": "返回 500：Oops。We try later",
    "Set AZURE_TTS_SERVICE_REGION, e.g. eastasia.": "请在 .env 里设置 AZURE_TTS_SERVICE_REGION，例如 eastasia。",
    "could not be loaded (KeyError); the log has the details": "加载失败（KeyError）；详情见日志",
    "cannot reach https://a.b:1/v1": "连不上 https://a.b:1/v1",
    "whatever a vendor says": "whatever a vendor says",
    "": "",
}
"""Details, and what a Chinese reader is shown; the page is asked for the same in `tests/browser/test_page.py`."""


def unset() -> Iterator[tuple[str, str]]:
    """Yield each engine that needs a setting, by its name and its place."""
    for engines, rows, providers in (
        (EARS, EAR_ROWS, EAR_PROVIDERS),
        (MINDS, MIND_ROWS, MIND_PROVIDERS),
        (MOUTHS, MOUTH_ROWS, MOUTH_PROVIDERS),
    ):
        yield from ((name, engines.get(name, rows)) for name in {**engines, **providers} if name not in NEED_NOTHING)


@pytest.fixture(autouse=True)
def chinese(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")


@pytest.mark.parametrize("detail", SAID)
def test_a_detail_is_told_in_chinese(detail: str) -> None:
    assert detail_in_words(detail) == SAID[detail]


def test_an_english_reader_is_shown_it_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    assert all(detail_in_words(detail) == detail for detail in SAID)


@pytest.mark.parametrize(("name", "place"), sorted(set(unset())))
def test_what_an_engine_lacks_is_told_in_chinese(name: str, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELS_OFFLINE", "1")
    module, _, kind = place.partition(":")
    with pytest.raises((EngineUnavailable, SettingError)) as lacking:
        getattr(import_module(module), kind).load(name, lambda doing, part: None)

    told = detail_in_words(str(lacking.value))
    assert HAN.search(told), told
    assert not ENGLISH_WORDS.search(told), told
