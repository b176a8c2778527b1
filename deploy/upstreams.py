"""`python -m deploy.upstreams`: prints a line for each upstream of the chains that lacks a setting, as JSON.

It runs with the libraries of the services and asks their own tables of providers.
"""

import json
import sys
from collections.abc import Iterator
from importlib import import_module

from deploy.installation import SERVICES

from chassis.errors import EngineUnavailable
from chassis.settings import SettingError, read
from chassis.upstream.provider import Provider
from chassis.upstream.settings import Rows

TABLES = {
    "stt": "stt.engines.openai.providers",
    "llm": "llm.request.providers",
    "tts": "tts.engines.openai.providers",
}


def lacking() -> Iterator[tuple[str, str, str]]:
    """Yield service, engine and what the engine lacks."""
    for service in SERVICES:
        rows: Rows[Provider] = import_module(TABLES[service]).UPSTREAMS
        engines = import_module(f"{service}.engines").ENGINES
        settings = read(import_module(f"{service}.settings").Settings)
        for name in dict.fromkeys((settings.type, *settings.engines)):
            if name in engines or not rows.exists(name):
                continue
            try:
                rows.row(name)
            except (EngineUnavailable, SettingError) as exc:
                yield service, name, str(exc)


def main() -> int:
    print(json.dumps(list(lacking())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
