"""Rules for the compose file of folotoy-server. Plain Python without dependencies, and of any version from 3.9 on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from deploy.folotoy_facts import Mistake, mistake
from deploy.folotoy_files import INTERPOLATED, settings_in
from deploy.folotoy_names import LOOPBACK

ENTRY = re.compile(r"^(\s*)(-\s+)?[\"']?([A-Z][A-Z0-9_]*)[\"']?\s*(:(?:\s|$)|=)")
BASE = re.compile(r"(OPENAI_(?:WHISPER|OPENAI|TTS))_API_BASE")
WRONG_KEY = re.compile(r"(OPENAI_(?:WHISPER|OPENAI|TTS))_API_KEY|(OPENAI)_(KEY|API_BASE|MODEL)")


def compose_mistakes(text: str) -> Iterator[Mistake]:
    """Give every mistake of a compose file's text."""
    lines = text.split("\n")
    yield from _layout(lines)
    values = settings_in(text)
    for number, line in enumerate(lines, 1):
        entry = ENTRY.match(line)
        if entry:
            yield from _value(number, entry[3], values.get(entry[3], ""), text)


def _layout(lines: list[str]) -> Iterator[Mistake]:
    indent, inside, form = -1, -1, ""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if "\t" in line[:depth]:
            yield mistake((), "error", "tab", line=number)
        if re.match(r"\s*environment:\s*(#.*)?$", line):
            indent, inside, form = depth, -1, ""
            continue
        entry = ENTRY.match(line)
        if indent >= 0 and entry:
            kind = ("- " if entry[2] else "") + ("=" if entry[4] == "=" else ":")
            if depth < indent or (depth == indent and not entry[2]) or inside not in (-1, depth):
                yield mistake((), "error", "indented_otherwise", line=number, name=entry[3])
            elif kind not in ("- =", ":") or form not in ("", kind):
                yield mistake((), "error", "mixed_forms", line=number)
            inside, form = (depth, kind) if inside == -1 else (inside, form)
        elif depth <= indent:
            indent = -1


def _value(number: int, name: str, value: str, text: str) -> Iterator[Mistake]:
    for code, values in _faults(name, value, text):
        yield mistake((), "error", code, line=number, name=name, **values)


def _faults(name: str, value: str, text: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is wrong with one setting: the code of its sentence, and what that is filled in with."""
    if wrong := WRONG_KEY.fullmatch(name):
        yield "not_read", {"right": f"{wrong[1]}_KEY" if wrong[1] else f"OPENAI_OPENAI_{wrong[3]}"}
    if re.search(r"your[_-](vps[_-]ip|server|ip|key)|YOUR-KEY", value, re.I):
        yield "placeholder_here", {}
    elif name == "AUDIO_DOWNLOAD_URL" and value and not value.startswith(("http://", "https://")):
        yield "no_scheme", {}
    elif name == "SPEECH_UDP_SERVER_HOST" and "://" in value:
        yield "scheme", {}
    if name in ("AUDIO_DOWNLOAD_URL", "SPEECH_UDP_SERVER_HOST") and any(host in value for host in LOOPBACK):
        yield "the_toy_itself", {}
    if name == "ROLES_FILE_PATH" and value and not _mounted(value, text):
        yield "not_mounted", {"value": value}
    if BASE.fullmatch(name) and value and not value.startswith("${"):
        yield from ((code, {}) for code in _faults_of_base(value, text))


def _faults_of_base(value: str, text: str) -> Iterator[str]:
    if not re.match(r"https?://", value) or not value.rstrip("/").endswith("/v1"):
        yield "no_base"
    if any(re.match(rf"https?://{re.escape(host)}[:/]", value) for host in LOOPBACK):
        yield "base_in_own_container"
    if "//host.docker.internal" in value and "extra_hosts" not in text:
        yield "not_found"


def _mounted(file: str, text: str) -> bool:
    text = INTERPOLATED.sub(lambda found: found[2] or "x", text)
    targets = re.findall(r"^\s*-\s*[\"']?[^\s:\"']+:(/[^\s:\"']+)", text, re.MULTILINE)
    targets += re.findall(r"^\s*target:\s*[\"']?(/[^\s\"']+)", text, re.MULTILINE)
    return any(file == target or file.startswith(target.rstrip("/") + "/") for target in targets)
