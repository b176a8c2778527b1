"""The real nginx with the template as it is filled in natively, in front of stand-ins for the services."""

import json
import re
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import random
from time import monotonic, sleep

import httpx
import pytest
from deploy.installation import ROOT, Addresses
from deploy.native.render import TEMPLATE, find_nginx, proxy_config

from fixtures.tools import needs

pytestmark = needs(find_nginx(), "no nginx on this machine (`make e2e` fetches it)")
ORIGIN = "http://localhost:3000"
PREFLIGHT = {
    "origin": ORIGIN,
    "access-control-request-method": "POST",
    "access-control-request-headers": "authorization,content-type",
}


class Service(BaseHTTPRequestHandler):
    """Answers with its own port and the path; nobody comes in without a key."""

    lacks = ""
    """Path that it does not have."""

    def do_GET(self) -> None:
        self.send_response(401 if "authorization" not in self.headers else 404 if self.path == self.lacks else 200)
        body = f"{self.connection.getsockname()[1]} {self.path}".encode()
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_OPTIONS = do_GET

    def log_message(self, format: str, *args: object) -> None:
        return


class Mind(Service):
    lacks = "/v1/models/sphinx"


@contextmanager
def proxy(folder: Path, origins: str = "", trusted: str = "") -> Iterator[Addresses]:
    """nginx with stt and llm behind it; tts is down."""
    addresses = Addresses(bind="127.0.0.1", port=_free_port())
    handlers = {"stt": Service, "llm": Mind}
    servers = [ThreadingHTTPServer(("127.0.0.1", addresses.own_port(name)), handlers[name]) for name in handlers]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    filled = proxy_config(
        TEMPLATE.read_text(), addresses, {"TALKBOX_ORIGINS": origins, "TALKBOX_TRUSTED_PROXIES": trusted}
    )
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temp = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    config = folder / "nginx.conf"
    config.write_text(
        f"pid {folder}/pid; error_log stderr emerg; daemon off; events {{}} http {{ {temp} "
        f"{filled.replace('/dev/stdout', f'{folder}/access.log')} }}"
    )
    nginx = subprocess.Popen([find_nginx() or "", "-e", "stderr", "-p", str(folder), "-c", str(config)])
    try:
        _wait_for(addresses.port)
        yield addresses
    finally:
        nginx.terminate()
        nginx.wait(10)
        for server in servers:
            server.shutdown()
            server.server_close()


def exposed(answer: httpx.Response) -> set[str]:
    return set(answer.headers["access-control-expose-headers"].lower().split(", "))


def _free_port() -> int:
    """Find a port below the ephemeral ones that is free, as its neighbours are."""
    for port in sorted(range(20_000, 30_000, 20), key=lambda _: random()):
        with ExitStack() as bound, suppress(OSError):
            for neighbour in range(port, port + 14):
                bound.enter_context(socket.create_server(("127.0.0.1", neighbour)))
            return port
    raise AssertionError("no ports are free")


def _wait_for(port: int) -> None:
    until = monotonic() + 10
    while monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.02)
    raise AssertionError("nginx did not start")


@pytest.mark.parametrize("origins", [ORIGIN, f"https://a.example, {ORIGIN}/", "*"])
def test_an_origin_that_is_named_may_call_and_its_preflight_needs_no_key(tmp_path: Path, origins: str) -> None:
    allowed = "*" if origins == "*" else ORIGIN
    with proxy(tmp_path, origins) as addresses:
        for port in range(addresses.port, addresses.port + 4):
            preflight = httpx.options(f"http://127.0.0.1:{port}/v1/chat/completions", headers=PREFLIGHT)
            assert preflight.status_code == 204
            assert preflight.headers["access-control-allow-origin"] == allowed
            assert "POST" in preflight.headers["access-control-allow-methods"]
            assert preflight.headers["access-control-allow-headers"] == "authorization,content-type"
        base = f"http://127.0.0.1:{addresses.port}/v1"
        for path, headers, status in (
            ("/chat/completions", {"authorization": "Bearer k"}, 200),
            ("/chat/completions", {}, 401),
            ("/nowhere", {}, 404),
            ("/audio/speech", {}, 503),
        ):
            answer = httpx.post(f"{base}{path}", headers={"origin": ORIGIN} | headers)
            assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (status, allowed)
            assert {"x-request-id", "x-talkbox-guard", "server-timing"} <= exposed(answer)
            assert answer.headers["vary"] == "Origin"


def test_a_page_may_read_each_header_that_a_service_answers_with(tmp_path: Path) -> None:
    sources = (source.read_text() for source in (ROOT / "services").rglob("*.py"))
    ours = {header for source in sources for header in re.findall(r"\"(x-talkbox-[a-z-]+)\"", source)}
    with proxy(tmp_path, ORIGIN) as addresses:
        answer = httpx.get(f"http://127.0.0.1:{addresses.port}/v1/models", headers={"origin": ORIGIN})

    assert len(ours) > 5
    assert ours <= set(answer.headers["access-control-expose-headers"].lower().split(", "))


@pytest.mark.parametrize("origins", ["", "https://a.example", "http://localhost:30000", "http://localhost"])
def test_any_other_origin_may_not(tmp_path: Path, origins: str) -> None:
    with proxy(tmp_path, origins) as addresses:
        base = f"http://127.0.0.1:{addresses.port}/v1"
        answers = [
            httpx.options(f"{base}/chat/completions", headers=PREFLIGHT),
            httpx.post(f"{base}/chat/completions", headers={"origin": ORIGIN}),
            httpx.post(f"{base}/nowhere", headers={"origin": ORIGIN}),
        ]

    assert [answer.status_code for answer in answers] == [403, 401, 404]
    assert "TALKBOX_ORIGINS=" in answers[0].json()["error"]["message"]
    assert not any(name.startswith("access-control") for answer in answers for name in answer.headers)


def test_an_unknown_path_is_told_what_to_switch_and_names_of_models_find_their_service(tmp_path: Path) -> None:
    with proxy(tmp_path, "") as addresses:
        base = f"http://127.0.0.1:{addresses.port}"
        for path, words in (
            ("/v1/responses?x=/v1/embeddings", "openai.chat("),
            ("/v1/completions", "is_chat_model=True"),
            ("/v1/embeddings", "embedding model"),
            ("/v1", "full URLs"),
            ("/v1/audio", "full URLs"),
            ("/v1/nowhere", "Unknown path"),
        ):
            answer = httpx.post(f"{base}{path}")
            assert words in json.loads(answer.content)["error"]["message"]
            assert answer.status_code == 404
        key = {"authorization": "Bearer k"}
        services = {"whisper-1": "stt", "gpt-4o-mini": "llm", "sphinx": "stt"}
        found = {name: httpx.get(f"{base}/v1/models/{name}", headers=key).text.split()[0] for name in services}

    assert found == {name: str(addresses.own_port(service)) for name, service in services.items()}


def test_errors_of_the_proxy_itself_say_how_long_they_took(tmp_path: Path) -> None:
    with proxy(tmp_path, "") as addresses:
        for port in (addresses.port, *map(addresses.base_port, ("stt", "llm", "tts"))):
            answer = httpx.post(f"http://127.0.0.1:{port}/v1/nowhere")
            assert answer.status_code == 404
            assert re.fullmatch(r"total;dur=(?:0|[1-9]\d*)", answer.headers["server-timing"])


@pytest.mark.parametrize("path", ["/v1//chat/completions", "//v1/chat/completions", "/v1/chat/completions/"])
def test_a_slash_too_many_is_none(tmp_path: Path, path: str) -> None:
    with proxy(tmp_path, "") as addresses:
        answers = [
            httpx.post(f"http://127.0.0.1:{port}{path}?a=b//", headers={"authorization": "Bearer k"})
            for port in (addresses.port, addresses.port + 2)
        ]

    assert [answer.text.split()[-1] for answer in answers] == ["/v1/chat/completions?a=b//"] * 2


def begin_large_body(addresses: Addresses, caller: str) -> socket.socket:
    """Send the head of a large upload, as a trusted proxy does for `caller`; its body is held back."""
    connection = socket.create_connection(("127.0.0.1", addresses.port), timeout=10)
    head = (
        f"POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nx-forwarded-for: {caller}\r\nauthorization: Bearer k\r\n"
    )
    connection.sendall(f"{head}content-length: 2000000\r\nexpect: 100-continue\r\n\r\n".encode())
    return connection


def first_line(connection: socket.socket) -> bytes:
    return connection.recv(4096).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("house", "neighbour"),
    [("2001:db8:0:a::{}", "2001:db8:0:b::1"), ("fd00::{}", "fd00:0:0:1::1"), ("192.0.2.7", "192.0.2.8")],
)
def test_a_house_sends_so_many_large_bodies_at_a_time_from_whichever_of_its_addresses(
    tmp_path: Path, house: str, neighbour: str
) -> None:
    with proxy(tmp_path, trusted="127.0.0.1") as addresses, ExitStack() as opened:
        for number in range(1, 65):
            caller = opened.enter_context(begin_large_body(addresses, house.format(number)))
            assert first_line(caller) == b"HTTP/1.1 100 Continue"
        one_more = opened.enter_context(begin_large_body(addresses, house.format(65)))
        another = opened.enter_context(begin_large_body(addresses, neighbour))

        assert first_line(one_more).startswith(b"HTTP/1.1 429 ")
        assert first_line(another) == b"HTTP/1.1 100 Continue"
