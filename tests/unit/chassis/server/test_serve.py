"""`python -m chassis.server` with a service made for the purpose, in processes of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

SERVICES = Path(__file__).parents[4] / "services"
APP = """
import asyncio, os
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from chassis.chain.chain import Chain
from chassis.chain.seat import Seat
from chassis.server.app import create_service
from chassis.server.auth import KeyOptions
from chassis.server.streams import EventStream, Stream
from chassis.sse import event
from chassis.settings import ServiceSettings, read

class EchoSettings(ServiceSettings, frozen=True, kw_only=True):
    prefix = "TTS_"
    engines: tuple[str, ...] = ("a",)

class Engine:
    first_byte_seconds = 0.1
    async def aclose(self): pass

async def count():
    for number in range(5):
        yield f"{number}\\n".encode()
        await asyncio.sleep(0.1)

async def slow(request):
    return Stream(count(), media_type="text/plain")

async def events():
    async for piece in count():
        yield event(piece.decode().strip())

async def slow_events(request):
    return EventStream(events())

async def pid(request):
    return PlainTextResponse(str(os.getpid()))

def create_app():
    settings = read(EchoSettings)
    posts = [Route("/slow", slow, methods=["POST"]), Route("/events", slow_events, methods=["POST"])]
    routes = [*posts, Route("/pid", pid)]
    return create_service(settings, Chain([Seat("a", lambda report: Engine())]), routes, keys=KeyOptions())
"""


class Process:
    def __init__(self, folder: Path, *arguments: str, **environ: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        # A connection a request, and without the certificates that make httpx.get a hundred times as dear.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.Client(base_url=self.url, limits=limits, verify=False, trust_env=False)
        self.child = subprocess.Popen(
            [sys.executable, "-m", "chassis.server", "tts", "--port", str(self.port), *arguments],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{folder}:{SERVICES}", **environ},
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_up(self) -> None:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                if self.client.get("/healthz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise AssertionError("the service did not come up")

    def pids(self) -> set[str]:
        def ask(_: int) -> str:
            try:
                return self.client.get("/pid").text
            except httpx.TransportError:  # a worker that goes has not read all; proxies ask again
                return ""

        with ThreadPoolExecutor(8) as callers:  # one after the other might always find the same worker idle
            return {*callers.map(ask, range(40))} - {""}

    def wait_for_workers(self, number: int) -> None:
        deadline = time.monotonic() + 30
        while len(seen := self.pids()) != number:
            assert time.monotonic() < deadline, seen


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    package = tmp_path / "tts"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "app.py").write_text(APP)
    return tmp_path


@pytest.fixture
def alone(folder: Path) -> Iterator[Process]:
    process = Process(folder)
    yield process
    process.child.kill()
    process.child.communicate()


@pytest.fixture
def several(folder: Path) -> Iterator[Process]:
    process = Process(folder, "--workers", "2")
    yield process
    process.child.terminate()
    process.child.communicate(timeout=30)


def test_sigterm_lets_a_stream_finish_and_the_exit_code_is_0(alone: Process) -> None:
    alone.wait_until_up()
    with httpx.stream("POST", f"{alone.url}/slow") as response:
        pieces = response.iter_bytes()
        got = next(pieces)
        alone.child.send_signal(signal.SIGTERM)
        got += b"".join(pieces)

    assert got == b"0\n1\n2\n3\n4\n"
    assert alone.child.wait(30) == 0


def test_sigterm_lets_an_event_stream_finish_although_sse_starlette_would_end_it(alone: Process) -> None:
    alone.wait_until_up()
    with httpx.stream("POST", f"{alone.url}/events") as response:
        pieces = response.iter_bytes()
        got = next(pieces)
        alone.child.send_signal(signal.SIGTERM)
        got += b"".join(pieces)

    assert got == b"".join(b'data: "%d"\n\n' % number for number in range(5))
    assert alone.child.wait(30) == 0


def test_what_cannot_be_read_as_http_is_answered_in_the_shape_of_every_error(alone: Process) -> None:
    alone.wait_until_up()
    for request in ("FOO / HTTP/1.1\r\n", "GET /熊 HTTP/1.1\r\n", "GET / HTTP/1.1\r\nx-a: a\x01\r\n"):
        with socket.create_connection(("127.0.0.1", alone.port), timeout=5) as connection:
            connection.sendall(f"{request}host: x\r\n\r\n".encode())
            head, _, body = b"".join(iter(partial(connection.recv, 4096), b"")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ")
        assert b"content-type: application/json" in head
        assert b"x-request-id: " in head
        assert set(json.loads(body)["error"]) == {"message", "type", "param", "code"}


def test_a_setting_that_cannot_be_used_is_one_line_and_exit_code_3(folder: Path) -> None:
    for arguments in ((), ("--workers", "1")):
        process = Process(folder, *arguments, TTS_FIRST_BYTE_SECONDS="soon")
        output, _ = process.child.communicate(timeout=20)
        assert "TTS_FIRST_BYTE_SECONDS: cannot use 'soon'" in output
        assert "Traceback" not in output
        assert process.child.returncode == 3


def test_a_service_that_breaks_as_it_starts_is_not_started_for_ever(folder: Path) -> None:
    (folder / "tts" / "app.py").write_text("def create_app():\n    raise KeyError('x')\n")
    for arguments in ((), ("--workers", "1")):
        process = Process(folder, *arguments)
        output, _ = process.child.communicate(timeout=20)
        assert "tts cannot start" in output
        assert process.child.returncode == 3


def test_an_unknown_log_level_is_refused(folder: Path) -> None:
    process = Process(folder, "--workers", "1", LOG_LEVEL="loud")
    output, _ = process.child.communicate(timeout=20)

    assert "LOG_LEVEL: cannot use 'loud'" in output
    assert process.child.returncode == 3


def test_workers_come_and_go_by_signal(several: Process) -> None:
    several.wait_until_up()
    several.wait_for_workers(2)

    several.child.send_signal(signal.SIGTTOU)

    several.wait_for_workers(1)


def test_workers_leave_the_port_free_when_their_parent_is_killed(several: Process) -> None:
    several.wait_until_up()

    several.child.kill()

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as next_one:
            next_one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                next_one.bind(("127.0.0.1", several.port))
                return
            except OSError:
                time.sleep(0.05)
    raise AssertionError("the port is still taken")


def test_all_workers_are_counted_together(several: Process) -> None:
    several.wait_until_up()
    asked = len([several.pids() for _ in range(2)]) * 40

    counted = re.findall(r'talkbox_requests_total\{.*path="/pid".*\} (\d+)', httpx.get(f"{several.url}/metrics").text)

    assert sum(map(int, counted)) == asked
