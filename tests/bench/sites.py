"""A Talkbox of one's own that is changed while it runs: as processes, and in containers."""

import os
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from containers import installation as containers
from e2e import installation as native

SERVICES = ("stt", "llm", "tts")
MAKE_SECONDS = 600


class Site(Protocol):
    """One Talkbox that is changed, and how; each change returns when it is over."""

    base: str
    key: str

    def settings(self, number: int) -> None:
        """Change a setting of each service."""

    def upgrade(self, number: int) -> None:
        """Change the code of each service."""

    def scale(self, replicas: int) -> None:
        """Run so many of each service."""

    def restart(self) -> None:
        """Restart a part of each service, of which there are two."""

    def reload(self) -> None:
        """Have the proxy read its configuration again."""

    def remove(self) -> None:
        """Take it down."""


def _edit(folder: Path, number: int) -> None:
    with (folder / "services" / "chassis" / "errors.py").open("a") as file:
        file.write(f"# {number}\n")


class Native:
    """Talkbox as processes."""

    key = native.KEY

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.installation = native.Installation(folder, **settings)
        self.base = self.installation.base
        self._make("up")

    def settings(self, number: int) -> None:
        self.installation.set(**{f"{service.upper()}_MAX_QUEUED": str(100 + number) for service in SERVICES})
        self._make("up")

    def upgrade(self, number: int) -> None:
        _edit(self.installation.folder, number)
        self._make("up")

    def scale(self, replicas: int) -> None:
        self._make("scale", *(f"{service}={replicas}" for service in SERVICES))

    def restart(self) -> None:
        before = self.installation.pids()
        for parent, _ in before.values():
            os.kill(parent, signal.SIGHUP)
        native.until(
            lambda: all(not set(before[each][1]) & set(self.installation.workers(each)) for each in SERVICES), 120
        )

    def reload(self) -> None:
        os.kill(int((self.installation.folder / ".talkbox" / "run" / "nginx.pid").read_text()), signal.SIGHUP)
        time.sleep(2)

    def remove(self) -> None:
        self.installation.make("down", check=False)

    def _make(self, *words: str) -> None:
        self.installation.make(*words, seconds=MAKE_SECONDS)


class Containers:
    """Talkbox in containers."""

    key = containers.KEY

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        here = {name: value.replace("127.0.0.1", "host.docker.internal") for name, value in settings.items()}
        self.installation = containers.Installation(folder, here)
        self.base = f"{self.installation.base}/v1"
        self._env = folder / ".env"
        self._first = self._env.read_text()
        self.installation.make("up")
        self.installation.wait_until_healthy()

    def settings(self, number: int) -> None:
        more = "".join(f"{service.upper()}_MAX_QUEUED={100 + number}\n" for service in SERVICES)
        self._env.write_text(self._first + more)
        self.installation.make("up")

    def upgrade(self, number: int) -> None:
        _edit(self.installation.root, number)
        self.installation.make("up")

    def scale(self, replicas: int) -> None:
        self.installation.make("scale", *(f"{service}={replicas}" for service in SERVICES))

    def restart(self) -> None:
        for service in SERVICES:
            containers.docker("restart", self.installation.containers(service)[0])
        self.installation.wait_until_healthy()

    def reload(self) -> None:
        containers.docker("exec", self.installation.container("proxy"), "nginx", "-s", "reload")
        time.sleep(2)

    def remove(self) -> None:
        self.installation.remove()
