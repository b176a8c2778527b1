"""Rules for the compose file of folotoy-server. Plain Python without dependencies, and of any version from 3.9 on."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

from deploy.folotoy_facts import Facts, Mistake, mistake
from deploy.folotoy_files import INTERPOLATED, entries, settings_in
from deploy.folotoy_names import LOOPBACK, ODD_ADDRESS, OURS, TYPES, bare
from deploy.folotoy_roles import PREFIXES

_ENTRY = re.compile(r"^(\s*)(-\s+)?[\"']?([A-Z][A-Z0-9_]*)[\"']?\s*(:(?:\s|$)|=)")
KNOWN = frozenset(
    f"OPENAI_{service}_{what}"
    for service in ("WHISPER", "OPENAI", "TTS")
    for what in ("API_BASE", "KEY", "MODEL", "VOICE_NAME")
) | {
    "STT_TYPE",
    "LLM_TYPE",
    "TTS_TYPE",
    "ROLES_FILE_PATH",
    "AUDIO_DOWNLOAD_URL",
    "SPEECH_UDP_SERVER_HOST",
}
"""Settings of folotoy-server that this file judges."""
WIDE = re.compile(r"^\s*-?\s*[A-Za-z][A-Za-z0-9_]*\s*[：＝]")
QUOTED = re.compile(r"^\s*-\s+[A-Z][A-Z0-9_]*=[\"']")
EXTRA_HOSTS = re.compile(r"^[^#\n]*\bextra_hosts\b", re.MULTILINE)
_GLUED = re.compile(r"^\s*[A-Z][A-Z0-9_]*:[^\s/]")
SMALL = re.compile(r"^\s*(?:-\s+)?([a-z][a-z0-9]*(?:_[a-z0-9]+)+)\s*[:=]")
FOLOTOY = re.compile(r"folotoy|ROLES_FILE_PATH|SPEECH_UDP_SERVER_HOST", re.IGNORECASE)
_WARNINGS = frozenset({"no_port"})
_TYPE = re.compile(r"(STT|LLM|TTS)_TYPE")
_ENVIRONMENT = re.compile(r"\s*environment:\s*(?:&\w+\s*)?(?:#.*)?$")
_HOST_NETWORK = re.compile(r"^[^#\n]*\bnetwork_mode[\"']?\s*:\s*[\"']?host\b", re.MULTILINE)
"""Pattern of a container that has the machine's own network, where 127.0.0.1 is the machine."""
BASE = re.compile(r"(OPENAI_(?:WHISPER|OPENAI|TTS))_API_BASE")
_WRONG_KEY = re.compile(r"(OPENAI_(?:WHISPER|OPENAI|TTS))_API_KEY|(OPENAI)_(KEY|API_BASE|MODEL)")


def compose_mistakes(text: str, facts: Facts) -> Iterator[Mistake]:
    """Give every mistake of a compose file's text."""
    if not text.strip():
        yield mistake((), "error", "empty")
    if "\ufffd" in text:
        yield mistake((), "error", "not_utf8", line=text[: text.index("\ufffd")].count("\n") + 1)
    yield from _layout(text.split("\n"))
    yield from _ports(text.split("\n"))
    yield from environment_mistakes(text, facts, text)


def environment_mistakes(text: str, facts: Facts, compose: str) -> Iterator[Mistake]:
    """Give every mistake of the settings in a text: a compose file, or a file that one names under `env_file:`."""
    seen = dict[str, int]()
    others = _others(text)
    foreign = _others(compose)
    compose = "\n".join(line for number, line in enumerate(compose.split("\n"), 1) if number not in foreign)
    starts = [number for number, line in enumerate(text.split("\n"), 1) if _ENVIRONMENT.match(line)]
    given = set[tuple[int, str]]()
    for number, name, value in entries(text):
        if number in others:
            continue
        place = (bisect(starts, number), name)
        if place in given:
            yield mistake((), "error", "twice", line=number, name=name)
        given.add(place)
        seen[name] = number
        for code, values in _faults(name, value, compose, facts):
            yield mistake(
                (),
                "warning" if code in _WARNINGS else "error",
                code,
                line=number,
                name=name,
                **values,
            )
    if "OPENAI_TTS_API_BASE" in seen and "TTS_TYPE" not in (
        *seen,
        *settings_in(compose),
    ):
        yield mistake((), "warning", "no_tts_setting", line=seen["OPENAI_TTS_API_BASE"])


def _others(text: str) -> set[int]:
    """Return the lines of services that are not folotoy-server, where one says that it is."""
    lines = text.split("\n")
    begin = next(
        (at for at, line in enumerate(lines, 1) if re.match(r"services:\s*(#.*)?$", line)),
        len(lines),
    )
    end = next(
        (at for at in range(begin, len(lines)) if re.match(r"[^\s#]", lines[at])),
        len(lines),
    )
    margin = next(
        (found[0] for line in lines[begin:end] if (found := re.match(r"\s+(?=[^\s#])", line))),
        "",
    )
    starts = [at for at in range(begin, end) if re.match(rf"{margin}[^\s#]", lines[at])]
    blocks = [range(start, stop) for start, stop in zip(starts, [*starts[1:], end], strict=False)]
    ours = [block for block in blocks if FOLOTOY.search("\n".join(lines[block.start : block.stop]))]
    return {at + 1 for block in blocks if ours and block not in ours for at in block}


def _unread(line: str, number: int) -> Iterator[Mistake]:
    """Give what makes an entry below `environment:` none that folotoy-server reads."""
    if _GLUED.match(line):
        yield mistake((), "error", "glued", line=number)
    elif QUOTED.match(line):
        yield mistake((), "error", "quotes_inside", line=number)
    elif (small := SMALL.match(line)) and small[1].upper() in KNOWN:
        yield mistake((), "error", "not_read", line=number, name=small[1], right=small[1].upper())


def _ports(lines: list[str]) -> Iterator[Mistake]:
    for number, line in enumerate(lines, 1):
        if re.match(r"\s*-\s*[\"']?(?:[\d.]+:)?\d+:8085[\"']?\s*(#.*)?$", line):
            yield mistake((), "error", "no_udp", line=number)


def _layout(lines: list[str]) -> Iterator[Mistake]:
    indent, inside, form = -1, -1, ""
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if "\t" in line[:depth]:
            yield mistake((), "error", "tab", line=number)
        if _ENVIRONMENT.match(line):
            indent, inside, form = depth, -1, ""
            continue
        entry = _ENTRY.match(line)
        if WIDE.match(line):
            yield mistake((), "error", "wide_colon", line=number)
        if indent >= 0 and depth > indent:
            yield from _unread(line, number)
        if indent >= 0 and entry:
            kind = ("- " if entry[2] else "") + ("=" if entry[4] == "=" else ":")
            if depth < indent or (depth == indent and not entry[2]) or inside not in (-1, depth):
                yield mistake((), "error", "indented_otherwise", line=number, name=entry[3])
            elif kind not in ("- =", ":") or form not in ("", kind):
                yield mistake((), "error", "mixed_forms", line=number)
            inside, form = (depth, kind) if inside == -1 else (inside, form)
        elif depth <= indent:
            indent = -1


def _faults(name: str, value: str, text: str, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is wrong with one setting: the code of its sentence, and what that is filled in with."""
    if wrong := _WRONG_KEY.fullmatch(name):
        yield (
            "not_read",
            {"right": f"{wrong[1]}_KEY" if wrong[1] else f"OPENAI_OPENAI_{wrong[3]}"},
        )
    if re.search(r"your[_-](vps[_-]ip|server|ip|key)|YOUR-KEY", value, re.I):
        yield "placeholder_here", {}
    elif name == "AUDIO_DOWNLOAD_URL" and value and not value.startswith(("http://", "https://")):
        yield "no_scheme", {}
    elif name == "SPEECH_UDP_SERVER_HOST" and "://" in value:
        yield "scheme", {}
    if name in ("AUDIO_DOWNLOAD_URL", "SPEECH_UDP_SERVER_HOST") and any(host in value for host in LOOPBACK):
        yield "the_toy_itself", {}
    if (service := _TYPE.fullmatch(name)) and value and value not in TYPES[service[1].lower()]:
        known = TYPES[service[1].lower()]
        near = (get_close_matches(value, known, 1, 0.75) or [OURS[service[1].lower()]])[0]
        yield "unknown_setting", {"value": value, "near": near}
    if name == "ROLES_FILE_PATH" and value and not _mounted(value, text):
        yield "not_mounted", {"value": value}
    if value != bare(value):
        yield "blank_at_end", {"key": name}
    if BASE.fullmatch(name) and value and not value.startswith("${"):
        yield from ((code, {}) for code in _faults_of_base(bare(value), text))
        place = re.match(r"http(s?)://([^/:]+)(?::(\d+))?/", value)
        if place and place[3]:
            yield from _faults_of_port(name, int(place[3]), facts.at(place[2]), is_https=bool(place[1]))
        elif place and not place[1]:
            yield "no_port", {"all": facts.port}


def _faults_of_port(name: str, port: int, facts: Facts, *, is_https: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    if is_https and port in facts.ports:
        yield "plain_http", {"port": port}
    service = next(service for service, prefix in PREFIXES.items() if name.startswith(prefix))
    if port in facts.ports[1:] and port != facts.port_of(service):
        yield (
            "other_service",
            {"port": port, "right": facts.port_of(service), "all": facts.port},
        )
    elif port in (8082, 8083) and port not in facts.ports:
        yield "folotoy_port", {"port": port, "all": facts.port}


def _faults_of_base(value: str, text: str) -> Iterator[str]:
    if not re.match(r"https?://", value) or not value.rstrip("/").endswith("/v1"):
        yield "no_base"
    elif ODD_ADDRESS.search(value):
        yield "odd_address"
    on_loopback = any(re.match(rf"https?://{re.escape(host)}[:/]", value) for host in LOOPBACK)
    if on_loopback and not _HOST_NETWORK.search(text):
        yield "base_in_own_container"
    if "//host.docker.internal" in value and not EXTRA_HOSTS.search(text):
        yield "not_found"


def _mounted(file: str, text: str) -> bool:
    text = INTERPOLATED.sub(lambda found: found[2] or "x", text)
    targets = re.findall(
        r"(?:^\s*-\s*|[\[,]\s*)[\"']?(?:[A-Za-z]:)?[^\s:\"',\[]+:(/[^\s:\"',\]]+)",
        text,
        re.MULTILINE,
    )
    targets += re.findall(r"\btarget[\"']?\s*:\s*[\"']?(/[^\s\"',}]+)", text)
    return any(file == target or file.startswith(target.rstrip("/") + "/") for target in targets)
