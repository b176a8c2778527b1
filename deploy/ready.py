"""`python -m deploy.ready`: shows the engines load until each service answers, then what to do with them.

In both modes the last step of `make up`. `--trouble COMMAND` is asked every few seconds for what went wrong: if it
prints anything, that is shown and the exit code is 1.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

if __package__ in (None, ""):  # run as a file
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from deploy.ears import limits
from deploy.engine_details import detail_in_words
from deploy.installation import SERVICES, Addresses, first_key, get, url, wanted
from deploy.phrases import phrase, state_name

_STALLED_SECONDS = 45.0
"""Longest wait for a better engine whose loading makes no progress, once the service answers."""
_SILENT_SECONDS = 120.0
_POLL_SECONDS = 0.25
SHORT = 70
"""Longest reason that fits beside an engine's name; a longer one gets a line of its own."""

Trouble = Callable[[], "str | None"]


def wait(
    addresses: Addresses, trouble: Trouble, say: Callable[[str], None], key: str | None = None
) -> dict[str, list[Any]]:
    """Watch until every service answers and the first engine of each chain is there, or is known not to come.

    Returns:
        The engines of each service.

    Raises:
        RuntimeError: `trouble` has something to say, or nothing happens any more.
    """
    engines: dict[str, list[Any]] = {}
    shown: dict[tuple[str, str], str] = {}
    changed = asked = time.monotonic()
    while True:
        ready = set()
        for service, status, listed in _statuses(addresses, key):
            engines[service] = listed
            if status == 200:
                ready.add(service)
            for engine in listed:
                if engine["state"] == "loading" and "detail" not in engine:  # nothing has begun yet
                    continue
                if shown.get((service, engine["name"])) != step(engine):
                    shown[service, engine["name"]] = step(engine)
                    changed = time.monotonic()
                    say(f"  {service}  {engine['name']:<10} {describe(engine, state_name)}")
        idle = time.monotonic() - changed
        if len(ready) == len(SERVICES) and (
            all(engines[service][0]["state"] != "loading" for service in SERVICES) or idle > _STALLED_SECONDS
        ):
            return engines
        if time.monotonic() - asked > 2:
            asked = time.monotonic()
            if reason := trouble():
                raise RuntimeError(reason)
        if idle > _SILENT_SECONDS:
            missing = ", ".join(service for service in SERVICES if service not in ready)
            raise RuntimeError(phrase("nothing_happened", seconds=f"{_SILENT_SECONDS:.0f}", missing=missing))
        time.sleep(_POLL_SECONDS)


def _statuses(addresses: Addresses, key: str | None) -> Iterator[tuple[str, int, list[Any]]]:
    """Yield each service that answers, with its status and its engines."""
    for service in SERVICES:
        status, body = get(addresses.local, addresses.port, f"/status/{service}", key=key)
        if isinstance(body, dict) and "engines" in body:
            yield service, status, body["engines"]


def describe(engine: Any, named: Callable[[str], str] = str) -> str:
    """Return a state as `loading: downloading model.bin, 40 %` or `ready, not tried yet`; `named` says its name."""
    text = named(engine["state"])
    detail, progress = detail_in_words(engine.get("detail") or "").rstrip(".。"), engine.get("progress")
    if detail:
        text += f", {detail}" if engine["state"] == "ready" else f": {detail}"
    if progress is not None:
        text += f", {int(progress * 100)} %"
    return text


def brief(engine: Any, named: Callable[[str], str] = str) -> str:
    """Return `describe` in a short form."""
    text = describe(engine, named)
    return text if len(text) < SHORT else named(engine["state"])


def step(engine: Any) -> str:
    """Return what a new line is printed for when it changes: the state, and progress by tenths."""
    progress = engine.get("progress")
    return f"{engine['state']} {engine.get('detail') if progress is None else int(progress * 10)}"


def screen(addresses: Addresses, key: str | None, engines: dict[str, list[Any]]) -> str:
    """Return the text that a newcomer needs next."""
    host, bases = addresses.host, {service: addresses.base_port(service) for service in SERVICES}
    base = url(host, addresses.port)
    page = f"/#key={quote(key, safe='')}" if key else "/"
    here = "" if host == addresses.local else phrase("here", base=url(addresses.local, addresses.port))
    lines = [
        "",
        phrase("up"),
        "",
        phrase("base", base=base) + here,
        phrase("key", key=key or phrase("no_key")),
        phrase("page", page=url(addresses.local, addresses.port, page)),
        "",
        phrase("each"),
        *(f"  {service}  {url(host, bases[service])}   {_answers(service, engines)}" for service in SERVICES),
        *(f"  {line}" for line in (limits(engines.get("stt", [])) or "").splitlines()),
        "",
        phrase("folotoy"),
        "",
        *(f"  {name}: {value}" for name, value in folotoy(base, key).items()),
        "",
    ]
    if host.startswith("127."):
        lines += [phrase("loopback", bind=phrase("bind") if addresses.bind else ""), ""]
    return "\n".join([*lines, phrase("next")])


def _answers(service: str, engines: dict[str, list[Any]]) -> str:
    states, does = engines.get(service, []), phrase(service)
    now = next((engine for engine in states if engine["state"] == "ready"), None)
    if now is None:
        return phrase("loading", does=does)
    ahead = states[: states.index(now)] if brief(now) == "ready" else states[: states.index(now) + 1]
    known = "; ".join(phrase("is", engine=engine["name"], state=brief(engine, state_name)) for engine in ahead)
    return phrase("with", does=does, engine=now["name"], known=phrase("known", known=known) if known else "")


def folotoy(base: str, key: str | None) -> dict[str, str]:
    """Return folotoy-server's variables for all three services at one base."""
    shown = key or "none"
    return {
        "STT_TYPE": "openai-whisper",
        "OPENAI_WHISPER_API_BASE": base,
        "OPENAI_WHISPER_KEY": shown,
        "LLM_TYPE": "openai",
        "OPENAI_OPENAI_API_BASE": base,
        "OPENAI_OPENAI_KEY": shown,
        "TTS_TYPE": "openai-tts",
        "OPENAI_TTS_API_BASE": base,
        "OPENAI_TTS_KEY": shown,
    }


def show(addresses: Addresses, trouble: Trouble) -> int:
    """Wait, and print the screen.

    Returns:
        The exit code.
    """
    key, say = first_key(wanted()), _say
    engines: dict[str, list[Any]] = {}
    say(phrase("waiting"))
    try:
        engines = wait(addresses, trouble, say, key)
    except KeyboardInterrupt:
        say("\n" + phrase("goes_on"))
    except RuntimeError as exc:
        say(f"\n{exc}\n\n{phrase('trouble')}")
        return 1
    say(screen(addresses, key, engines))
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _asking(command: str | None) -> Trouble:
    def ask() -> str | None:
        if not command:
            return None
        return subprocess.run(command, shell=True, capture_output=True, text=True).stdout.strip() or None

    return ask


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m deploy.ready", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--trouble", metavar="COMMAND", help="prints what went wrong, or nothing")
    try:
        addresses = Addresses.of(wanted())
    except ValueError as exc:
        _say(str(exc))
        return 2
    return show(addresses, _asking(parser.parse_args().trouble))


if __name__ == "__main__":
    sys.exit(main())
