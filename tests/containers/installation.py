"""A Talkbox in containers beside whatever else runs on this machine, and an upstream that does as a test says."""

import json
import os
import random
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

CHECKOUT = Path(__file__).parents[2]
SERVICES = ("stt", "llm", "tts")
KEY = "tb-containers"
SECONDS_TO_BUILD = 900


def run(*command: str, cwd: Path = CHECKOUT, env: dict[str, str] | None = None, seconds: float = 120) -> str:
    """Its standard output; a command that fails shows all it said."""
    done = subprocess.run(
        command, cwd=cwd, env=os.environ | (env or {}), timeout=seconds, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{' '.join(command)}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def docker(*command: str, seconds: float = 120) -> str:
    return run("docker", *command, seconds=seconds)


def inspect(container: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(docker("inspect", container))[0]
    return found


def wait_until(happened: Callable[[], bool], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"{what}: not within {seconds} s"
        time.sleep(0.2)


def kill_from_outside(container: str) -> None:
    """SIGKILL from the machine, as a crash would be: after `docker kill` the engine would not start it again."""
    found = inspect(container)
    aim = f"import os; os.kill({found['State']['Pid']}, 9)"
    docker("run", "--rm", "--pid=host", "--network=none", "--entrypoint=python", found["Image"], "-c", aim)


def free_ports(count: int) -> int:
    """The first of so many ports in a row on which nobody listens."""
    for _ in range(100):
        first = random.randrange(20000, 30000)
        try:
            for port in range(first, first + count):
                with socket.socket() as probe:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                    probe.bind(("0.0.0.0", port))
        except OSError:
            continue
        return first
    raise AssertionError("no free ports")


class Installation:
    """A copy of this checkout with settings, ports and a name of its own."""

    def __init__(self, root: Path, settings: dict[str, str]) -> None:
        self.root = root
        self.port = free_ports(4)
        self.https_ports = free_ports(2)
        self.project = f"talkbox-test-{os.getpid()}-{self.port}"
        ignored = shutil.ignore_patterns(
            ".git", ".env", ".venv*", ".talkbox", "tests", "__pycache__", ".*_cache", "node_modules"
        )
        shutil.copytree(CHECKOUT, root, ignore=ignored, dirs_exist_ok=True)
        settings = {"API_KEYS": f"tests:{KEY}", "TALKBOX_PORT": str(self.port), "TALKBOX_BIND": "127.0.0.1"} | settings
        root.joinpath(".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, base: str = "", trust: ssl.SSLContext | bool = True) -> httpx.AsyncClient:
        """With the key; a connection a request, as toys have them."""
        limits = httpx.Limits(max_keepalive_connections=0)
        headers = {"authorization": f"Bearer {KEY}"}
        return httpx.AsyncClient(base_url=base or self.base, verify=trust, headers=headers, timeout=30, limits=limits)

    def make(self, *arguments: str, **env: str) -> str:
        env = {"COMPOSE_PROJECT_NAME": self.project, "MODE": "containers"} | env
        return run("make", *arguments, cwd=self.root, env=env, seconds=SECONDS_TO_BUILD)

    def compose(self, *arguments: str, **env: str) -> str:
        env = {"COMPOSE_PROJECT_NAME": self.project} | env
        return run("deploy/containers/compose", *arguments, cwd=self.root, env=env)

    def containers(self, service: str) -> list[str]:
        """Ids of the running ones, in the order of their numbers."""
        labels = (f"com.docker.compose.project={self.project}", f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        shown = docker("ps", "--no-trunc", "--format", "{{.Names}} {{.ID}}", *filters)
        return [line.split()[1] for line in sorted(shown.splitlines())]

    def container(self, service: str) -> str:
        (only,) = self.containers(service)
        return only

    def wait_until_healthy(self) -> None:
        def healthy() -> bool:
            every = [self.containers(service) for service in (*SERVICES, "proxy")]
            return all(every) and all(
                inspect(one)["State"]["Health"]["Status"] == "healthy" for some in every for one in some
            )

        wait_until(healthy, "every container is healthy")

    def wait_until_ready(self) -> None:
        def ready() -> bool:
            return all(httpx.get(f"{self.base}/status/{service}").status_code == 200 for service in SERVICES)

        wait_until(ready, "every service is ready")

    def restore(self) -> None:
        """One healthy replica of each service, and nothing beside."""
        self.compose("up", "--detach", "--no-build", "--remove-orphans", *(f"--scale={each}=1" for each in SERVICES))
        self.wait_until_healthy()
        self.wait_until_ready()

    def access_log(self) -> list[dict[str, Any]]:
        """What the proxy wrote down, one request each."""
        lines = docker("logs", self.container("proxy")).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def remove(self) -> None:
        """All of it: containers, network, volumes, images."""
        self.compose(
            "down", "--volumes", "--remove-orphans", "--rmi", "local", "--timeout", "1", TALKBOX_SITE="localhost"
        )


class Upstream:
    """A chat completions API on this machine that answers as the last message says, in JSON.

    `{"chunks": 20, "gap": 0.1, "silence": 0.5}`: that many events, so many seconds apart, after so many without a word.
    """

    def __init__(self) -> None:
        self.server = ThreadingHTTPServer(("0.0.0.0", 0), _UpstreamHandler)
        self.server.daemon_threads = True
        self.url = f"http://host.docker.internal:{self.server.server_port}/v1"


@contextmanager
def upstream() -> Iterator[Upstream]:
    here = Upstream()
    thread = threading.Thread(target=here.server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield here
    finally:
        here.server.shutdown()
        thread.join()
        here.server.server_close()


class _UpstreamHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        self._send(b'{"object":"list","data":[{"id":"slow","object":"model","created":1,"owned_by":"tests"}]}')

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        wanted = json.loads(body["messages"][-1]["content"])
        time.sleep(wanted.get("silence", 0))
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        try:
            for number in range(wanted["chunks"]):
                self._event(json.dumps(_chunk({"content": f"{number} "}, None)))
                time.sleep(wanted["gap"])
            self._event(json.dumps(_chunk({}, "stop")))
            self._event("[DONE]")
            self.wfile.write(b"0\r\n\r\n")
        except OSError:  # the caller left
            self.close_connection = True

    def _event(self, data: str) -> None:
        event = f"data: {data}\n\n".encode()
        self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))

    def _send(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


def _chunk(delta: dict[str, str], finish: str | None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "slow", "choices": [choice]}
