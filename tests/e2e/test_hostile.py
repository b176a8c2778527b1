"""Callers without a key, guessers, and proxies in front."""

import json
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from deploy.native import processes
from deploy.native.render import find_nginx

from e2e.installation import KEY, Installation, free_port, nginx_master, until
from e2e.test_streams import TEN_WORDS, chat, words
from imitations.upstream import Upstream

POSTS = ("/audio/transcriptions", "/chat/completions", "/audio/speech")


def head_of(installation: Installation, path: str, *headers: str) -> bytes:
    """What is answered to a request of which only the head and a little of the body came."""
    request = "\r\n".join([f"POST /v1{path} HTTP/1.1", "host: x", *headers, "", ""])
    with socket.create_connection(("127.0.0.1", installation.port), timeout=30) as connection:
        connection.sendall(request.encode() + b"1000\r\n" + b"x" * 1000)
        return connection.recv(65536)


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("length", ["content-length: 30000000", "transfer-encoding: chunked"])
@pytest.mark.parametrize("key", ["authorization: Bearer nope", "x-none: 1"])
def test_without_a_key_a_large_body_is_refused_before_it_is_taken_in(
    talkbox: Installation, path: str, length: str, key: str
) -> None:
    head, _, body = head_of(talkbox, path, length, key).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 401 ")
    assert head.lower().count(b"www-authenticate: bearer") == 1
    assert json.loads(body)["error"]["code"] == "invalid_api_key"


def test_bodies_of_callers_without_a_key_fill_no_disk(talkbox: Installation) -> None:
    temp = talkbox.folder / ".talkbox" / "run" / "temp" / "body"
    connections = []
    for _ in range(20):
        connection = socket.create_connection(("127.0.0.1", talkbox.port), timeout=5)
        head = "POST /v1/audio/transcriptions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer nope\r\n"
        connection.sendall(f"{head}content-length: 30000000\r\n\r\n".encode() + b"x" * 2_000_000)
        connections.append(connection)
    held = sum(file.stat().st_size for file in temp.rglob("*") if file.is_file()) if temp.exists() else 0
    for connection in connections:
        connection.close()

    assert held == 0


def test_with_a_key_a_large_body_arrives(client: httpx.Client) -> None:
    response = client.post("/audio/transcriptions", files={"file": ("a.wav", b"\0" * 3_000_000)})

    assert response.status_code == 400, "it is no sound, which only the service can tell"


def test_a_large_body_for_a_service_that_is_down_is_a_503(talkbox: Installation, client: httpx.Client) -> None:
    talkbox.supervise("stop", "stt")
    try:
        response = client.post("/audio/transcriptions", files={"file": ("a.wav", b"\0" * 3_000_000)})
    finally:
        talkbox.supervise("start", "stt")
    until(lambda: talkbox.ready("stt"))

    assert response.status_code == 503
    assert response.headers["retry-after"]


def test_the_status_shows_no_inner_address_without_a_key(talkbox: Installation) -> None:
    closed = httpx.get(f"{talkbox.url}/status/llm").json()
    opened = httpx.get(f"{talkbox.url}/status/llm", headers={"authorization": f"Bearer {KEY}"}).json()

    assert [engine["name"] for engine in closed["engines"]] == [engine["name"] for engine in opened["engines"]]
    assert all("detail" not in engine for engine in closed["engines"])


@contextmanager
def another_nginx(folder: Path, upstream: str) -> Iterator[str]:
    """An nginx in front with nothing set but where it passes requests on to."""
    port, nginx = free_port(), find_nginx()
    assert nginx
    temps = "".join(
        f"{kind}_temp_path {folder}/{kind}; " for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; events {{}} http {{ access_log off; {temps} server {{ "
        f"listen 127.0.0.1:{port}; location / {{ proxy_pass {upstream}; }} }} }}"
    )
    master = subprocess.Popen([nginx, "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        until(lambda: _accepts(port))
        yield f"http://127.0.0.1:{port}"
    finally:
        master.terminate()
        master.wait(10)


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def test_behind_another_nginx_a_stream_arrives_as_it_is_made(
    talkbox: Installation, upstream: Upstream, tmp_path: Path
) -> None:
    said, body = [], b""
    headers = {"authorization": f"Bearer {KEY}"}
    with (
        another_nginx(tmp_path, talkbox.url) as front,
        httpx.stream(
            "POST", f"{front}/v1/chat/completions", json=chat("words-10-every-150"), headers=headers
        ) as response,
    ):
        for piece in response.iter_raw():
            body += piece
            said.append(upstream.seen[-1].events)

    assert words(body) == TEN_WORDS
    assert said[0] < 6, "what the upstream had said by then"
    assert len(said) >= 4  # several may come together on a busy machine


def test_every_answer_asks_proxies_in_front_to_pass_it_on_as_it_is(client: httpx.Client) -> None:
    speech = {"model": "espeak", "voice": "alloy", "input": "Hello!"}
    answers = [
        client.post("/chat/completions", json=chat("words-2-every-0")),
        client.post("/audio/speech", json=speech),
        client.get("/models"),
    ]

    for answer in answers:
        assert answer.headers["x-accel-buffering"] == "no"
        assert "no-transform" in answer.headers["cache-control"]


def test_the_log_has_the_method_as_it_was_sent(talkbox: Installation, client: httpx.Client) -> None:
    client.post("/nope", headers={"x-request-id": "posted-to-nowhere"})

    line = until(lambda: [line for line in talkbox.log("proxy").splitlines() if "posted-to-nowhere" in line])[0]
    assert json.loads(line)["method"] == "POST"


def test_the_callers_address_is_taken_from_a_proxy_that_is_trusted_and_from_no_other(talkbox: Installation) -> None:
    def logged(request_id: str) -> str:
        headers = {"x-request-id": request_id, "x-forwarded-for": "203.0.113.7"}
        httpx.get(f"{talkbox.url}/status/llm", headers=headers)
        lines = until(lambda: [line for line in talkbox.log("proxy").splitlines() if request_id in line])
        client: str = json.loads(lines[0])["client"]
        return client

    assert logged("before") == "127.0.0.1"
    talkbox.set(TALKBOX_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8")
    talkbox.make("up")
    until(lambda: logged(f"after-{time.monotonic_ns()}") == "203.0.113.7")
    talkbox.set(TALKBOX_TRUSTED_PROXIES="nowhere")
    assert "TALKBOX_TRUSTED_PROXIES" in talkbox.make("up", check=False).stdout
    talkbox.set(TALKBOX_TRUSTED_PROXIES="")
    talkbox.make("up")


@pytest.fixture(scope="module")
def impatient(talkbox: Installation) -> Iterator[Installation]:
    """The same with a proxy that waits one second for a reader, and for the head of a request."""
    template = talkbox.folder / "proxy" / "nginx.conf.template"
    usual = shorter = template.read_text()
    for patience in ("\nsend_timeout 120s;", "\nclient_header_timeout 10s;"):
        assert patience in usual
        shorter = shorter.replace(patience, f"\n{patience.split()[0]} 1s;")
    template.write_text(shorter)
    usual_workers = {*processes.children(nginx_master(talkbox))}
    talkbox.make("up")
    until(lambda: usual_workers.isdisjoint(processes.children(nginx_master(talkbox))))
    yield talkbox
    template.write_text(usual)
    talkbox.make("up")


def test_who_never_reads_is_cut_off(impatient: Installation) -> None:
    wanted = {"model": "espeak", "input": "A bear and a stone. " * 200, "voice": "en-us", "response_format": "wav"}
    body = json.dumps(wanted).encode()
    head = f"POST /v1/audio/speech HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\nx-request-id: never-reads\r\n"
    head += f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", impatient.port))
        connection.sendall(head.encode() + body)
        until(lambda: "never-reads" in impatient.log("proxy"), 40)
        got = b""
        with suppress(ConnectionResetError):
            while more := connection.recv(2**20):
                got += more

    assert got.startswith(b"HTTP/1.1 200")
    assert not got.endswith(b"0\r\n\r\n"), "the answer was whole"


def test_who_never_ends_the_head_of_a_request_is_cut_off(impatient: Installation) -> None:
    with socket.create_connection(("127.0.0.1", impatient.port), timeout=30) as connection:
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nx-slow: ")

        assert connection.recv(1) == b""
