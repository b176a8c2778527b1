"""Rules for a roles.json of folotoy-server: what is wrong in it, at which line, and what to do about it.

The console page has the same rules in `proxy/site/roles_rules.js`; a test holds both to the same mistakes. Plain Python
without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from deploy.folotoy_facts import Facts, Mend, Mistake, Path, mistake
from deploy.folotoy_mends import moved, renamed, set_to
from deploy.folotoy_names import (
    ALIASES,
    FIELDS,
    FLAT,
    NUMBERS,
    ODD_ADDRESS,
    OURS,
    RANGES,
    ROLE_KEYS,
    TEXTS,
    TYPES,
    bare,
    is_loopback,
    is_no_host,
    plain_name,
    type_like,
)
from deploy.folotoy_ours import is_ours, key_mistakes, model_mistakes, spoken_mistakes
from deploy.installation import SERVICES

MOST = 1_000_000


def mistakes(file: Any, facts: Facts) -> Iterator[Mistake]:
    """Give every mistake of a parsed roles.json."""
    if not isinstance(file, dict):
        yield mistake((), "error", "no_object")
        return
    if set(file) & {"start_text", "prompt"}:
        yield mistake((), "error", "single_role")
        return
    if (inside := _nested(file)) is not None:
        yield mistake((inside,), "error", "nested", name=inside)
        return
    yield from _top(file)
    for name in NUMBERS:
        if name in file:
            yield from _role((name,), file[name], facts, whole=True)
    yield from _toys(file.get("toys", {}), facts)


def _nested(file: dict[str, Any]) -> str | None:
    """Return the name under which all roles lie, where they do."""
    names = [name for name, part in file.items() if isinstance(part, dict) and "1" in part]
    return names[0] if names and not set(file) & set(NUMBERS) and names[0] != "toys" else None


def _top(file: dict[str, Any]) -> Iterator[Mistake]:
    missing = [name for name in NUMBERS if name not in file]
    if missing:
        yield mistake((), "error", "roles_missing", names=", ".join(missing))
    for name in file:
        if name not in (*NUMBERS, "toys"):
            yield mistake((name,), "error", "no_role", name=name)


def _toys(toys: Any, facts: Facts) -> Iterator[Mistake]:
    if not isinstance(toys, dict):
        yield mistake(("toys",), "error", "toys_no_object")
        return
    for serial, roles in toys.items():
        path = ("toys", serial)
        if not re.fullmatch(r"[0-9A-Fa-f]{12}", serial):
            yield mistake(path, "error", "no_serial", serial=serial)
        if not isinstance(roles, dict):
            yield mistake(path, "error", "toy_without_roles")
            continue
        for name, role in roles.items():
            if name not in NUMBERS:
                yield mistake((*path, name), "error", "no_role_of_toy", name=name)
            yield from _role((*path, name), role, facts, whole=False)


def _role(path: Path, role: Any, facts: Facts, *, whole: bool) -> Iterator[Mistake]:
    if not isinstance(role, dict):
        yield mistake(path, "error", "role_no_object")
        return
    for key in ("start_text", "prompt"):
        text = role.get(key)
        if (whole or key in role) and (not isinstance(text, str) or not text.strip()):
            yield mistake((*path, key), "error", "text_missing", key=key)
    yield from _keys(path, role, ROLE_KEYS)
    yield from _numbers(path, role)
    for service in SERVICES:
        yield from _service(path, role, service, facts)
    yield from _memory(path, role, whole=whole)


def _memory(path: Path, role: dict[str, Any], *, whole: bool) -> Iterator[Mistake]:
    count = role.get("max_message_count")
    if (count is None and whole) or (count == 0 and not isinstance(count, bool)):
        yield mistake((*path, "max_message_count"), "warning", "no_memory")


def _keys(path: Path, part: dict[str, Any], known: list[str]) -> Iterator[Mistake]:
    for key in list(part):
        target = plain_name(key)
        target = ALIASES.get(target, target) if target not in known else target
        nearest = [target] if target in known else get_close_matches(target, known, 1, 0.75)
        if key not in known and nearest:
            mend = _renamed((*path, key), nearest[0]) if nearest[0] not in part else None
            yield mistake((*path, key), "error", "misspelt", mend, key=key, right=nearest[0])
        elif key not in known:
            yield mistake((*path, key), "warning", "unknown_key", key=key, known=", ".join(known))
        elif part[key] is None and key not in ("start_text", "prompt"):
            yield mistake((*path, key), "warning", "null_here", key=key)
        elif key in TEXTS and part[key] is not None and not isinstance(part[key], str):
            yield mistake((*path, key), "error", "no_text", key=key)
        elif isinstance(part[key], str) and key not in ("start_text", "prompt"):
            yield from _value((*path, key), part[key])


def _value(path: Path, value: str) -> Iterator[Mistake]:
    if value != bare(value):
        yield mistake(path, "error", "blank_at_end", _set_to(path, bare(value)), key=path[-1])
    if "${" in value:
        yield mistake(path, "error", "not_filled_in", key=path[-1])


def _renamed(path: Path, name: str) -> Mend:
    return lambda text: renamed(text, path, name)


def _set_to(path: Path, value: Any) -> Mend:
    return lambda text: set_to(text, path, value)


def _moved(path: Path, into: Path) -> Mend:
    return lambda text: moved(text, path, into)


def _numbers(path: Path, part: dict[str, Any]) -> Iterator[Mistake]:
    for key in (*RANGES, "max_tokens", "max_message_count"):
        value, whole = part.get(key), key not in RANGES
        if value is None:
            continue
        low, high = RANGES.get(key, (0 if key == "max_message_count" else 1, MOST))
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            number = _number(value, whole=whole)
            mend = _set_to((*path, key), number) if number is not None and low <= number <= high else None
            yield mistake((*path, key), "error", "no_whole_number" if whole else "no_number", mend, key=key)
        elif not low <= value <= high:
            yield mistake((*path, key), "error", "out_of_range", key=key, value=value, low=low, high=high)


def _number(value: Any, *, whole: bool) -> float | None:
    form = r"\s*[+-]?\d+\s*" if whole else r"\s*[+-]?(?:\d+\.?\d*|\.\d+)\s*"
    if not isinstance(value, str) or not re.fullmatch(form, value):
        return None
    return int(value) if whole else float(value)


def _service(path: Path, role: dict[str, Any], service: str, facts: Facts) -> Iterator[Mistake]:
    kind = role.get(f"{service}_type")
    name, config = f"{service}_config", role.get(f"{service}_config")
    if kind is not None and (not isinstance(kind, str) or kind.strip() not in TYPES[service]):
        at, near = (*path, f"{service}_type"), type_like(kind, service)
        yield mistake(at, "error", "unknown_type", service=service, kind=kind, near=near)
        return
    if config is not None and not isinstance(config, dict):
        yield mistake((*path, name), "error", "config_no_object", service=service)
        return
    for key in FLAT[service]:
        if config is not None and key in role:
            mend = None if key in config else _moved((*path, key), (*path, name))
            yield mistake((*path, key), "warning", "flat_beside", mend, key=key, service=service)
    kind = (kind or facts.environment.get(f"{service.upper()}_TYPE") or (OURS[service])).strip()
    if kind == OURS[service]:
        yield from _ours((*path, name), role, config or {}, service, facts)
    elif config:
        yield from _numbers((*path, name), config)


def _ours(path: Path, role: dict[str, Any], config: dict[str, Any], service: str, facts: Facts) -> Iterator[Mistake]:
    yield from _keys(path, config, FIELDS[service])
    yield from _numbers(path, config)
    base = config.get("api_base")
    if isinstance(base, str):
        yield from _base((*path, "api_base"), config, service, facts)
        if f"{service}_type" not in role and service == "tts" and "TTS_TYPE" not in facts.environment:
            yield mistake(path, "warning", "no_tts_type")
    yield from key_mistakes(path, config, facts)
    if is_ours(str(base or ""), facts):
        yield from model_mistakes((*path, "model"), str(config.get("model", "")).strip(), service, facts)
    yield from spoken_mistakes(path, role, config, service, facts)


def _base(path: Path, config: dict[str, Any], service: str, facts: Facts) -> Iterator[Mistake]:
    base = str(config["api_base"]).strip()
    if ODD_ADDRESS.search(base):
        yield mistake(path, "error", "odd_address")
        return
    try:
        url, port = urlsplit(base), urlsplit(base).port
    except ValueError:
        url, port = urlsplit(""), None
    facts = facts.at(url.hostname)
    if url.scheme not in ("http", "https") or not url.hostname or is_no_host(url.hostname):
        yield mistake(path, "error", "no_address", base=base)
        return
    if url.path.rstrip("/") in ("", "/v1/v1") or not url.path.rstrip("/").endswith("/v1"):
        mend = _set_to(path, base.rstrip("/") + "/v1") if url.path in ("", "/") else None
        yield mistake(path, "error", "no_v1", mend)
    if is_loopback(url.hostname):
        yield mistake(path, "error", "own_container", host=url.hostname)
    if url.hostname == "host.docker.internal" and facts.extra_hosts is False:
        yield mistake(path, "error", "no_extra_hosts")
    if url.scheme == "https" and port in facts.ports:
        yield mistake(path, "error", "plain_http", port=port)
    if port in facts.ports[1:] and port != facts.port_of(service):
        yield mistake(path, "error", "other_service", port=port, right=facts.port_of(service), all=facts.port)
    elif port in (8082, 8083) and port not in facts.ports:
        yield mistake(path, "error", "folotoy_port", port=port, all=facts.port)
    elif port is None and url.scheme == "http":
        yield mistake(path, "warning", "no_port", all=facts.port)
    elif (url.hostname == "host.docker.internal" or is_loopback(url.hostname)) and port not in facts.ports:
        yield mistake(path, "warning", "foreign_port", port=port or 443, all=facts.port)
