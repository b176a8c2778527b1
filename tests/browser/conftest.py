"""Chromium before a real Talkbox: what it plays into the microphone was spoken by flite."""

import wave
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from deploy.native.render import find_nginx
from playwright.sync_api import Browser, Page, sync_playwright

from browser.console import Console
from e2e.installation import KEY, Installation

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP talkbox.test 127.0.0.1",  # a name that is not localhost, over plain http
]
SAID = "hello little bear"
RATE = 24_000


@pytest.fixture(scope="session")
def talkbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    assert find_nginx(), "nginx is missing: `make browser` fetches it"
    installation = Installation(tmp_path_factory.mktemp("talkbox"))
    installation.make("up")
    yield installation
    installation.make("down")


@pytest.fixture(scope="session")
def recording(talkbox: Installation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`SAID`, with a second of silence after it."""
    wanted = {"model": "flite", "voice": "slt", "input": SAID, "response_format": "pcm"}
    with talkbox.client() as client:
        samples = client.post("/audio/speech", json=wanted).raise_for_status().content
    path = tmp_path_factory.mktemp("recording") / "said.wav"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples + bytes(2 * RATE))
    return path


@pytest.fixture(scope="session")
def browser(recording: Path) -> Iterator[Browser]:
    assert Path(CHROMIUM).exists(), "Chromium is missing: `apt-get install chromium`"
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=[*FLAGS, f"--use-file-for-fake-audio-capture={recording}%noloop"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, talkbox: Installation) -> Iterator[Callable[..., Console]]:
    """Opens the page in a browser that has never seen it: with the key, unless told otherwise."""
    contexts = []

    def open_page(
        *,
        key: str | None = KEY,
        host: str = "127.0.0.1",
        language: str = "en-US",
        dark: bool = False,
        size: tuple[int, int] = (390, 844),
        before: Callable[[Page], object] = lambda page: None,
    ) -> Console:
        context = browser.new_context(
            locale=language,
            color_scheme="dark" if dark else "light",
            viewport={"width": size[0], "height": size[1]},
        )
        context.set_default_timeout(60_000)
        contexts.append(context)
        console = Console(context.new_page())
        before(console.page)
        console.page.goto(f"http://{host}:{talkbox.port}/" + (f"#key={key}" if key else ""))
        console.page.wait_for_selector('#services [data-state]:not([data-state="asking"])')
        return console

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def client(talkbox: Installation) -> Iterator[httpx.Client]:
    with talkbox.client() as client:
        yield client
