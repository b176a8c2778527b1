"""The page's layout, its cards for one service at a time, and what it is like without eyes or a mouse."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, Route

from browser.conftest import SAID
from browser.console import Console
from browser.test_page import body_of, sound_of

Visit = Callable[..., Console]
OVERLAPS = """() => {
    const cards = [...document.querySelectorAll(".card")].filter((card) => card.offsetParent)
        .map((card) => [card.className, card.getBoundingClientRect()]);
    return cards.flatMap(([one, a], number) => cards.slice(number + 1)
        .filter(([, b]) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
            && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5)
        .map(([other]) => `${one} over ${other} at ${scrollY}`));
}"""
PRESSED = "#sheet-code, #copy, #say-form .solid, #hear-form .solid"
MISSED = """(pressed) => [...document.querySelectorAll(pressed)].filter((element) => {
    element.scrollIntoView({ block: "center" });
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    return !(element === top || element.contains(top));
}).map((element) => element.id || element.textContent)"""
SMALL = """() => [...document.querySelectorAll("button, summary, select, input:not(.unseen)")]
    .filter((element) => element.offsetParent && element.getBoundingClientRect().height < 43.5)
    .map((element) => element.outerHTML.slice(0, 80))"""


def status(*engines: dict[str, Any]) -> Callable[[Route], None]:
    return lambda route: route.fulfill(json={"ready": True, "engines": list(engines)})


def chain(*names: str, **fields: Any) -> Callable[[Route], None]:
    return status(*({"name": name, "state": "ready"} | fields for name in names))


# ---- layout ----


def test_no_card_covers_another_at_any_scroll(visit: Visit) -> None:
    page = visit().page
    page.click("#choices summary")
    found = []
    for width, height in ((320, 640), (390, 844), (768, 1024), (900, 700), (1280, 800), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        for share in (0, 0.2, 0.4, 0.6, 0.8, 1):
            page.evaluate(f"scrollTo(0, document.documentElement.scrollHeight * {share})")
            found += [(width, overlap) for overlap in page.evaluate(OVERLAPS)]
        found += [(width, covered) for covered in page.evaluate(MISSED, PRESSED)]

    assert found == []


def test_on_a_small_phone_the_buttons_of_a_voice_are_side_by_side_below_its_name(visit: Visit) -> None:
    page = visit(size=(320, 640)).page
    page.fill("#voice-find", "slt")
    hear, use = (
        box["y"] for one in page.locator('#voices [data-voice="slt"] button').all() if (box := one.bounding_box())
    )

    assert hear == use


def test_cards_stay_apart_after_a_turn_too(visit: Visit) -> None:
    console = visit(size=(1280, 800))
    console.type("How much is 7 times 8?")
    console.ended()
    console.page.click(".pieces summary")

    assert console.page.evaluate(OVERLAPS) == []
    assert console.page.evaluate("document.documentElement.scrollWidth") <= 1280


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_on_a_phone_the_microphone_is_on_the_first_screen(visit: Visit, language: str) -> None:
    page = visit(size=(375, 740), language=language).page
    box = page.locator("#hold").bounding_box()

    assert box
    assert box["y"] + box["height"] < 740


def test_everything_one_can_press_is_large_enough_for_a_finger(visit: Visit) -> None:
    assert visit(size=(375, 740)).page.evaluate(SMALL) == []


# ---- states ----


@pytest.mark.parametrize(
    ("service", "engine", "told"),
    [("stt", "sphinx", "make models"), ("llm", "companion", "LLM_ENGINES"), ("tts", "espeak", "TTS_ENGINES")],
)
def test_a_last_resort_is_yellow_with_what_to_do(visit: Visit, service: str, engine: str, told: str) -> None:
    page = visit(before=lambda page: page.route(f"**/status/{service}", chain(engine))).page
    row = page.locator(f'.service[data-service="{service}"]')

    assert row.get_attribute("data-state") == "weak"
    assert row.locator(".dot").get_attribute("aria-label") == "works, but poorly"
    assert engine in row.inner_text()
    assert told in row.inner_text()


def test_a_good_engine_is_green_without_advice(visit: Visit) -> None:
    page = visit(before=lambda page: page.route("**/status/stt", chain("whisper", "sphinx"))).page
    row = page.locator('.service[data-service="stt"]')

    assert row.get_attribute("data-state") == "ready"
    assert row.locator(".service-state").inner_text() == "whisper hears; in reserve: sphinx"
    assert row.locator(".remedy").count() == 0


def test_a_chinese_page_is_told_that_only_english_is_heard_and_states_its_language(visit: Visit) -> None:
    ears = status({"name": "moonshine", "state": "ready", "only": "en"})
    console = visit(language="zh-CN", before=lambda page: page.route("**/status/stt", ears))
    row = console.page.locator('.service[data-service="stt"]')
    asked = []

    def answer(route: Route) -> None:
        asked.append(route.request.post_data_buffer or b"")
        route.fulfill(json={"text": "你好"}, headers={"x-talkbox-engine": "moonshine"})

    console.page.route("**/v1/audio/transcriptions", answer)
    console.page.set_input_files("#file", {"name": "a.wav", "mimeType": "audio/wav", "buffer": b"RIFF"})
    console.page.wait_for_selector("#log .bubble.you .text:text('你好')")

    assert row.get_attribute("data-state") == "weak"
    assert "只能听英语" in row.inner_text()
    assert re.search(rb'name="language"\r\n\r\nzh\r\n', asked[0])


# ---- the turn ----


def test_the_waterfall_shows_the_stages_that_the_services_tell(visit: Visit) -> None:
    timing = "upload;dur=0.0, queue;dur=300.0, engine;dur=600.0, total;dur=920.0"
    choice = '{"index": 0, "delta": {"content": "Hello!"}, "finish_reason": "stop"}'

    def answer(route: Route) -> None:
        headers = {"server-timing": timing, "x-talkbox-overhead-ms": "20.0", "x-talkbox-engine": "cloud"}
        console.page.wait_for_timeout(1000)
        route.fulfill(content_type="text/event-stream", headers=headers, body=f'data: {{"choices": [{choice}]}}\n\n')

    console = visit()
    console.page.route("**/v1/chat/completions", answer)
    console.type("Hello!")
    console.ended()
    console.page.click(".pieces summary")
    cells = console.page.locator("#pieces tr").first.locator("td").all_inner_texts()

    assert cells[:2] == ["Mind", "cloud"]
    assert cells[3:6] == ["0.60 s", "0.30 s", "0.02 s"]
    bars = (console.page.locator(f"#chart .row.llm .bar.{name}") for name in ("queue", "engine"))
    queue, engine = (bar.bounding_box() or {"x": 0.0, "width": 0.0} for bar in bars)
    assert engine["width"] / queue["width"] == pytest.approx(2, abs=0.3)
    assert engine["x"] > queue["x"] + queue["width"] - 2


def test_an_answer_can_be_heard_again_from_its_middle(visit: Visit) -> None:
    console = visit()
    console.type("Tell me a joke.")
    tools = console.ended()
    at = tools.locator("audio").evaluate("""(sound) => new Promise((resolve, reject) => {
        sound.addEventListener("seeked", () => resolve([sound.currentTime, sound.duration]));
        sound.addEventListener("error", () => reject(new Error("it cannot be played")));
        const seek = () => (sound.currentTime = sound.duration / 2);
        if (sound.readyState) seek(); else sound.addEventListener("loadedmetadata", seek);
    })""")

    assert at[1] > 1
    assert at[0] == pytest.approx(at[1] / 2, abs=0.2)


# ---- say, try, hear ----


def test_a_text_is_said_in_each_format_and_can_be_kept(visit: Visit, tmp_path: Path) -> None:
    page = visit().page
    page.fill("#say-text", SAID)
    for kind, ending in (
        ("mp3", "mp3"),
        ("wav", "wav"),
        ("opus", "ogg"),
        ("aac", "aac"),
        ("flac", "flac"),
        ("pcm", "pcm"),
    ):
        page.select_option("#say-format", kind)
        page.click("#say-form .solid")
        with page.expect_download() as saved:
            page.click(f'#say-result a[download="talkbox.{ending}"]')
        file = tmp_path / f"talkbox.{ending}"
        saved.value.save_as(file)
        seconds = file.stat().st_size / 48_000 if kind == "pcm" else sound_of(file)[0]
        assert 0.5 < seconds < 4, kind

    assert "flite answered after" in page.inner_text("#say-result .facts")


def test_a_voice_is_found_tried_and_used(visit: Visit) -> None:
    page = visit().page
    page.fill("#voice-find", "slt")
    row = page.locator('#voices [data-voice="slt"]')
    with page.expect_request("**/v1/audio/speech") as asked:
        row.get_by_role("button", name="Hear").click()
    page.wait_for_selector("#voices-said:text('slt, by flite.')")
    row.get_by_role("button", name="Use").click()

    assert body_of(asked.value)["voice"] == "slt"
    assert row.get_by_role("button", name="Use").get_attribute("aria-pressed") == "true"
    assert page.input_value("#voice") == "slt"
    assert page.locator("#voices li").count() == 1


def test_a_recording_becomes_text_or_subtitles_without_an_answer(visit: Visit, recording: Path) -> None:
    console = visit()
    page = console.page
    page.set_input_files("#hear-file", recording)
    page.click("#hear-form .solid")
    page.wait_for_selector("#hear-result .heard")
    text = page.inner_text("#hear-result .heard")
    page.select_option("#hear-format", "srt")
    page.click("#hear-form .solid")
    page.wait_for_selector("#hear-result .heard:text('-->')")

    assert "little" in text
    assert page.locator("#log .bubble").count() == 0
    assert not [request for request in console.requests if request.url.endswith("/completions")]


def test_a_problem_of_one_service_is_told_in_its_card(visit: Visit) -> None:
    page = visit(key="wrong").page
    page.click("#say-form .solid")
    page.wait_for_selector("#say-result .alert")

    assert "API_KEYS" in page.inner_text("#say-result")


# ---- without eyes, without a mouse ----


@pytest.mark.parametrize(
    ("language", "dark", "size"),
    [("en-US", False, (1280, 900)), ("zh-CN", True, (320, 640))],
)
def test_axe_finds_nothing(visit: Visit, language: str, dark: bool, size: tuple[int, int]) -> None:
    console = visit(language=language, dark=dark, size=size)
    console.type("7 x 8 = ?")
    console.ended()
    for summary in console.page.locator("summary").all():
        summary.click()
    found = Axe().run(console.page).response["violations"]

    assert [(each["id"], node["html"][:120]) for each in found for node in each["nodes"]] == []


def test_tabs_are_walked_with_arrows(visit: Visit) -> None:
    page: Page = visit().page
    page.focus("#tab-folotoy")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.id")
    page.keyboard.press("End")

    assert second == "tab-curl"
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    assert "TalkboxTTS" in page.inner_text("#sheet-code")
