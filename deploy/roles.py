"""`make roles FILE=roles.json COMPOSE=docker-compose.yml`: check folotoy-server's files, a mistake a line.

`FIX=1` mends what is safe and keeps the old file as `.bak`; `NEW=roles.json` makes a file for this installation. Exit 1
with errors. Plain Python of any version from 3.9 on; with PyYAML compose files are read as YAML too.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from deploy.folotoy_compose import EXTRA_HOSTS, file_mistakes, named_files
from deploy.folotoy_environment import COMPOSE_FILES, compose_settings, environment_of, folders_of
from deploy.folotoy_facts import INSIDE, Facts, Mistake, mistake
from deploy.folotoy_files import BrokenFile, read_json, text_of
from deploy.folotoy_names import NEW, USUAL_MODELS, sentence
from deploy.folotoy_rules import mistakes
from deploy.installation import SERVICES, Addresses, all_keys, first_key, get, wanted
from deploy.phrases import phrase

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|[{}\[\],:]')
_MOST_MENDS = 1000
_FIRST = "\0"
"""Place in a list, a longer one for each that follows: no key is like it."""


def lines_of(text: str) -> dict[tuple[str, ...], int]:
    """Return the line of each key of a JSON text, by the keys that lead to it."""
    return dict(reversed([*_keys(text)]))


def twice(text: str) -> Iterator[Mistake]:
    """Give every key that a JSON object has more than once."""
    seen, doubled = set[tuple[str, ...]](), set[tuple[str, ...]]()
    for path, line in _keys(text):
        if path in seen:
            doubled.add(path)
        if path in seen and path[:-1] not in doubled:
            yield mistake(path, "error", "twice", line=line, name=path[-1])
        seen.add(path)


def _keys(text: str) -> Iterator[tuple[tuple[str, ...], int]]:
    """Give each key of a JSON text, after the keys and places in lists that lead to it, and its line."""
    path: list[str] = []
    last, line, counted = ("", 1), 1, 0
    for token in TOKEN.finditer(text):
        sign = token[0]
        line, counted = line + text.count("\n", counted, token.start()), token.start()
        if sign[0] == '"':
            last = (json.loads(sign), line)
        elif sign == ":":
            path[-1] = last[0]
            yield tuple(path), last[1]
        elif sign in "{[":
            path.append(_FIRST if sign == "[" else "")
        elif sign == "," and path[-1].startswith(_FIRST):
            path[-1] += _FIRST
        elif sign in "}]":
            path.pop()


def line_of(one: Mistake, lines: Mapping[tuple[str, ...], int]) -> int:
    """Return the line of a mistake: its key's, or that of the nearest key above it."""
    ends = range(len(one.path), 0, -1)
    return one.line or next((lines[one.path[:end]] for end in ends if one.path[:end] in lines), 1)


def _check_compose(files: Sequence[Path], facts: Facts) -> bool:
    """Print the mistakes of compose files and of the files that they name; return whether there is an error."""
    failed = [_report(file, listed, {}) for file, listed in file_mistakes(files, facts)]
    return any(failed)


def _check_roles(path: Path, facts: Facts, *, fix: bool) -> bool:
    """Print the mistakes of a roles.json, mend it if wished, and return whether an error is left."""
    try:
        file = read_json(path)
    except BrokenFile as exc:
        print(f"{exc.place}: error: {exc.cause}; {exc.cure}")
        return True
    text, has_bom = path.read_bytes().decode("utf-8-sig"), path.read_bytes().startswith(BOM_UTF8)
    new, done = mended(text, facts) if fix else (text, [])
    done += [(1, mistake((), "warning", "bom"))] if fix and has_bom else []
    refused = _write_anew(path, new, done) if done else []
    if done and not refused:
        file, text, has_bom = json.loads(new), new, False
    listed, lines = [*refused, *twice(text), *mistakes(file, facts)], lines_of(text)
    if has_bom:
        listed.append(mistake((), "warning", "bom"))
    if path.stat().st_mode & 0o077 and not path.stat().st_mode & 0o002:  # a file for its owner alone is meant so
        listed.append(mistake((), "warning", "not_writable"))
    return _report(path, listed, lines)


def _write_anew(path: Path, text: str, done: list[tuple[int, Mistake]]) -> list[Mistake]:
    """Put a mended text into the file and tell of it, the old one beside it; return the mistake that nobody may."""
    try:
        shutil.copy2(path, f"{path}.bak")
        path.write_bytes(text.encode())
    except OSError as exc:
        return [mistake((), "error", "unwritable", why=exc.strerror)]
    for line, one in done:
        print(f"{path}:{line}: mended: {one.cause}; {one.cure}")
    print("; ".join(sentence("written_anew", path=path)))
    return []


def mended(text: str, facts: Facts) -> tuple[str, list[tuple[int, Mistake]]]:
    """Return a JSON text without what can be mended, and what that was, each with its line at that moment."""
    done: list[tuple[int, Mistake]] = []
    while len(done) < _MOST_MENDS:  # a mended name may show a mistake in its value
        one = next((one for one in mistakes(json.loads(text), facts) if one.mend), None)
        if one is None or one.mend is None:
            break
        done.append((line_of(one, lines_of(text)), one))
        text = one.mend(text)
    return text, done


def _report(path: Path, listed: list[Mistake], lines: Mapping[tuple[str, ...], int]) -> bool:
    for one in sorted(listed, key=lambda one: line_of(one, lines)):
        print(f"{path}:{line_of(one, lines)}: {one.level}: {one.cause}; {one.cure}")
    return any(one.level == "error" for one in listed)


def _written(file: Any) -> str:
    return json.dumps(file, ensure_ascii=False, indent=2) + "\n"


def new_roles(facts: Facts, host: str, key: str) -> dict[str, Any]:
    """Return seven roles for this installation: Chinese and English in turn, the last three at individual services."""
    return {str(number): _new_role(number, facts, host, key) for number in range(1, 8)}


def _new_role(number: int, facts: Facts, host: str, key: str) -> dict[str, Any]:
    chinese = number % 2 == 1
    ports = [facts.port if number < 5 else facts.port_of(service) for service in SERVICES]
    stt, llm, tts = ({"api_base": f"http://{host}:{port}/v1", "key": key} for port in ports)
    language = "zh" if chinese else "en"
    greeting, prompt = NEW[language]
    return {
        "start_text": greeting,
        "prompt": prompt,
        "max_message_count": 10,
        "stt_type": "openai-whisper",
        "stt_config": {**stt, "model": USUAL_MODELS["stt"], "language": language, "prompt": ""},
        "llm_type": "openai",
        "llm_config": {**llm, "model": USUAL_MODELS["llm"], "max_tokens": 200},
        "tts_type": "openai-tts",
        "tts_config": {**tts, "model": USUAL_MODELS["tts"], "voice_name": _voice(facts, language, number)},
    }


def _voice(facts: Facts, language: str, number: int) -> str:
    fitting = [voice for voice in facts.voices if voice.startswith(f"{language}-")]
    return fitting[number // 2 % len(fitting)] if fitting else "alloy"


def gather_facts(
    settings: Mapping[str, str], addresses: Addresses, path: Path | None, compose: Sequence[Path]
) -> Facts:
    """Return what the rules judge by: the installation, and the compose files named or found beside `path`."""
    files = list(compose)
    if path and not compose:
        files = [folder / name for folder in folders_of(path) for name in COMPOSE_FILES if (folder / name).is_file()]
    texts = [text_of(file) for file in files]
    environment = compose_settings(path) if path and not compose else {}
    for file in compose:
        environment.update(environment_of(file))
    _, body = get(addresses.local, addresses.port, "/v1/audio/voices", key=first_key(settings), seconds=2)
    listed = body.get("voices", []) if isinstance(body, dict) else []
    return Facts(
        port=addresses.port,
        keys=tuple(all_keys(settings)),
        chains={service: settings.get(f"{service.upper()}_ENGINES", "") for service in SERVICES},
        voices=tuple(voice["id"] for voice in listed),
        environment=environment,
        extra_hosts=any(EXTRA_HOSTS.search(text) for text in texts) if texts else None,
    )


def _make_new(path: Path, facts: Facts, host: str, key: str) -> int:
    """Write a new roles.json that only its owner may read, since it holds a key; never over another file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8", opener=_for_its_owner) as file:
            file.write(_written(new_roles(facts, host, key)))
    except OSError as exc:
        print(*sentence("cannot_be_made", path=path, why=exc.strerror), file=sys.stderr)
        return 1
    print(*sentence("made", path=path), sep="\n")
    return 0


def _for_its_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def main() -> int:
    file, compose, new = (os.environ.get(name, "").strip() for name in ("FILE", "COMPOSE", "NEW"))
    path = Path(file) if file else None
    if not (path or compose or new):
        print(phrase("roles_wants"), file=sys.stderr)
        return 2
    try:
        settings, addresses, beside = wanted(), Addresses.current(), named_files(compose)
        facts = gather_facts(settings, addresses, path, beside)
    except BrokenFile as exc:
        print(f"{exc.place}: error: {exc.cause}; {exc.cure}")
        return 1
    except (ValueError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 2
    if new:
        beside_us = settings.get("FOLOTOY_HOST", "").strip()  # folotoy-server is on Talkbox's own network
        host = INSIDE if beside_us else addresses.host
        return _make_new(Path(new), facts.at(host), host, first_key(settings) or "none")
    failed = _check_compose(beside, facts)
    fix = os.environ.get("FIX", "").strip().lower() not in ("", "0", "no", "off", "false")
    failed = (path is not None and _check_roles(path, facts, fix=fix)) or failed
    print(*sentence("errors" if failed else "no_errors"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
