"""A copy of this checkout, started as its owner would start it, on ports and with settings of its own."""

import os
import random
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from deploy.native import processes

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("Makefile", ".env.example", "deploy", "proxy", "services")
LEFT_OUT = shutil.ignore_patterns("__pycache__", "*.pyc")
KEY = "a-key-for-tests"
OFFLINE = {
    "STT_ENGINES": "sphinx",
    "LLM_ENGINES": "companion",
    "TTS_ENGINES": "flite,espeak",
    "API_KEYS": KEY,
}


def until(done: Callable[[], Any], seconds: float = 20.0) -> Any:
    """What `done` gives as soon as it gives something."""
    deadline = time.monotonic() + seconds
    while not (value := done()):
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)
    return value


def free_port() -> int:
    """One with those free that go with it; below the range that the system gives to outgoing connections."""
    while True:
        port = random.randrange(10000, 32000, 20)
        if all(_is_free(port + more) for more in (0, 1, 2, 3, 11, 12, 13)):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
    return True


class Installation:
    """One Talkbox."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder, self.port = folder, free_port()
        for part in PARTS:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, folder / part, ignore=LEFT_OUT)
            else:
                shutil.copy2(source, folder / part)
        self.settings: dict[str, str] = {}
        self.set(**OFFLINE | settings)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return f"{self.url}/v1"

    def base_of(self, service: str) -> str:
        return f"http://127.0.0.1:{self.port + 1 + ('stt', 'llm', 'tts').index(service)}/v1"

    def set(self, **settings: str) -> None:
        """Write settings into `.env`; they count from the next `make up` on."""
        self.settings |= settings
        lines = [f"{name}={value}\n" for name, value in self.settings.items()]
        (self.folder / ".env").write_text(f"TALKBOX_PORT={self.port}\nTALKBOX_BIND=127.0.0.1\n" + "".join(lines))

    def make(self, *words: str, check: bool = True, seconds: float = 120) -> subprocess.CompletedProcess[str]:
        """Run `make WORD … NAME=value …`; its output is `stdout`, errors included."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
        done = subprocess.run(
            ["make", *words],
            cwd=self.folder,
            env={**inherited, "MODE": "native", "TALKBOX_PYTHON": sys.executable},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=seconds,
        )
        assert not check or done.returncode == 0, done.stdout
        return done

    def client(self, **options: Any) -> httpx.Client:
        """With the key; on the unified base."""
        headers = {"authorization": f"Bearer {KEY}"} | options.pop("headers", {})
        return httpx.Client(base_url=self.base, headers=headers, timeout=30, trust_env=False, **options)

    def pids(self) -> dict[str, tuple[int, list[int]]]:
        """Of each service its parent and its workers, as `make ps` shows them."""
        found = {}
        for line in self.make("ps").stdout.splitlines():
            name, _, rest = line.partition(" ")
            if "(" in rest and name in ("stt", "llm", "tts"):
                parent, _, workers = rest.partition("(")
                found[name] = (int(parent.split()[-1]), [int(pid) for pid in workers.partition(")")[0].split()])
        return found

    def workers(self, service: str) -> list[int]:
        return processes.workers(self.pids()[service][0])

    def ready(self, service: str) -> bool:
        try:
            return httpx.get(f"{self.url}/status/{service}", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def supervise(self, action: str, program: str) -> None:
        """Tell supervisor to `stop` or `start` a program, and wait until it has."""
        config = str(self.folder / ".talkbox" / "run" / "supervisord.conf")
        command = [sys.executable, "-m", "supervisor.supervisorctl", "-c", config, action, program]
        subprocess.run(command, check=True, capture_output=True, timeout=60)

    def log(self, program: str) -> str:
        return (self.folder / ".talkbox" / "logs" / f"{program}.log").read_text(errors="replace")


def nginx_master(installation: Installation) -> int:
    return int((installation.folder / ".talkbox" / "run" / "nginx.pid").read_text())
