"""The card of the guard and of what is kept: as the services say it, in both languages, on a phone."""

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from browser.console import Console

Visit = Callable[..., Console]
GUARD = {
    "mode": "kids",
    "profile": "6-8",
    "profiles": {"kitchen": "3-5"},
    "engines": ["rules", "qwen3guard"],
    "minutes": "60, kitchen: 30",
    "stopped": {"violence": 2, "self-harm": 1},
}
KEPT = {"what": "speech", "where": "disk", "words": True, "setting": "TTS_CACHE_DIR", "days": 30, "megabytes": 1024}
SENT = {"what": "words", "to": "moonshot", "setting": "LLM_ENGINES", "address": "https://api.moonshot.cn"}


def service(guard: dict[str, Any] | None) -> Callable[[Route], None]:
    engines = [{"name": "one", "state": "ready"}]
    return lambda route: route.fulfill(json={"ready": True, "engines": engines} | ({"guard": guard} if guard else {}))


def sheet(*kept: dict[str, Any], sent: tuple[dict[str, Any], ...] = (), disk: bool = False) -> dict[str, Any]:
    return {"words_on_disk": disk, "words_leave": bool(sent), "kept": list(kept), "sent": list(sent), "passing": []}


def guarded(page: Page) -> None:
    """Let three services say what a guarded installation with a provider and a folder says."""
    for name in ("stt", "llm", "tts"):
        page.route(f"**/status/{name}", service(GUARD))
    told = {"stt": sheet(), "llm": sheet(sent=(SENT,)), "tts": sheet(KEPT, disk=True), "proxy": {}}
    page.route("**/status/privacy", lambda route: route.fulfill(json=told))


def test_as_it_is_installed_nothing_is_judged_and_nothing_on_a_disk(visit: Visit) -> None:
    console = visit()
    console.page.wait_for_selector("#guard[data-state=off]")
    console.page.wait_for_selector("#privacy:not([hidden])")

    assert "GUARD=kids" in console.page.inner_text("#guard")
    assert console.page.inner_text("#privacy-disk") == "No word and no sound is written to a disk."
    assert console.page.inner_text("#privacy-leave") == "No word and no sound leaves for another server."
    assert console.complaints == []


ENGLISH = ["On: what does not pass", "word lists, qwen3guard", "violence", "self-harm", "are written to a disk"]
CHINESE = ["已打开", "词表, qwen3guard", "暴力", "自我伤害", "写在磁盘上", "发往别的服务器"]


@pytest.mark.parametrize(("language", "said"), [("en-US", ENGLISH), ("zh-CN", CHINESE)])
def test_what_is_on_is_said_with_its_counts(visit: Visit, language: str, said: list[str]) -> None:
    page = visit(language=language, before=guarded, size=(320, 640)).page
    page.wait_for_selector("#guard[data-state=ready]")
    page.click("#privacy summary")
    text = page.inner_text("#safety")

    counts = page.locator("#guard-rows td").all_inner_texts()
    assert [each for each in (*said, "6-8", "kitchen: 3-5", "60, kitchen: 30") if each not in text] == []
    assert counts == ["6", "3"]
    assert "https://api.moonshot.cn" in text
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert Axe().run(page, context="#safety").response["violations"] == []


def test_a_service_without_the_guard_is_named(visit: Visit) -> None:
    def before(page: Page) -> None:
        guarded(page)
        page.route("**/status/tts", service(None))

    page = visit(before=before).page
    page.wait_for_selector("#guard[data-state=weak]")

    assert "Without it: Mouth" in page.inner_text("#guard")


def test_shadow_is_no_guard(visit: Visit) -> None:
    def before(page: Page) -> None:
        for name in ("stt", "llm", "tts"):
            page.route(f"**/status/{name}", service(GUARD | {"mode": "shadow", "stopped": {}}))

    page = visit(before=before).page
    page.wait_for_selector("#guard[data-state=weak]")

    assert "only watches" in page.inner_text("#guard")
    assert page.is_visible("#guard-none")
    assert page.is_hidden("#guard-stopped")


def test_while_nobody_answers_nothing_is_claimed(visit: Visit) -> None:
    console = visit(before=lambda page: page.route("**/status/**", lambda route: route.fulfill(status=503, json={})))
    console.page.wait_for_selector("#services [data-state=gone]")

    assert console.page.is_hidden("#privacy")
    assert console.page.get_attribute("#guard", "data-state") == "asking"
