"""What the rules for folotoy-server's files say and judge by. Plain Python of any version from 3.9 on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from deploy.folotoy_names import sentence
from deploy.installation import SERVICES

Path = tuple[str, ...]
Mend = Callable[[str], str]
"""Returns the text of the file without the mistake, and else as it was."""
INSIDE = "proxy"
"""Talkbox's host for containers on its network, such as those of deploy/folotoy/compose.yaml."""
INSIDE_PORT = 8080


@dataclass(frozen=True)
class Mistake:
    """One mistake and its cure."""

    path: Path
    """Keys that lead to it; the file names the line."""
    level: str
    cause: str
    cure: str
    mend: Mend | None = None
    line: int = 0
    """Line, where no path of keys leads there."""


def mistake(path: Path, level: str, code: str, mend: Mend | None = None, line: int = 0, **values: object) -> Mistake:
    """Return the mistake that `proxy/site/folotoy.json` has the sentences of, filled in with `values`."""
    cause, cure = sentence(code, **values)
    return Mistake(path, level, cause, cure, mend, line)


@dataclass(frozen=True)
class Facts:
    """Facts about the installation and folotoy-server's environment that the rules judge by."""

    port: int = 8080
    keys: tuple[str, ...] = ()
    chains: Mapping[str, str] = field(default_factory=dict)
    voices: tuple[str, ...] = ()
    """Names of the voices; empty: tts does not answer now."""
    environment: Mapping[str, str] = field(default_factory=dict)
    extra_hosts: bool | None = None
    """None: no compose file is known."""

    def port_of(self, service: str) -> int:
        return self.port + 1 + SERVICES.index(service)

    def at(self, host: str | None) -> Facts:
        """Return the installation as that host shows it: containers beside it call the proxy by its own ports."""
        return replace(self, port=INSIDE_PORT) if host == INSIDE else self

    @property
    def ports(self) -> list[int]:
        return list(range(self.port, self.port + 4))
