"""Read what the commands behind make know of this checkout: settings, addresses, what is up.

Plain Python without dependencies, and of any version from 3.9 on: in MODE=containers the host's own runs it.
"""

from __future__ import annotations

import json
import os
import re
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from deploy.env_file import read_env
from deploy.phrases import phrase
from deploy.whole_file import write_whole

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".talkbox"
COMMENT = re.compile(r"(?:^|\s)#")
SERVICES = ("stt", "llm", "tts")


def wanted(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the settings in `.env`; `TALKBOX_…` and `FOLOTOY_…` in the shell win, as it does with Compose."""
    environ = os.environ if environ is None else environ
    ours = {name: value for name, value in environ.items() if name.startswith(("TALKBOX_", "FOLOTOY_")) and value}
    return {**read_env(ROOT / ".env"), **ours}


@dataclass(frozen=True)
class Addresses:
    """Ports and addresses on which everything listens."""

    port: int = 8080
    bind: str = ""
    """Address of the proxy; empty: all interfaces."""

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Addresses:
        """Return the addresses that settings ask for.

        Raises:
            ValueError: `TALKBOX_PORT` cannot be used.
        """
        text = settings.get("TALKBOX_PORT", "").strip() or "8080"
        if not text.isdigit() or not 1 <= int(text) <= 65522:
            raise ValueError(phrase("port_unusable", text=text))
        bind = settings.get("TALKBOX_BIND", "").strip()
        return cls(int(text), "" if bind in ("0.0.0.0", "::", "*") else bind.strip("[]"))

    @classmethod
    def current(cls) -> Addresses:
        """Return the addresses of what is up, or else of what would be."""
        if (STATE / "addresses.json").exists() and "TALKBOX_PORT" not in os.environ:
            return cls(**json.loads((STATE / "addresses.json").read_text()))
        return cls.of(wanted())

    def remember(self) -> None:
        write_whole(STATE / "addresses.json", json.dumps({"port": self.port, "bind": self.bind}))

    def base_port(self, service: str) -> int:
        """Return the port of a service's own base, through the proxy."""
        return self.port + 1 + SERVICES.index(service)

    def own_port(self, service: str) -> int:
        """Return the port of the service itself, natively."""
        return self.port + 11 + SERVICES.index(service)

    @property
    def local(self) -> str:
        """Host of the proxy as seen from this machine."""
        return self.bind or "127.0.0.1"

    @property
    def host(self) -> str:
        """Host of the proxy as others see it, as far as this machine can tell."""
        return self.bind or _address_in_the_house() or "127.0.0.1"


def url(host: str, port: int, path: str = "/v1") -> str:
    return f"http://[{host}]:{port}{path}" if ":" in host else f"http://{host}:{port}{path}"


def _address_in_the_house() -> str | None:
    """Return the address of the interface that leads outside; nothing is sent to learn it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        address: str = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def first_key(settings: Mapping[str, str]) -> str | None:
    """Return the key to show; None: anyone may call."""
    return next(iter(all_keys(settings)), None)


def all_keys(settings: Mapping[str, str]) -> list[str]:
    """Return the keys of API_KEYS or of the file that API_KEYS_FILE names, without their names."""
    text, file = settings.get("API_KEYS", ""), settings.get("API_KEYS_FILE", "").strip()
    if file and not text.strip():
        with suppress(OSError):
            lines = Path(file).expanduser().read_text(encoding="utf-8-sig").split("\n")
            text = ",".join(COMMENT.split(line)[0] for line in lines)
    entries = [entry.strip().partition(":") for entry in text.split(",") if entry.strip()]
    return [key if colon else name for name, colon, key in entries]


def get(host: str, port: int, path: str, *, key: str | None = None, seconds: float = 5.0) -> tuple[int, Any]:
    """Return status and JSON of a GET; status 0 where nothing answers, and None for what is no JSON."""
    connection = HTTPConnection(host, port, timeout=seconds)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"} if key else {})
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    except (OSError, HTTPException):
        return 0, None
    except ValueError:
        return response.status, None
    finally:
        connection.close()
