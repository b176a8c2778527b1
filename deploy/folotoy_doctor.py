"""Look for `make doctor` at Talkbox as folotoy-server does: its files, a turn of each role, and its log.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from deploy.diagnosis import Diagnosis, finding
from deploy.folotoy_compose import file_mistakes, named_files
from deploy.folotoy_facts import INSIDE, INSIDE_PORT, Facts
from deploy.folotoy_files import BrokenFile, read_json
from deploy.folotoy_names import LAST_RESORTS
from deploy.folotoy_roles import PREFIXES, named_roles
from deploy.folotoy_rules import mistakes
from deploy.folotoy_turn import DeafToChinese, RoleTurn, StepFailed
from deploy.installation import ROOT, SERVICES, STATE, Addresses, first_key, wanted
from deploy.phrases import phrase
from deploy.roles import gather_facts, line_of, lines_of

_ENCRYPTED = "Wrong record event"
_OWN_ROLES: dict[str, dict[str, Any]] = {
    "zh": {
        "start_text": "你好！",
        "prompt": "你是一只玩具小熊，用一两句短话回答孩子。",
        "stt_config": {"language": "zh"},
    },
    "en": {"start_text": "Hello!", "prompt": "You are a toy bear. Answer in one or two short sentences."},
}
"""Roles that are tried where no roles.json is named, by their language."""


def folotoy() -> Iterator[Diagnosis]:
    """Look at folotoy-server's files and log, and take its roles' turns where Talkbox is up."""
    settings = wanted()
    try:
        addresses = Addresses.current()
    except ValueError:  # the look at the settings names it
        return
    try:
        roles, compose = _files(settings)
        facts = gather_facts(settings, addresses, roles, compose)
    except BrokenFile as exc:
        yield _unread(exc)
        return
    broken = False
    if roles is not None:
        try:
            yield from _linted(roles, facts)
        except BrokenFile as exc:
            broken = True
            yield _unread(exc)
    yield from _of_compose(compose, facts)
    if roles is not None or compose or settings.get("FOLOTOY_HOST"):
        yield from firmware()
    if not broken and (STATE / "mode").exists():
        named = named_roles(roles) if roles is not None else _own_roles()
        environment = {**_own_environment(settings, addresses), **facts.environment}
        yield from turns(named, environment, addresses, wants_chinese=roles is not None)


def _own_roles() -> Iterator[tuple[str, Mapping[str, Any]]]:
    for code, role in _OWN_ROLES.items():
        yield phrase(f"language_{code}"), role


def _files(settings: Mapping[str, str]) -> tuple[Path | None, list[Path]]:
    """Return roles.json and compose files: those that are named, else those of deploy/folotoy where it is in use."""
    roles, compose = os.environ.get("ROLES", "").strip(), named_files(os.environ.get("COMPOSE", "").strip())
    if not roles and settings.get("FOLOTOY_HOST"):
        beside = ROOT / settings.get("FOLOTOY_CONFIG", "folotoy") / "roles.json"
        return (beside if beside.exists() else None), compose
    return Path(roles) if roles else None, compose


def _own_environment(settings: Mapping[str, str], addresses: Addresses) -> dict[str, str]:
    """Return what deploy/folotoy/compose.yaml gives folotoy-server; without it, the same with the ports of here."""
    inside = bool(settings.get("FOLOTOY_HOST"))
    key = settings.get("FOLOTOY_KEY", "") if inside else first_key(settings) or ""
    said = {
        "HTTPX_TIMEOUT": settings.get("FOLOTOY_TIMEOUT", ""),
        "OPENAI_TTS_VOICE_NAME": settings.get("FOLOTOY_VOICE", ""),
    }
    for place, service in enumerate(SERVICES, 1):
        host, port = (INSIDE, INSIDE_PORT) if inside else (addresses.local, addresses.port)
        said[f"{PREFIXES[service]}API_BASE"] = f"http://{host}:{port + place}/v1"
        said[f"{PREFIXES[service]}KEY"] = key
    return said


def _unread(exc: BrokenFile) -> Diagnosis:
    return Diagnosis(False, f"{exc.place}: {exc.cause}", exc.cure)


def _linted(path: Path, facts: Facts) -> Iterator[Diagnosis]:
    found = read_json(path)
    lines = lines_of(path.read_text(encoding="utf-8-sig"))
    list(named_roles(path))
    for mistake in mistakes(found, facts):
        what = f"{path}:{line_of(mistake, lines)}: {mistake.cause}"
        yield Diagnosis(False if mistake.level == "error" else None, what, mistake.cure)


def _of_compose(files: list[Path], facts: Facts) -> Iterator[Diagnosis]:
    for path, listed in file_mistakes(files, facts):
        for mistake in listed:
            what = f"{path}:{mistake.line or 1}: {mistake.cause}"
            yield Diagnosis(False if mistake.level == "error" else None, what, mistake.cure)


def turns(
    named: Iterator[tuple[str, Mapping[str, Any]]],
    settings: Mapping[str, str],
    addresses: Addresses,
    *,
    wants_chinese: bool = True,
) -> Iterator[Diagnosis]:
    """Take a turn of each role; roles that would have the same one share it.

    Args:
        wants_chinese: Whether a Chinese role that is not heard is a fault, and not only a pity.
    """
    alike: dict[tuple[Any, ...], tuple[RoleTurn, list[str]]] = {}
    for name, role in named:
        turn = RoleTurn(role, settings, addresses)
        alike.setdefault(turn.likeness, (turn, []))[1].append(name)
    for turn, names in alike.values():
        who = phrase("role" if len(names) == 1 else "roles", names=", ".join(names))
        if not any(turn.is_reached(service) for service in SERVICES):
            yield Diagnosis(None, phrase("who", who=who, what=phrase("past_us")))
            continue
        try:
            yield Diagnosis(True, phrase("who", who=who, what=turn.take()))
        except StepFailed as exc:
            pity = isinstance(exc, DeafToChinese) and not wants_chinese
            yield Diagnosis(None if pity else False, phrase("who", who=who, what=exc), exc.cure, lesser=pity)
        for lesser in turn.lesser:
            yield lesser._replace(what=phrase("who", who=who, what=lesser.what))
        for service, engine in turn.engines.items():
            if engine in LAST_RESORTS:
                told = {"who": who, "service": service, "engine": engine, "kind": phrase(engine)}
                yield finding(None, "by_last_resort", lesser=True, **told)


def firmware() -> Iterator[Diagnosis]:
    """Look for encrypted recordings in the log of a folotoy-server in a container here."""
    yield finding(False, "encrypted") if _ENCRYPTED in _log_of("folotoy") else finding(None, "firmware")


def _log_of(service: str) -> str:
    if shutil.which("docker") is None:
        return ""
    listed = ["docker", "ps", "--quiet", "--filter", f"label=com.docker.compose.service={service}"]
    try:
        found = subprocess.run(listed, capture_output=True, text=True, timeout=10, check=False).stdout.split()
        logs = [["docker", "logs", "--tail", "2000", each] for each in found]
        done = [subprocess.run(each, capture_output=True, text=True, timeout=10, check=False) for each in logs]
    except (subprocess.TimeoutExpired, OSError):
        return ""
    return "".join(each.stdout + each.stderr for each in done)
