"""`make warm ROLES=roles.json`: let tts say every greeting of folotoy-server's roles once, so that it is kept.

Each is asked for through the proxy as folotoy-server would ask, with its role's model, voice and speed: whole, and in
the pieces that it would be cut into. What a role does not say, the compose file beside roles.json or one folder up does
(`OPENAI_TTS_MODEL`, `OPENAI_TTS_VOICE_NAME`, `SENTENCE_SEPARATORS`, `TTS_TYPE`). A model on this machine reads the
prompt of each role that it answers.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

from deploy.folotoy_environment import compose_settings
from deploy.folotoy_files import BrokenFile
from deploy.folotoy_roles import hop, roles
from deploy.installation import ROOT, Addresses, first_key, get, wanted
from deploy.phrases import phrase
from deploy.talk import SEPARATORS, Talkbox, TurnFailed, engine, pieces
from deploy.warm_prompts import prompts, read

EXAMPLE = ROOT / "deploy" / "folotoy" / "roles.json"
AT_A_TIME = 2
_SHOWN_CHARACTERS = 40
_KEPT = {"hit": "was_there", "miss": "is_kept", "shared": "is_kept"}


@dataclass(frozen=True)
class Greeting:
    """A greeting that is to be kept."""

    text: str
    model: str
    voice: str
    speed: float

    @property
    def body(self) -> dict[str, Any]:
        return {"model": self.model, "voice": self.voice, "input": self.text, "speed": self.speed}


def greetings(role: dict[str, Any], settings: Mapping[str, str] | None = None) -> Iterator[Greeting]:
    """Give what the role says first, whole and in pieces; nothing where it has no words or does not speak by Talkbox.

    Args:
        settings: The compose file's, for what the role does not say. A key of `tts_config` wins over the same key on
            the role itself, the older form.
    """
    settings = settings or {}
    text, mouth = role.get("start_text"), hop(role, "tts", settings)
    if not isinstance(text, str) or not text.strip() or not mouth.is_ours:
        return
    voice = mouth.text("voice_name", settings.get("OPENAI_TTS_VOICE_NAME") or "alloy")
    separators = settings.get("SENTENCE_SEPARATORS") or SEPARATORS
    for piece in dict.fromkeys([text, *pieces(iter([text]), separators)]):
        yield Greeting(piece, mouth.model, voice, _speed(mouth.config.get("speed")))


def _speed(wanted: Any) -> float:
    """Return the speed, 1 where the file holds no number: one slip shall not keep the other roles from being said."""
    try:
        return float(wanted or 1.0)
    except (TypeError, ValueError, OverflowError):
        return 1.0


def say(talkbox: Talkbox, greeting: Greeting) -> str:
    """Have a greeting said, and return who spoke and whether it had been kept before.

    Raises:
        TurnFailed: Nobody could, or not to the end.
    """
    response = talkbox.post_json("/v1/audio/speech", greeting.body)
    try:
        response.read()
    except (OSError, HTTPException) as exc:
        raise TurnFailed(phrase("broke_off", path="/v1/audio/speech")) from exc
    kept = _KEPT.get(response.headers.get("x-talkbox-cache", ""), "is_not_kept")
    return f"{engine(response):<12} {phrase(kept)}"


def main() -> int:
    try:
        settings, addresses = wanted(), Addresses.current()
    except ValueError as exc:
        print(exc, file=sys.stderr)
        return 2
    talkbox = Talkbox(addresses.local, addresses.port, first_key(settings))
    failed = 0
    try:
        path = Path(os.environ.get("ROLES", "") or EXAMPLE)
        found, folotoy = roles(path), compose_settings(path)
    except BrokenFile as exc:
        print(f"ROLES={exc}", file=sys.stderr)
        return 1
    wishes = list(dict.fromkeys(greeting for role in found for greeting in greetings(role, folotoy)))
    if not wishes:
        print(phrase("nothing_to_say", path=path), file=sys.stderr)
        return 1
    with ThreadPoolExecutor(AT_A_TIME) as lanes:
        jobs = [(greeting, lanes.submit(say, talkbox, greeting)) for greeting in wishes]
        for greeting, job in jobs:
            try:
                outcome = job.result()
            except TurnFailed as exc:
                failed += 1
                outcome = phrase("failed", reason=exc)
            print(f"  {greeting.voice:<24} {outcome:<24} “{greeting.text.strip()}”", flush=True)
    print("\n  " + phrase("warmed", good=len(wishes) - failed, count=len(wishes), roles=len(found)))
    if not settings.get("TTS_CACHE_DIR"):
        print("  " + phrase("in_memory"))
    _, status = get(addresses.local, addresses.port, "/status/llm", key=talkbox.key)
    engines = status.get("engines", []) if isinstance(status, dict) else []
    failed += _read_prompts(talkbox, dict.fromkeys(prompts(found, folotoy, engines, addresses.port)))
    return 1 if failed else 0


def _read_prompts(talkbox: Talkbox, wishes: Iterable[tuple[str, str]]) -> int:
    """Have the prompts read one after the other, and return how many were not."""
    failed = 0
    for model, prompt in wishes:
        began = time.monotonic()
        try:
            read(talkbox, model, prompt)
            outcome = phrase("has_read", seconds=f"{time.monotonic() - began:.1f}")
        except TurnFailed as exc:
            failed += 1
            outcome = phrase("failed", reason=exc)
        print(f"  {model:<24} {outcome:<24} “{prompt.strip()[:_SHOWN_CHARACTERS]}…”", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
