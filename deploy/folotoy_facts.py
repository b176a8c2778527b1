"""Define a mistake, and the facts by which the rules for folotoy-server's files judge. Plain Python of any version from
3.9 on."""

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
    """A mistake in one of folotoy-server's files, and its cure."""

    path: Path
    """The keys that lead to the mistake; the file tells the line."""
    level: str
    cause: str
    cure: str
    mend: Mend | None = None
    line: int = 0
    """The line, where no path of keys leads to it."""


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
    """Names of the voices; empty where tts does not answer."""
    environment: Mapping[str, str] = field(default_factory=dict)
    extra_hosts: bool | None = None
    """True where the compose file adds hosts; None where no compose file is known."""

    def port_of(self, service: str) -> int:
        return self.port + 1 + SERVICES.index(service)

    def at(self, host: str | None) -> Facts:
        """Return the facts as a container on `host` finds them: containers beside Talkbox call the proxy by its own
        ports."""
        return replace(self, port=INSIDE_PORT) if host == INSIDE else self

    @property
    def ports(self) -> list[int]:
        return list(range(self.port, self.port + 4))
