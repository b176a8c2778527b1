"""`make warm ROLES=roles.json`: let tts say every greeting of folotoy-server's roles once, so that it is kept.

Each is asked for through the proxy as folotoy-server would ask, with its role's model, voice and speed: whole, and in
the pieces that it would be cut into.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from deploy.installation import ROOT, Addresses, first_key, wanted
from deploy.talk import Talkbox, TurnFailed, engine, pieces

EXAMPLE = ROOT / "deploy" / "folotoy" / "roles.json"
OURS = ("", "openai-tts")
"""The `tts_type` of a role that speaks through Talkbox."""
AT_A_TIME = 2


@dataclass(frozen=True)
class Greeting:
    """One thing to be said."""

    text: str
    model: str
    voice: str
    speed: float

    @property
    def body(self) -> dict[str, Any]:
        return {"model": self.model, "voice": self.voice, "input": self.text, "speed": self.speed}


def roles(path: Path) -> list[dict[str, Any]]:
    """Every role of the file, and every one that a single toy has instead.

    Raises:
        TurnFailed: The file cannot be read as such.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        toys = found.pop("toys", {})
        own = [{**found.get(name, {}), **role} for toy in toys.values() for name, role in toy.items()]
        return [dict(role) for role in (*found.values(), *own) if isinstance(role, dict)]
    except OSError as exc:
        raise TurnFailed(f"ROLES={path} cannot be read: {exc.strerror}.") from exc
    except (ValueError, AttributeError, TypeError) as exc:
        raise TurnFailed(f"ROLES={path} is no roles.json: an object of roles by number. ({exc})") from exc


def greetings(role: dict[str, Any]) -> Iterator[Greeting]:
    """What it says first, whole and in pieces; nothing where it has no words or another voice than Talkbox's."""
    text, config = role.get("start_text"), role.get("tts_config")
    config = config if isinstance(config, dict) else {}
    if not isinstance(text, str) or not text.strip() or role.get("tts_type", "") not in OURS:
        return
    model, voice = str(config.get("model") or "tts-1"), str(config.get("voice_name") or "alloy")
    for said in dict.fromkeys([text, *pieces(iter([text]))]):
        yield Greeting(said, model, voice, _speed(config.get("speed")))


def _speed(wanted: Any) -> float:
    """As fast as usual where the file holds no number: one slip shall not keep the other roles from being said."""
    try:
        return float(wanted or 1.0)
    except (TypeError, ValueError):
        return 1.0


def say(talkbox: Talkbox, greeting: Greeting) -> str:
    """Returns:
        Who spoke, and whether it had been kept before.

    Raises:
        TurnFailed: Nobody could, or not to the end.
    """
    response = talkbox.post_json("/v1/audio/speech", greeting.body)
    try:
        response.read()
    except (OSError, HTTPException) as exc:
        raise TurnFailed("/v1/audio/speech broke off.") from exc
    kept = {"hit": "was there", "miss": "is kept", "shared": "is kept"}
    return f"{engine(response):<12} {kept.get(response.headers.get('x-talkbox-cache', ''), 'is not kept')}"


def main() -> int:
    try:
        settings, addresses = wanted(), Addresses.current()
    except ValueError as exc:
        print(exc, file=sys.stderr)
        return 2
    talkbox = Talkbox(addresses.local, addresses.port, first_key(settings))
    failed = 0
    try:
        found = roles(Path(os.environ.get("ROLES", "") or EXAMPLE))
    except TurnFailed as exc:
        print(exc, file=sys.stderr)
        return 1
    wishes = list(dict.fromkeys(greeting for role in found for greeting in greetings(role)))
    with ThreadPoolExecutor(AT_A_TIME) as lanes:
        jobs = [(greeting, lanes.submit(say, talkbox, greeting)) for greeting in wishes]
        for greeting, job in jobs:
            try:
                outcome = job.result()
            except TurnFailed as exc:
                failed += 1
                outcome = f"failed: {exc}"
            print(f"  {greeting.voice:<24} {outcome:<24} “{greeting.text.strip()}”", flush=True)
    print(f"\n  {len(wishes) - failed} of {len(wishes)} pieces of {len(found)} roles are said.")
    if not settings.get("TTS_CACHE_DIR"):
        print("  They are in the memory of the process that said them; TTS_CACHE_DIR in .env keeps them for all.")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
