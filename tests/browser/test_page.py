"""The page in a real browser, before the real services."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import av
import httpx
import numpy as np
import pytest
from playwright.sync_api import Page, Request, Route

from browser.conftest import SAID
from browser.console import Console
from e2e.installation import KEY, Installation, until
from unit.deploy.test_engine_details import SAID as DETAILS

Visit = Callable[..., Console]
LONG = "Tell me a story."


def sound_of(path: Path) -> tuple[float, float]:
    """Seconds, and the loudest sample, 0 to 1."""
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
        rate = container.streams.audio[0].rate
    samples = np.concatenate([frame.astype(np.float32).ravel() for frame in frames])
    return len(samples) / rate, float(np.abs(samples).max())


def body_of(request: Request) -> dict[str, Any]:
    """The JSON it sent."""
    body: dict[str, Any] = request.post_data_json or {}
    return body


# ---- loading ----


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("key", [KEY, None])
def test_it_loads_without_a_complaint_and_asks_no_other_host(
    visit: Visit, talkbox: Installation, language: str, key: str | None
) -> None:
    console = visit(language=language, key=key)
    console.page.wait_for_load_state("networkidle")

    assert console.complaints == []
    assert {urlsplit(request.url).netloc for request in console.requests} == {f"127.0.0.1:{talkbox.port}"}
    assert {response.status for request in console.requests if (response := request.response())} == {200}


def test_the_browser_is_told_to_allow_nothing_from_elsewhere(talkbox: Installation) -> None:
    policy = httpx.get(f"{talkbox.url}/", trust_env=False).headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "require-trusted-types-for 'script'" in policy


def test_a_key_in_the_address_is_kept_and_taken_out_of_it(visit: Visit) -> None:
    console = visit(key=KEY)

    assert "key=" not in console.page.url
    assert console.page.evaluate("localStorage.getItem('talkbox.key')") == KEY
    assert console.page.locator("#key-card").is_hidden()


def test_the_page_speaks_the_browsers_language_until_told_otherwise(visit: Visit) -> None:
    page = visit(language="zh-CN").page

    assert page.get_attribute("html", "lang") == "zh-CN"
    assert page.inner_text("#hold-word") == "按住说话"
    page.click('[data-lang="en"]')
    page.reload()
    assert page.get_attribute("html", "lang") == "en"
    assert page.inner_text("#hold-word") == "Hold to talk"


def test_every_text_is_there_in_both_languages(visit: Visit) -> None:
    names = visit().page.evaluate("""async () => {
        const { languages } = await import("/words.js");
        const names = (words) => Object.entries(words).flatMap(([name, text]) =>
            typeof text === "object" ? names(text).map((inner) => `${name}.${inner}`)
                : [name + [...text.matchAll(/\\{\\w+\\}/g)].sort().join("")]);
        return [names(languages.en).sort(), names(languages.zh).sort()];
    }""")

    assert names[0] == names[1]


@pytest.mark.parametrize("size", [(320, 640), (390, 844), (768, 1024), (1280, 900)])
@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
def test_nothing_is_wider_than_the_screen(visit: Visit, size: tuple[int, int], language: str) -> None:
    page = visit(size=size, language=language, key=None).page
    page.click("#choices summary")

    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]


CONTRASTS = """() => {
    const style = getComputedStyle(document.documentElement);
    const light = (name) => {
        const hex = style.getPropertyValue(`--${name}`).trim().slice(1);
        const [r, g, b] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
            .map((part) => (part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const pairs = ["ink card", "ink paper", "soft card", "soft paper", "soft sunken", "accent card", "accent sunken",
        "on-accent accent", "ink accent-wash", "ink bad-wash", "soft bad-wash", "ink warn-wash", "bad card",
        "bad sunken", "warn sunken", "warn card", "good sunken", "stt sunken", "llm sunken", "tts sunken",
        "on-accent tts", "soft accent-wash"];
    return pairs.map((pair) => {
        const [dark, bright] = pair.split(" ").map(light).sort((one, other) => one - other);
        return [pair, (bright + 0.05) / (dark + 0.05)];
    }).filter(([pair, contrast]) => contrast < 4.5);
}"""


@pytest.mark.parametrize("dark", [False, True])
def test_every_text_stands_out_from_its_ground(visit: Visit, dark: bool) -> None:
    assert visit(dark=dark).page.evaluate(CONTRASTS) == []


def test_everything_one_can_use_has_a_name(visit: Visit) -> None:
    nameless = visit().page.evaluate("""() => [...document.querySelectorAll("input, select, textarea, button, a")]
        .filter((element) => !element.labels?.length && !element.ariaLabel && !element.textContent.trim())
        .map((element) => element.outerHTML)""")

    assert nameless == []


# ---- a turn ----


WITHOUT_LOUDSPEAKER = """window.AudioContext = class extends AudioContext {
    constructor() { super(); this.suspend(); }
    resume() { return new Promise(() => {}); }
};"""
"""What Firefox does on a machine that has none: the sound's clock never runs."""


def test_a_browser_without_a_loudspeaker_says_so_and_the_sound_can_be_saved(visit: Visit) -> None:
    console = visit(before=lambda page: page.add_init_script(WITHOUT_LOUDSPEAKER))
    console.type("hello")

    assert "loudspeaker" in console.alert().inner_text()
    assert console.ended().locator("a[download]").count() == 1
    assert console.page.is_hidden("#stop")


def test_typed_words_are_answered_with_sound(visit: Visit, tmp_path: Path) -> None:
    console = visit()
    console.type("How much is 7 times 8?")
    tools = console.ended()

    assert "56" in console.said("toy")
    assert "companion" in console.figure("token")
    assert "flite" in console.figure("sound")
    assert re.search(r"\d\.\d\d s", console.figure("done"))
    assert float(console.page.get_attribute(".bubble .wave", "data-loudest") or 0) > 0.1
    assert console.complaints == []
    with console.page.expect_download() as saved:
        tools.get_by_role("link").click()
    saved.value.save_as(tmp_path / "answer.mp3")
    seconds, loudest = sound_of(tmp_path / "answer.mp3")
    assert seconds > 1
    assert loudest > 0.1


def test_chinese_is_answered_in_chinese(visit: Visit) -> None:
    console = visit(language="zh-CN")
    console.type("你好！你是谁？")
    console.ended()

    assert re.search(r"[\u4e00-\u9fff]", console.said("toy"))
    assert "espeak" in console.figure("sound")


def test_the_answer_is_spoken_piece_by_piece_two_at_a_time(visit: Visit) -> None:
    under_way, most, pieces = 0, 0, []

    def began(request: Request) -> None:
        nonlocal under_way, most
        if request.url.endswith("/speech"):
            pieces.append(body_of(request)["input"])
            under_way += 1
            most = max(most, under_way)

    def ended(request: Request) -> None:
        nonlocal under_way
        under_way -= request.url.endswith("/speech")

    def watch(page: Page) -> None:
        page.on("request", began)
        page.on("requestfinished", ended)

    console = visit(before=watch)
    console.type(LONG)
    the_mind_and_four_pieces = console.page.locator("#pieces tr").nth(4)
    the_mind_and_four_pieces.wait_for(state="attached")
    console.page.click("#stop")

    assert most == 2
    assert all(re.fullmatch(r"[^，！。？,!.?]+[，！。？,!.?]?", piece) for piece in pieces)
    answer = console.said("toy")
    assert answer.startswith(pieces[0])
    assert all(piece in answer for piece in pieces)


def test_a_turn_can_be_stopped(visit: Visit) -> None:
    console = visit()
    console.type(LONG)
    console.page.wait_for_selector('#figures [data-figure="sound"] .value:not(:text("–"))')
    console.page.click("#stop")

    assert console.page.inner_text("#talk-said") == "Stopped."
    assert console.page.locator("#stop").is_hidden()
    assert console.page.locator("#log .alert").count() == 0


def test_the_conversation_goes_on_and_can_be_begun_anew(visit: Visit) -> None:
    console = visit()
    asked: list[Any] = []

    def note(request: Request) -> None:
        if request.url.endswith("/completions"):
            asked.append(body_of(request)["messages"])

    console.page.on("request", note)
    console.type("Hello!")
    console.ended()
    first = console.said("toy")
    console.type("How much is 2 plus 2?")
    console.page.locator("#log .tools").nth(1).wait_for()
    console.page.click("#forget")
    console.type("Bye!")
    console.ended()

    assert [message["role"] for message in asked[1]] == ["system", "user", "assistant", "user"]
    assert asked[1][2]["content"] == first
    assert [message["role"] for message in asked[2]] == ["system", "user"]


def hold_while_it_is_said(console: Console) -> None:
    """Press the button; the microphone then hears `SAID` once."""
    console.page.hover("#hold")
    console.page.mouse.down()
    console.page.wait_for_selector("#hold.on")
    console.page.wait_for_timeout(2000)  # as long as the sentence takes to be said
    console.page.mouse.up()


def heard_well(text: str) -> bool:
    words = SAID.split()
    return sum(word in text.split() for word in words) >= len(words) - 1


def test_what_is_said_into_the_microphone_is_heard(visit: Visit) -> None:
    console = visit(size=(1280, 900))
    hold_while_it_is_said(console)
    console.page.wait_for_selector('#figures [data-figure="token"] .value:not(:text("–"))')

    assert heard_well(console.said("you")), console.said("you")
    assert "sphinx" in console.figure("heard")
    assert console.complaints == []


def test_the_button_works_by_keyboard_and_escape_throws_away(visit: Visit) -> None:
    console = visit()
    console.page.focus("#hold")
    console.page.keyboard.down("Enter")
    console.page.wait_for_selector("#hold.on")
    console.page.keyboard.press("Escape")

    console.page.wait_for_selector("#hold:not(.on)")
    console.page.keyboard.up("Enter")
    assert console.page.locator("#log .bubble").count() == 0
    assert console.page.inner_text("#talk-said") == "Thrown away."


def test_an_uploaded_recording_is_heard(visit: Visit, recording: Path) -> None:
    console = visit()
    console.page.set_input_files("#file", recording)
    console.page.wait_for_selector('#figures [data-figure="token"] .value:not(:text("–"))')

    assert heard_well(console.said("you")), console.said("you")


def test_silence_is_told_apart_from_a_failure(visit: Visit, tmp_path: Path, recording: Path) -> None:
    silence = tmp_path / "silence.wav"
    silence.write_bytes(recording.read_bytes()[:44] + bytes(len(recording.read_bytes()) - 44))
    console = visit()
    console.page.set_input_files("#file", silence)

    assert "No words were heard" in console.alert().inner_text()


def test_the_voice_engine_and_speed_chosen_are_asked_for(visit: Visit) -> None:
    console = visit()
    console.page.click("#choices summary")
    console.page.select_option("#voice", "en-us")
    console.page.select_option("#model-tts", "espeak")
    console.page.fill("#speed", "1.5")
    with console.page.expect_request("**/v1/audio/speech") as asked:
        console.type("Hello!")
    wanted = body_of(asked.value)
    console.ended()

    assert (wanted["model"], wanted["voice"], wanted["speed"]) == ("espeak", "en-us", 1.5)
    assert "espeak" in console.figure("sound")


# ---- when something is wrong ----


def test_a_wrong_key_is_told_what_to_do(visit: Visit) -> None:
    console = visit(key="wrong")
    console.type("Hello!")
    told = console.alert().inner_text()

    assert "API_KEYS" in told
    assert re.search(r"Request [0-9a-f]{32}", told)
    assert console.page.locator("#key").is_visible()
    console.page.fill("#key", KEY)
    console.page.click("#key-form .solid")
    console.page.wait_for_selector("#key-said:text('The key works.')")
    console.alert().get_by_role("button").click()
    console.ended()


@pytest.mark.parametrize(("service", "name"), [("stt", "Ears"), ("llm", "Mind"), ("tts", "Mouth")])
def test_a_service_that_is_down_is_named(
    visit: Visit, talkbox: Installation, recording: Path, service: str, name: str
) -> None:
    console = visit()
    talkbox.supervise("stop", service)
    try:
        console.page.set_input_files("#file", recording)
        alert = console.alert()
        told, blamed = alert.inner_text(), alert.get_attribute("data-service")
        console.page.reload()
        console.page.wait_for_selector(f'.service[data-service="{service}"][data-state="gone"]')
        row = console.page.inner_text(f'.service[data-service="{service}"]')
        others = console.page.locator('.service[data-state="weak"]').count()
    finally:
        talkbox.supervise("start", service)
        until(lambda: talkbox.ready(service))

    assert blamed == service
    assert f"{name} cannot answer now" in told
    assert row.startswith(name)
    assert "make up" in row
    assert others == 2


def test_the_states_of_engines_are_told_in_words(visit: Visit) -> None:
    engines = [
        {"name": "whisper", "state": "loading", "detail": "downloading model.bin", "progress": 0.4},
        {"name": "cloud", "state": "resting", "detail": "no answer in 2.0 s", "seconds": 8.2},
        {"name": "other", "state": "unavailable", "detail": "Set OTHER_API_KEY."},
        {"name": "sphinx", "state": "ready"},
    ]

    def answer(route: Route) -> None:
        route.fulfill(json={"ready": True, "engines": engines})

    page = visit(before=lambda page: page.route("**/status/stt", answer)).page
    page.click('.service[data-service="stt"] summary')
    told = page.inner_text('.service[data-service="stt"]')

    assert "Hears English only" in told
    assert "whisper (40 %) is loading" in told
    assert "downloading model.bin" in told
    assert "rests 8 s after failures: no answer in 2.0 s" in told
    assert "Set OTHER_API_KEY." in told
    assert page.get_attribute("progress", "value") == "40"


def test_a_chinese_reader_is_told_the_states_of_engines_in_chinese(visit: Visit) -> None:
    details = [*DETAILS, "Set OTHER_API_KEY."]
    engines = [{"name": f"row{at}", "state": "unavailable", "detail": detail} for at, detail in enumerate(details)]

    def answer(route: Route) -> None:
        route.fulfill(json={"ready": False, "engines": engines})

    page = visit(language="zh-CN", before=lambda page: page.route("**/status/llm", answer)).page
    page.click('.service[data-service="llm"] summary')
    shown = page.locator('.service[data-service="llm"] .detail').all_inner_texts()

    assert shown == [*filter(None, DETAILS.values()), "请在 .env 里设置 OTHER_API_KEY。"]


@pytest.mark.parametrize(
    ("ending", "told"),
    [("", "broke off in the middle"), ('data: {"error": {"message": "no breath left"}}\n\n', "no breath left")],
)
def test_an_answer_that_breaks_off_is_not_taken_for_a_whole_one(visit: Visit, ending: str, told: str) -> None:
    begun = 'data: {"choices": [{"index": 0, "delta": {"content": "Once upon a time, "}}]}\n\n'

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=begun + ending)

    console = visit(before=lambda page: page.route("**/v1/chat/completions", answer))
    console.type("Hello!")

    assert told in console.alert().inner_text()


def test_an_answer_that_ends_with_its_reason_is_whole_without_done(visit: Visit) -> None:
    choice = '{"index": 0, "delta": {"content": "Hello!"}, "finish_reason": "stop"}'

    def answer(route: Route) -> None:
        route.fulfill(content_type="text/event-stream", body=f'data: {{"choices": [{choice}]}}\n\n')

    console = visit(before=lambda page: page.route("**/v1/chat/completions", answer))
    console.type("Hello!")
    console.ended()

    assert console.said("toy") == "Hello!"
    assert console.page.locator("#log .alert").count() == 0


def test_a_proxy_that_is_gone_is_told_what_to_do(visit: Visit) -> None:
    console = visit()
    console.page.context.set_offline(True)
    console.type("Hello!")

    assert "Is Talkbox running" in console.alert().inner_text()


def test_a_full_service_says_when_to_come_back(visit: Visit) -> None:
    error = {"error": {"message": "All places are taken.", "type": "rate_limit_error", "param": None, "code": None}}

    def answer(route: Route) -> None:
        route.fulfill(status=429, json=error, headers={"retry-after": "7"})

    console = visit(before=lambda page: page.route("**/v1/chat/completions", answer))
    console.type("Hello!")

    assert "Try again in 7 seconds." in console.alert().inner_text()


def test_on_plain_http_it_says_why_there_is_no_microphone_and_what_to_do(visit: Visit) -> None:
    console = visit(host="talkbox.test")

    assert console.page.is_disabled("#hold")
    told = console.page.inner_text("#insecure")
    assert "https" in told
    assert "http://localhost:" in told
    console.type("Hello!")
    console.ended()
