"""Name the extras that the settings in `.env` need: libraries that only some engines want, and not everybody has.

An engine's extra has the name of its room in `services/NAME/engines/`, and is pinned in
`services/NAME/requirements-EXTRA.txt`; an engine without such a file needs none. `otlp` is wanted where a collector is
set. Plain Python without dependencies, and of any version from 3.9 on: in MODE=containers the host's own runs it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.env_file import UnreadableEnv, read_env
from deploy.installation import ROOT, SERVICES

_LEFT_OUT_OF_IMAGES = frozenset({"hibari"})
"""Extras that more than double an image: built into it only where `TTS_EXTRAS` in `.env` names them."""
_COLLECTORS = (
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
)
"""Settings of an OpenTelemetry collector; `services/chassis/otlp/options.py` reads them."""
_ENGINE = re.compile(r'^    "([a-z0-9-]+)": "\w+\.engines\.(\w+)[\w.]*:\w+"', re.MULTILINE)


def pins(service: str, settings: Mapping[str, str], services: Path = ROOT / "services") -> list[Path]:
    """Return the files with the pins of the extras that a service needs: its chain's in order, then a collector's."""
    code = services / service
    rooms = dict(_ENGINE.findall((code / "engines" / "__init__.py").read_text(encoding="utf-8")))
    chain = re.split(r"[,，、;；\s]+", settings.get(f"{service.upper()}_ENGINES", "").lower())
    wanted = [code / f"requirements-{rooms[name]}.txt" for name in chain if name in rooms]
    if any(settings.get(name) for name in _COLLECTORS):
        wanted.append(code / "requirements-otlp.txt")
    return [file for file in dict.fromkeys(wanted) if file.exists()]


def main() -> int:
    """Print the files of all services, one a line; with `names`, a shell's assignments such as `STT_EXTRAS=sherpa`."""
    try:
        settings = read_env(ROOT / ".env")
    except UnreadableEnv as exc:
        print(exc, file=sys.stderr)
        return 2
    for service in SERVICES:
        files = pins(service, settings)
        if sys.argv[1:] == ["names"]:
            names = [file.stem.partition("-")[2] for file in files]
            chosen = " ".join(name for name in names if name not in _LEFT_OUT_OF_IMAGES)
            variable = f"{service.upper()}_EXTRAS"
            print(f"{variable}='{' '.join(settings.get(variable, chosen).replace(',', ' ').split())}'")
        else:
            for file in files:
                print(file.relative_to(ROOT))
    return 0


if __name__ == "__main__":
    sys.exit(main())
