"""The page where something is lacking: a part of the browser, a microphone, a budget, room on the screen."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route

from browser.conftest import CHROMIUM
from browser.console import Console
from e2e.installation import KEY, Installation

Visit = Callable[..., Console]


def with_script(script: str) -> Callable[[Page], object]:
    return lambda page: page.add_init_script(script)


# ---- the browser and its microphone ----

NO_SOUND = {
    "none": "delete window.AudioContext",
    "not now": "window.AudioContext = class { constructor() { throw new DOMException('', 'NotSupportedError'); } }",
}


@pytest.mark.parametrize("script", NO_SOUND.values(), ids=NO_SOUND)
def test_without_web_audio_words_are_answered_and_the_sound_can_be_saved(visit: Visit, script: str) -> None:
    console = visit(before=with_script(script))
    console.type("How much is 7 times 8?")
    told = console.alert().inner_text()

    assert "56" in console.said("toy")
    assert "loudspeaker" in told
    assert console.ended().locator("a[download]").count() == 1
    assert console.complaints == []


def test_without_web_audio_the_microphone_records(visit: Visit) -> None:
    console = visit(before=with_script(NO_SOUND["none"]))
    console.page.focus("#hold")
    console.page.keyboard.down("Enter")
    console.page.wait_for_selector("#hold.on")
    console.page.keyboard.press("Escape")
    console.page.wait_for_selector("#hold:not(.on)")

    assert console.complaints == []


UNABLE = {
    "no recorder": "delete window.MediaRecorder",
    "no devices": "Object.defineProperty(navigator, 'mediaDevices', { value: undefined })",
    "no getUserMedia": "Object.defineProperty(navigator.mediaDevices, 'getUserMedia', { value: undefined })",
}


@pytest.mark.parametrize("script", UNABLE.values(), ids=UNABLE)
@pytest.mark.parametrize(("language", "said"), [("en-US", "This browser cannot record"), ("zh-CN", "不能录音")])
def test_a_browser_that_cannot_record_is_not_sent_to_https(visit: Visit, script: str, language: str, said: str) -> None:
    page = visit(language=language, before=with_script(script)).page
    told = page.inner_text("#insecure")

    assert page.is_disabled("#hold")
    assert said in told
    assert "https" not in told
    assert "localhost" not in told


REFUSES = "navigator.mediaDevices.getUserMedia = async () => {{ throw new DOMException('', '{}'); }}"
RECORDER = "window.MediaRecorder = class extends MediaRecorder {{ {} }}"
TROUBLE = {
    "denied": (REFUSES.format("NotAllowedError"), "refusedMicrophone"),
    "missing": (REFUSES.format("NotFoundError"), "noMicrophone"),
    "held by another program": (REFUSES.format("NotReadableError"), "noMicrophone"),
    "kind unknown": (
        RECORDER.format("constructor() { throw new DOMException('', 'NotSupportedError'); }"),
        "unrecordable",
    ),
    "does not start": (RECORDER.format("start() { throw new DOMException('', 'UnknownError'); }"), "unrecordable"),
}


@pytest.mark.parametrize(("script", "kind"), TROUBLE.values(), ids=TROUBLE)
def test_a_microphone_that_does_not_record_is_told_of_and_the_button_rests(
    visit: Visit, script: str, kind: str
) -> None:
    console = visit(before=with_script(script))
    for press in (1, 2):
        console.page.focus("#hold")
        console.page.keyboard.press("Enter")
        console.page.locator(f"#log .alert[data-kind={kind}]").nth(press - 1).wait_for()

    assert console.page.inner_text("#hold-word") == "Hold to talk"
    assert console.complaints == []


SHARED = """const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = async (wanted) => (window.stream = await open(wanted));
window.MediaRecorder = class extends MediaRecorder {
    constructor(...all) { super(...all); window.recorder = this; }
};"""


@pytest.mark.parametrize("ending", ["release", "Escape"])
def test_a_microphone_pulled_out_while_it_records_leaves_nothing_stuck(visit: Visit, ending: str) -> None:
    page = visit(before=with_script(SHARED)).page
    page.focus("#hold")
    page.keyboard.press("Enter")
    page.wait_for_selector("#hold.on")
    page.evaluate("stream.getTracks().forEach((track) => track.stop())")
    page.wait_for_function("recorder.state === 'inactive'")
    page.keyboard.press("Enter" if ending == "release" else "Escape")
    page.wait_for_selector("#hold:not(.on)")

    assert page.inner_text("#hold-word") == "Hold to talk"


# ---- refusals ----


def refusal(status: int, retry_after: int | None = None, **error: Any) -> Callable[[Page], object]:
    """Chats are refused so."""
    headers = {"retry-after": str(retry_after)} if retry_after else {}

    def answer(route: Route) -> None:
        route.fulfill(status=status, json={"error": {"message": "", "code": None} | error}, headers=headers)

    return lambda page: page.route("**/v1/chat/completions", answer)


WAITS = [
    (7, "en-US", "in 7 seconds."),
    (90, "en-US", "in 90 seconds."),
    (600, "en-US", "in 10 minutes."),
    (43_200, "en-US", "in 12 hours."),
    (43_200, "zh-CN", "12小时后再试"),
]


@pytest.mark.parametrize(("seconds", "language", "said"), WAITS)
def test_a_wait_is_told_in_a_unit_that_fits(visit: Visit, seconds: int, language: str, said: str) -> None:
    console = visit(language=language, before=refusal(429, seconds, code="rate_limit_exceeded"))
    console.type("Hello!")

    assert said in console.alert().inner_text()


@pytest.mark.parametrize(("language", "said"), [("en-US", "used up"), ("zh-CN", "用完了")])
def test_a_budget_used_up_is_no_lack_of_places(visit: Visit, language: str, said: str) -> None:
    console = visit(language=language, before=refusal(429, 43_200, code="insufficient_quota"))
    console.type("Hello!")
    told = console.alert().inner_text()

    assert said in told
    assert "LLM_KEY_TOKENS" in told
    assert "12" in told


def test_a_refusal_of_something_in_front_does_not_blame_the_key(visit: Visit) -> None:
    console = visit(before=refusal(403))
    console.type("Hello!")

    assert "proxy or a login" in console.alert().inner_text()
    assert console.page.is_hidden("#key-card")


# ---- room, and the keyboard ----

STICKING_OUT = """() => {
    const scrolls = ".unseen, .scroll, .tabs, pre, .hold, svg, select";
    const right = (element) => element.getBoundingClientRect().right;
    const out = (element) => element.checkVisibility() && !element.closest(scrolls)
        && right(element) > right(element.closest(".card"));
    const wide = (each) => each.scrollWidth > each.clientWidth;
    return [...document.querySelectorAll(".card *")].filter(out)
        .concat([...document.querySelectorAll("main, .pair, .column")].filter(wide))
        .map((each) => each.outerHTML.slice(0, 120));
}"""


@pytest.mark.parametrize("language", ["en-US", "zh-CN"])
@pytest.mark.parametrize("width", [320, 390, 768, 1440])
def test_nothing_sticks_out_of_its_card(visit: Visit, width: int, language: str) -> None:
    key = "the-toys-of-the-kindergarten-at-the-old-harbour"
    engines = [{"name": f"{key}/{key}:70b", "state": state, "detail": key * 3} for state in ("ready", "loading")]
    path = "/v1/chat/completions"
    counts = [
        {"name": "talkbox_key_answers_total", "value": 1_234_567, "path": path, "status": 200},
        {"name": "talkbox_key_answers_total", "value": 1_234_567, "path": path, "status": 429},
        {"name": "talkbox_tokens_total", "value": 123_456_789, "kind": "prompt"},
        {"name": "talkbox_tokens_total", "value": 23_456_789, "kind": "completion"},
        {"name": "talkbox_key_sound_seconds_total", "value": 0.1},
        {"name": "talkbox_key_sound_seconds_total", "value": 0.2},
    ]

    def before(page: Page) -> None:
        page.route("**/status/stt", lambda route: route.fulfill(json={"ready": True, "engines": engines}))
        page.route("**/usage/*", lambda route: route.fulfill(json={"key": key, "counts": counts}))

    console = visit(size=(width, 900), language=language, before=before)
    console.type("How much is 7 times 8? 🐻" + "w" * 300)
    console.ended()
    console.page.evaluate("document.querySelectorAll('details').forEach((each) => (each.open = true))")
    console.page.wait_for_selector("#usage-named:not([hidden])")

    assert console.page.evaluate(STICKING_OUT) == []
    assert console.page.inner_text("#usage [data-service=stt] td:last-child") == "0.3"
    assert console.page.evaluate("document.documentElement.scrollWidth") <= width


def test_letters_of_twice_the_size_make_nothing_wider_than_the_screen(browser: Browser, talkbox: Installation) -> None:
    large = browser.browser_type.launch(
        executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--blink-settings=defaultFontSize=32"]
    )
    page = large.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"http://127.0.0.1:{talkbox.port}/#key={KEY}")
    page.wait_for_selector("#voices li")
    found = page.evaluate("[getComputedStyle(document.body).fontSize, document.documentElement.scrollWidth]")
    large.close()

    assert found == ["32px", 390]


def test_what_is_chosen_is_seen_where_the_reader_chooses_all_colours(visit: Visit) -> None:
    page = visit(before=lambda page: page.emulate_media(forced_colors="active")).page
    ground = "(button) => getComputedStyle(button).backgroundColor"

    for chosen, other in (("[data-lang=en]", "[data-lang=zh]"), ("#tab-folotoy", "#tab-curl")):
        assert page.eval_on_selector(chosen, ground) != page.eval_on_selector(other, ground)


def test_who_reads_of_engines_by_keyboard_keeps_the_place_while_they_change(visit: Visit) -> None:
    progress = 0.0

    def answer(route: Route) -> None:
        nonlocal progress
        progress += 0.01
        engines = [{"name": "whisper", "state": "loading", "progress": progress}]
        route.fulfill(json={"ready": False, "engines": engines})

    page = visit(before=lambda page: page.route("**/status/stt", answer)).page
    page.focus('.service[data-service="stt"] summary')
    page.wait_for_selector('#services progress[value="3"]', state="attached")

    assert page.evaluate("document.activeElement.matches('[data-service=stt] summary')")
