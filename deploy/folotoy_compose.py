"""Rules for the compose file of folotoy-server. Plain Python of any version from 3.9 on, with PyYAML or without."""

from __future__ import annotations

import os
import re
from bisect import bisect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from deploy.folotoy_environment import Entry, env_files, lines_of_others, settings_of
from deploy.folotoy_facts import Facts, Mistake, mistake
from deploy.folotoy_files import INTERPOLATED, entries, settings_in, text_of
from deploy.folotoy_layout import ENVIRONMENT, KNOWN, layout_mistakes
from deploy.folotoy_names import ODD_ADDRESS, TYPES, bare, host_of, is_loopback, is_no_host, plain_name, type_like
from deploy.folotoy_ours import is_ours, setting_mistakes
from deploy.folotoy_roles import PREFIXES
from deploy.folotoy_yaml import Document

EXTRA_HOSTS = re.compile(
    r"^[^#\n]*\bextra_hosts\b(?:[^#\n]*:\s*\*\w|(?:[^\n]*\n)*?[^#\n]*?(?<![/@\w.])host\.docker\.internal[\"']?\s*[:=])",
    re.MULTILINE,
)
"""Pattern of hosts that are added, host.docker.internal among them."""
_WARNINGS = frozenset({"no_port"})
_FILLER = re.compile(r"your[_-](vps[_-]ip|server|ip|key)|YOUR-KEY", re.IGNORECASE)
_SCHEME = re.compile(r"https?://", re.IGNORECASE)
_TYPE = re.compile(r"(STT|LLM|TTS)_TYPE")
_HOST_NETWORK = re.compile(r"^[^#\n]*\bnetwork_mode[\"']?\s*:\s*[\"']?host\b", re.MULTILINE)
"""Pattern of a container that has the machine's own network, where 127.0.0.1 is the machine."""
BASE = re.compile(r"(OPENAI_(?:WHISPER|OPENAI|TTS))_API_BASE")
_OTHER_NAME = re.compile(r"OPENAI_(?:(WHISPER|OPENAI|TTS|STT|ASR|LLM|CHAT)_)?(\w+)")
_SERVICES = {"STT": "WHISPER", "ASR": "WHISPER", "LLM": "OPENAI", "CHAT": "OPENAI", "": "OPENAI"}
_WHAT = {"API_KEY": "KEY", "BASE_URL": "API_BASE", "API_URL": "API_BASE", "BASE": "API_BASE", "VOICE": "VOICE_NAME"}
"""Ends that other programs' variables have, each with folotoy-server's."""
_RIGHT = frozenset({"SPEECH_UDP_SERVER_PORT"})
"""Names that are like another one, and right."""
_NEAR = 0.88


def named_files(said: str) -> list[Path]:
    """Return the compose files that a text names, one or several with blanks or colons between, as Compose orders them.

    A file that another one is built on (`extends:`, `include:`) comes before it.
    """
    if not said:
        return []
    whole = Path(said)
    names = (
        [whole] if whole.is_file() else [Path(name) for name in re.split(rf"[\s{os.pathsep}]+", said) if name != "-f"]
    )
    found: list[Path] = []
    for name in names:
        _follow(name, found, ())
    return found


def _follow(file: Path, found: list[Path], above: tuple[Path, ...]) -> None:
    """Add to `found` the files that one is built on, and then itself."""
    if file in found or file in above:
        return
    if file.is_file():
        for _, name in Document(text_of(file)).files():
            if (file.parent / name).is_file():
                _follow(file.parent / name, found, (*above, file))
    found.append(file)


def file_mistakes(files: Sequence[Path], facts: Facts) -> Iterator[tuple[Path, list[Mistake]]]:
    """Yield each file and its mistakes: compose files, of which a later one wins, and the settings' files they name.

    Raises:
        BrokenFile: A file cannot be read.
    """
    texts = [text_of(file) for file in files]
    for at, file in enumerate(files):
        text = texts[at]
        beside = "\n".join(_own_lines(other) for other in (*texts[:at], *texts[at + 1 :]))
        above = {name for other in texts[at + 1 :] for _, name, _ in settings_of(other)}
        absent = [(line, name) for line, name in Document(text).files() if not (file.parent / name).is_file()]
        lost = [mistake((), "error", "no_file", line=line, name=name) for line, name in absent]
        yield file, [*compose_mistakes(text, facts, beside, above), *lost]
        for named in env_files(file, text):
            yield named, list(environment_mistakes(entries(text_of(named)), facts, _own_lines(text) + "\n" + beside))


def compose_mistakes(text: str, facts: Facts, beside: str = "", above: Iterable[str] = ()) -> Iterator[Mistake]:
    """Give every mistake of a compose file's text, one a line of what YAML and the rules for lines both find.

    Args:
        beside: What the other files of the same project say of folotoy-server.
        above: Settings that a later file gives otherwise.
    """
    if not text.strip():
        yield mistake((), "error", "empty")
        return
    if "\ufffd" in text:
        yield mistake((), "error", "not_utf8", line=text[: text.index("\ufffd")].count("\n") + 1)
    document = Document(text)
    if not document.is_read:
        yield mistake((), "warning", "without_yaml", line=1)
    found = list(layout_mistakes(document.without_texts().split("\n")))
    if document.broken and not found:
        found.append(document.broken)
    said, starts = list(settings_of(text)), _starts(text)
    found += _doubled(said, starts)
    kept = [entry for entry in said if entry[1] not in above]
    found += environment_mistakes(kept, facts, _own_lines(document.without_texts()) + "\n" + beside)
    lines = {one.line for one in found}
    yield from found
    yield from (one for one in document.mistakes(lines) if one.line not in lines)


def _own_lines(text: str) -> str:
    others = lines_of_others(text)
    return "\n".join(line for number, line in enumerate(text.split("\n"), 1) if number not in others)


def _starts(text: str) -> list[int]:
    return [number for number, line in enumerate(text.split("\n"), 1) if ENVIRONMENT.match(line)]


def _doubled(said: Iterable[Entry], starts: list[int]) -> Iterator[Mistake]:
    """Give the settings that are there twice below the same `environment:`."""
    given = set[tuple[int, str]]()
    for number, name, _ in said:
        place = (bisect(starts, number), name)
        if place in given:
            yield mistake((), "error", "twice", line=number, name=name)
        given.add(place)


def environment_mistakes(said: Iterable[Entry], facts: Facts, compose: str) -> Iterator[Mistake]:
    """Give every mistake of settings, each with its line: those of a compose file, or of one below `env_file:`."""
    said = list(said)
    lines = {name: number for number, name, _ in said}
    found = [
        mistake((), "warning" if code in _WARNINGS else "error", code, line=number, name=name, **values)
        for number, name, value in said
        for code, values in _faults(name, value, compose, facts)
    ]
    yield from found
    told = {one.line for one in found}
    as_roles = _as_roles({name: value for _, name, value in said}, lines, facts)
    yield from (one for one in as_roles if one.line not in told)
    yield from _without_key(said, facts, compose)
    if "OPENAI_TTS_API_BASE" in lines and "TTS_TYPE" not in (*lines, *settings_in(compose)):
        yield mistake((), "warning", "no_tts_setting", line=lines["OPENAI_TTS_API_BASE"])


def _without_key(said: Iterable[Entry], facts: Facts, compose: str) -> Iterator[Mistake]:
    """Give the addresses of Talkbox that no key is given for, where it wants one."""
    given = {*(_meant(name) or name for _, name, _ in said), *facts.environment, *settings_in(compose)}
    for line, name, value in said:
        key = name.replace("_API_BASE", "_KEY")
        if BASE.fullmatch(name) and facts.keys and key not in given and is_ours(value, facts):
            yield mistake((), "warning", "no_key_setting", line=line, name=key)


def _as_roles(said: Mapping[str, str], lines: Mapping[str, int], facts: Facts) -> Iterator[Mistake]:
    """Give what would be a mistake in a role too: keys, models and voices that Talkbox does not have."""
    for service, prefix in PREFIXES.items():
        names = {key: prefix + key.upper() for key in ("key", "model", "voice_name")}
        config = {key: said[name] for key, name in names.items() if said.get(name)}
        config["api_base"] = said.get(f"{prefix}API_BASE") or facts.environment.get(f"{prefix}API_BASE", "")
        for one in setting_mistakes(config, service, facts):
            if one.path:  # a key that is absent here is absent in a role
                yield Mistake((), one.level, one.cause, one.cure, line=lines[names[one.path[-1]]])


def _faults(name: str, value: str, text: str, facts: Facts) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give what is wrong with one setting: the code of its sentence, and what that is filled in with."""
    if right := _meant(name):
        yield "not_read", {"right": right}
    toys_reach = name in ("AUDIO_DOWNLOAD_URL", "SPEECH_UDP_SERVER_HOST")
    if _FILLER.search(value) or (toys_reach and is_no_host(host_of(value))):
        yield "placeholder_here", {}
    elif name == "AUDIO_DOWNLOAD_URL" and value and not _SCHEME.match(value):
        yield "no_scheme", {}
    elif name == "SPEECH_UDP_SERVER_HOST" and "://" in value:
        yield "scheme", {}
    elif name == "SPEECH_UDP_SERVER_HOST" and re.search(r"[^:]:[0-9]+(/\w*)?$", value):
        yield "port_here", {}
    if toys_reach and is_loopback(host_of(value)):
        yield "the_toy_itself", {}
    if (service := _TYPE.fullmatch(name)) and value and value not in TYPES[service[1].lower()]:
        yield "unknown_setting", {"value": value, "near": type_like(value, service[1].lower())}
    if name == "ROLES_FILE_PATH" and value and not _mounted(value, text):
        yield "not_mounted", {"value": value}
    if value != bare(value):
        yield "blank_at_end", {"key": name}
    if BASE.fullmatch(name) and value and not value.startswith("${"):
        yield from ((code, {}) for code in _faults_of_base(bare(value), text))
        place = re.match(r"http(s?)://([^/:]+)(?::(\d+))?/", value, re.IGNORECASE)
        if place and place[3]:
            yield from _faults_of_port(name, int(place[3]), facts.at(place[2]), is_https=bool(place[1]))
        elif place and not place[1]:
            yield "no_port", {"all": facts.port}


def _meant(name: str) -> str | None:
    """Return the name that a setting is meant to have, where it has another one."""
    if name in KNOWN or name in _RIGHT:
        return None
    capitals = plain_name(name).upper()
    if capitals in KNOWN and not re.fullmatch(r"[a-z0-9_]+", name):  # those in small letters are told of as a line
        return capitals
    if found := _OTHER_NAME.fullmatch(name):
        service, what = found[1] or "", found[2]
        right = f"OPENAI_{_SERVICES.get(service, service)}_{_WHAT.get(what, what)}"
        if right in KNOWN:
            return right
    return next(iter(get_close_matches(name, KNOWN, 1, _NEAR)), None)


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
    if not _SCHEME.match(value) or not value.rstrip("/").endswith("/v1") or is_no_host(host_of(value)):
        yield "no_base"
    elif ODD_ADDRESS.search(value):
        yield "odd_address"
    if is_loopback(host_of(value)) and not _HOST_NETWORK.search(text):
        yield "base_in_own_container"
    if host_of(value) == "host.docker.internal" and not EXTRA_HOSTS.search(text):
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
