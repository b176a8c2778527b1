"""Rules for a roles.json of folotoy-server: what is wrong in it, at which line, and what to do about it.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from deploy.folotoy_facts import Finding, Path, Talkbox
from deploy.folotoy_names import (
    ALIASES,
    ENGINES,
    FIELDS,
    FLAT,
    LAST_RESORTS,
    LOOPBACK,
    NUMBERS,
    OPENAI_VOICES,
    OURS,
    PINNED,
    PLACEHOLDER,
    RANGES,
    ROLE_KEYS,
    TYPES,
)
from deploy.installation import SERVICES


def findings(found: Any, talkbox: Talkbox) -> Iterator[Finding]:
    """Give every mistake of a parsed roles.json."""
    if not isinstance(found, dict):
        yield Finding((), "error", "the file holds no object", 'write roles by number: {"1": {…}, … "7": {…}}.')
        return
    if set(found) & {"start_text", "prompt"}:
        cure = 'put it into {"1": {…}} and add the other roles up to "7".'
        yield Finding((), "error", "a single role is at the top level", cure)
        return
    yield from _top(found)
    for name in NUMBERS:
        if name in found:
            yield from _role((name,), found[name], talkbox, whole=True)
    yield from _toys(found.get("toys", {}), talkbox)


def _top(found: dict[str, Any]) -> Iterator[Finding]:
    missing = [name for name in NUMBERS if name not in found]
    if missing:
        yield Finding((), "error", f"roles {', '.join(missing)} are missing", "folotoy-server wants the roles 1 to 7.")
    for name in found:
        if name not in (*NUMBERS, "toys"):
            yield Finding((name,), "error", f'"{name}" is no role', 'only "1" to "7" and "toys" belong here.')


def _toys(toys: Any, talkbox: Talkbox) -> Iterator[Finding]:
    if not isinstance(toys, dict):
        yield Finding(("toys",), "error", '"toys" is no object', 'write {"SERIAL": {"1": {…}}}.')
        return
    for serial, roles in toys.items():
        path = ("toys", serial)
        if not re.fullmatch(r"[0-9A-Fa-f]{12}", serial):
            yield Finding(path, "error", f'"{serial}" is no serial number', "write the toy's twelve hex digits.")
        if not isinstance(roles, dict):
            yield Finding(path, "error", "the toy holds no roles", 'write {"1": {…}}.')
            continue
        for name, role in roles.items():
            if name not in NUMBERS:
                yield Finding((*path, name), "error", f'"{name}" is no role', 'write a number from "1" to "7".')
            yield from _role((*path, name), role, talkbox, whole=False)


def _role(path: Path, role: Any, talkbox: Talkbox, *, whole: bool) -> Iterator[Finding]:
    if not isinstance(role, dict):
        yield Finding(path, "error", "the role is no object", "write {…} with start_text and prompt.")
        return
    for key in ("start_text", "prompt"):
        text = role.get(key)
        if (whole or key in role) and (not isinstance(text, str) or not text.strip()):
            yield Finding((*path, key), "error", f"{key} is missing or empty", "write a sentence between quotes.")
    yield from _keys(path, role, ROLE_KEYS)
    yield from _numbers(path, role)
    for service in SERVICES:
        yield from _service(path, role, service, talkbox)
    yield from _memory(path, role, whole=whole)


def _memory(path: Path, role: dict[str, Any], *, whole: bool) -> Iterator[Finding]:
    count = role.get("max_message_count")
    if (count is None and whole) or (count == 0 and not isinstance(count, bool)):
        cause = "the role has no memory (max_message_count is 0)"
        yield Finding((*path, "max_message_count"), "warning", cause, 'write "max_message_count": 10.')


def _keys(path: Path, found: dict[str, Any], known: list[str]) -> Iterator[Finding]:
    for key in list(found):
        target = key.strip()
        target = ALIASES.get(target, target) if target not in known else target
        nearest = [target] if target in known else get_close_matches(target, known, 1, 0.75)
        if key not in known and nearest:
            mend = _rename(found, key, nearest[0]) if nearest[0] not in found else None
            yield Finding((*path, key), "error", f'"{key}" is misspelt', f'write "{nearest[0]}".', mend)
        elif key not in known:
            yield Finding((*path, key), "warning", f'"{key}" is unknown', f"known are: {', '.join(known)}.")
        elif isinstance(found[key], str) and found[key] != found[key].strip() and key not in ("start_text", "prompt"):
            mend = _set(found, key, found[key].strip())
            yield Finding((*path, key), "error", f"{key} has a blank at an end", "take the blank out.", mend)


def _rename(found: dict[str, Any], old: str, new: str) -> Callable[[], None]:
    return lambda: found.__setitem__(new, found.pop(old))


def _set(found: dict[str, Any], key: str, value: Any) -> Callable[[], None]:
    return lambda: found.__setitem__(key, value)


def _numbers(path: Path, found: dict[str, Any]) -> Iterator[Finding]:
    for key in (*RANGES, "max_tokens", "max_message_count"):
        value, whole = found.get(key), key not in RANGES
        if value is None:
            continue
        low, high = RANGES.get(key, (0.0 if key == "max_message_count" else 1.0, 1e6))
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            number = _number(value, whole=whole)
            mend = _set(found, key, number) if number is not None and low <= number <= high else None
            kind = "a whole number" if whole else "a number"
            yield Finding((*path, key), "error", f"{key} is no number" if not whole else f"{key} is no whole number",
                          f"write {kind} without quotes.", mend)  # fmt: skip
        elif not low <= value <= high:
            yield Finding((*path, key), "error", f"{key} is {value}", f"write a number from {low:g} to {high:g}.")


def _number(value: Any, *, whole: bool) -> float | None:
    try:
        return (int if whole else float)(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _service(path: Path, role: dict[str, Any], service: str, talkbox: Talkbox) -> Iterator[Finding]:
    kind = role.get(f"{service}_type")
    name, config = f"{service}_config", role.get(f"{service}_config")
    if kind is not None and (not isinstance(kind, str) or kind.strip() not in TYPES[service]):
        near = get_close_matches(str(kind), TYPES[service], 1, 0.75) or [OURS[service]]
        cure = f'write "{near[0]}"; a model goes into {name}.model.'
        yield Finding((*path, f"{service}_type"), "error", f'{service}_type "{kind}" is unknown', cure)
        return
    if config is not None and not isinstance(config, dict):
        yield Finding((*path, name), "error", f"{name} is no object", "write {…}.")
        return
    for key in FLAT[service]:
        if config is not None and key in role:
            mend = None if key in config else _move(role, config, key)
            cause = f"{key} is on the role beside {name}; which of both wins is undocumented"
            yield Finding((*path, key), "warning", cause, f"move it into {name}.", mend)
    kind = (kind or talkbox.environment.get(f"{service.upper()}_TYPE") or (OURS[service])).strip()
    if kind == OURS[service]:
        yield from _ours((*path, name), role, config or {}, service, talkbox)
    elif config:
        yield from _numbers((*path, name), config)


def _move(role: dict[str, Any], config: dict[str, Any], key: str) -> Callable[[], None]:
    return lambda: config.__setitem__(key, role.pop(key))


def _ours(
    path: Path, role: dict[str, Any], config: dict[str, Any], service: str, talkbox: Talkbox
) -> Iterator[Finding]:
    yield from _keys(path, config, FIELDS[service])
    yield from _numbers(path, config)
    base = config.get("api_base")
    if base is not None:
        yield from _base((*path, "api_base"), config, service, talkbox)
        if f"{service}_type" not in role and service == "tts" and "TTS_TYPE" not in talkbox.environment:
            cure = 'write "tts_type": "openai-tts".'
            yield Finding(path, "warning", "tts_type is absent, and edge-tts may speak past Talkbox", cure)
    yield from _key(path, config, talkbox)
    if _is_ours(str(base or ""), talkbox):
        yield from _model((*path, "model"), str(config.get("model", "")).strip(), service, talkbox)
    yield from _spoken(path, role, config, service, talkbox)


def _is_ours(base: str, talkbox: Talkbox) -> bool:
    try:
        return urlsplit(base.strip()).port in talkbox.at(urlsplit(base.strip()).hostname).ports
    except ValueError:
        return False


def _base(path: Path, config: dict[str, Any], service: str, talkbox: Talkbox) -> Iterator[Finding]:
    base = str(config["api_base"]).strip()
    try:
        url, port = urlsplit(base), urlsplit(base).port
    except ValueError:
        url, port = urlsplit(""), None
    talkbox = talkbox.at(url.hostname)
    if url.scheme not in ("http", "https") or not url.hostname:
        yield Finding(path, "error", f'api_base "{base}" is no address', "write http://ADDRESS:PORT/v1.")
        return
    if url.path.rstrip("/") in ("", "/v1/v1") or not url.path.rstrip("/").endswith("/v1"):
        mend = _set(config, "api_base", base.rstrip("/") + "/v1") if url.path in ("", "/") else None
        yield Finding(path, "error", "api_base does not end in /v1", "write http://ADDRESS:PORT/v1.", mend)
    if url.hostname in LOOPBACK:
        cure = "write host.docker.internal or this machine's address in your network."
        yield Finding(path, "error", f"{url.hostname} is folotoy-server's own container", cure)
    if url.hostname == "host.docker.internal" and talkbox.extra_hosts is False:
        cure = 'add extra_hosts: ["host.docker.internal:host-gateway"] to the compose file.'
        yield Finding(path, "error", "the compose file does not let host.docker.internal be found", cure)
    if port in talkbox.ports[1:] and port != talkbox.port_of(service):
        cure = f"write {talkbox.port_of(service)}, or {talkbox.port} for all three."
        yield Finding(path, "error", f"port {port} is another service's", cure)
    elif port in (8082, 8083) and port not in talkbox.ports:
        yield Finding(path, "error", f"port {port} is folotoy-server's own", f"write {talkbox.port}.")
    elif url.hostname in (*LOOPBACK, "host.docker.internal") and port not in talkbox.ports:
        yield Finding(path, "warning", f"port {port} is not Talkbox's", f"write {talkbox.port}, or leave it if meant.")


def _key(path: Path, config: dict[str, Any], talkbox: Talkbox) -> Iterator[Finding]:
    key, ours = config.get("key"), _is_ours(str(config.get("api_base", "")), talkbox)
    if key is None and not ours:
        return
    if key is None:
        cause = "key is absent, and the environment's key is sent to this api_base"
        yield Finding(path, "warning", cause, "write one of API_KEYS as key.")
    elif not isinstance(key, str) or PLACEHOLDER.search(key.strip()):
        yield Finding((*path, "key"), "error", "key is a placeholder", "write one of API_KEYS (make up prints it).")
    elif ours and talkbox.keys and key.strip() not in talkbox.keys:
        yield Finding((*path, "key"), "error", "key is none of API_KEYS", "write one of them (make up prints it).")


def _model(path: Path, model: str, service: str, talkbox: Talkbox) -> Iterator[Finding]:
    name = model.partition("/")[0]
    chain = [part.strip() for part in talkbox.chains.get(service, "").split(",") if part.strip()]
    if chain and name in ENGINES[service] and name not in chain:
        cure = f"add it to {service.upper()}_ENGINES, or write another model."
        yield Finding(path, "error", f"the engine {name} is not in the chain", cure)
    elif name == PINNED[service]:
        cure = f"write {'whisper-1' if service == 'stt' else 'tts-1' if service == 'tts' else 'gpt-4o-mini'}."
        yield Finding(path, "warning", f"{name} alone answers ({LAST_RESORTS[name]}), whatever else is set up", cure)


def _spoken(
    path: Path, role: dict[str, Any], config: dict[str, Any], service: str, talkbox: Talkbox
) -> Iterator[Finding]:
    language = config.get("language", role.get("language"))
    if service == "stt" and isinstance(language, str) and re.fullmatch(r"[a-z]{2}-[A-Za-z]{2,4}", language):
        mend = _set(config, "language", language[:2]) if "language" in config else None
        yield Finding((*path, "language"), "warning", f"language {language} is azure-stt's form",
                      f"write {language[:2]}.", mend)  # fmt: skip
    voice = str(config.get("voice_name", role.get("voice_name", ""))).strip()
    if service != "tts" or not voice:
        return
    at = (*path, "voice_name") if "voice_name" in config else (*path[:-1], "voice_name")
    if (
        talkbox.voices
        and voice not in (*talkbox.voices, *OPENAI_VOICES)
        and _is_ours(str(config.get("api_base", "")), talkbox)
    ):
        near = get_close_matches(voice, talkbox.voices, 1, 0.75)
        cure = f'write "{near[0]}".' if near else "GET /v1/audio/voices lists them."
        yield Finding(at, "error", f"the voice {voice} is unknown here", cure)
    chinese = bool(re.search(r"[一-鿿]", str(role.get("start_text", ""))))
    tag = re.match(r"([a-z]{2,3})-[A-Z]{2}-", voice)
    if not tag or tag[1] == "ja" or "Multilingual" in voice or not role.get("start_text"):
        return
    if (tag[1] in ("zh", "yue", "wuu")) != chinese:
        yield Finding(at, "warning", f"the voice {voice} is not of start_text's language", "choose another voice.")
