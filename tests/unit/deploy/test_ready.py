import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from deploy.installation import Addresses
from deploy.ready import folotoy, screen, wait

READY: dict[str, Any] = {"name": "sphinx", "state": "ready"}
LOADING: list[dict[str, Any]] = [
    {"name": "whisper", "state": "loading", "detail": "downloading", "progress": part} for part in (0.1, 0.12, 0.5)
]
LOST: dict[str, Any] = {"name": "whisper", "state": "unavailable", "detail": "no network"}


class Status(BaseHTTPRequestHandler):
    """`/status/…`: each answer of `told` once, the last one for ever."""

    told: ClassVar[list[list[dict[str, Any]]]] = []

    def do_GET(self) -> None:
        engines = [READY]
        if self.path == "/status/stt":
            engines = self.told.pop(0) if len(self.told) > 1 else self.told[0]
        self.send_response(200 if any(engine["state"] == "ready" for engine in engines) else 503)
        self.end_headers()
        self.wfile.write(json.dumps({"ready": True, "engines": engines}).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def addresses() -> Iterator[Addresses]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Status) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Addresses(server.server_port, "127.0.0.1")
        server.shutdown()
        thread.join()


def test_the_waiting_ends_when_the_first_engine_is_known_not_to_come(addresses: Addresses) -> None:
    Status.told = [*([engine, READY] for engine in LOADING), [LOST, READY]]
    said: list[str] = []

    engines = wait(addresses, lambda: None, said.append)

    assert engines["stt"] == [LOST, READY]
    assert [line.split()[2] for line in said if "whisper" in line] == ["loading:", "loading:", "unavailable:"]


def test_an_engine_of_which_nothing_has_begun_yet_takes_no_line(addresses: Addresses) -> None:
    Status.told = [[{"name": "whisper", "state": "loading"}, READY], [LOST, READY]]
    said: list[str] = []

    wait(addresses, lambda: None, said.append)

    assert [line.split()[2] for line in said if "whisper" in line] == ["unavailable:"]


def test_trouble_ends_the_waiting(addresses: Addresses) -> None:
    Status.told = [[LOADING[0]]]

    with pytest.raises(RuntimeError, match="stt has died"):
        wait(addresses, lambda: "stt has died", lambda line: None)


def test_the_screen_names_who_answers_and_why_not_the_first() -> None:
    text = screen(Addresses(9000, "10.0.0.7"), "tb-1", {"stt": [LOST, READY], "llm": [READY], "tts": [LOADING[0]]})

    assert "hears with sphinx (whisper is unavailable: no network)" in text
    assert "speaks as soon as it has loaded" in text
    assert "http://10.0.0.7:9002/v1" in text


def test_folotoys_variables_have_its_own_odd_names() -> None:
    settings = folotoy("http://10.0.0.7:9000/v1", "tb-1")

    assert settings["OPENAI_OPENAI_KEY"] == "tb-1"
    assert settings["TTS_TYPE"] == "openai-tts"


def test_the_page_is_opened_with_the_key_in_hand() -> None:
    assert "http://127.0.0.1:9000/#key=tb-1%2F2" in screen(Addresses(9000), "tb-1/2", {})


def test_what_an_engine_says_of_itself_is_shown_though_it_is_ready(addresses: Addresses) -> None:
    edge = {"name": "edge", "state": "ready", "detail": "not tried yet"}
    Status.told = [[edge, READY]]
    said: list[str] = []

    wait(addresses, lambda: None, said.append)

    assert "  stt  edge       ready, not tried yet" in said
    assert "speaks with edge (edge is ready, not tried yet)" in screen(addresses, None, {"tts": [edge, READY]})
    assert "speaks with sphinx\n" in screen(addresses, None, {"tts": [READY]})
