"""Rules for the compose file of folotoy-server. Plain Python without dependencies, and of any version from 3.9 on."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from deploy.folotoy_facts import Mistake
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
            yield Mistake((), "error", "a tab indents the line", "indent with blanks.", line=number)
        if re.match(r"\s*environment:\s*(#.*)?$", line):
            indent, inside, form = depth, -1, ""
            continue
        entry = ENTRY.match(line)
        if indent >= 0 and entry:
            kind = ("- " if entry[2] else "") + ("=" if entry[4] == "=" else ":")
            if depth < indent or (depth == indent and not entry[2]) or inside not in (-1, depth):
                cure = "indent all entries below environment: alike, deeper than it."
                yield Mistake((), "error", f"{entry[3]} is indented otherwise", cure, line=number)
            elif kind not in ("- =", ":") or form not in ("", kind):
                yield Mistake((), "error", "KEY=value and KEY: value are mixed", "write KEY: value everywhere.",
                              line=number)  # fmt: skip
            inside, form = (depth, kind) if inside == -1 else (inside, form)
        elif depth <= indent:
            indent = -1


def _value(number: int, name: str, value: str, text: str) -> Iterator[Mistake]:
    def mistake(cause: str, cure: str, level: str = "error") -> Mistake:
        return Mistake((), level, cause, cure, line=number)

    if wrong := WRONG_KEY.fullmatch(name):
        right = f"{wrong[1]}_KEY" if wrong[1] else f"OPENAI_OPENAI_{wrong[3]}"
        yield mistake(f"{name} is not read", f"write {right}.")
    if re.search(r"your[_-](vps[_-]ip|server|ip|key)|YOUR-KEY", value, re.I):
        yield mistake(f"{name} is a placeholder", "write the real value.")
    elif name == "AUDIO_DOWNLOAD_URL" and value and not value.startswith(("http://", "https://")):
        yield mistake(f"{name} has no scheme", "write http:// before it.")
    elif name == "SPEECH_UDP_SERVER_HOST" and "://" in value:
        yield mistake(f"{name} has a scheme", "write the address alone.")
    if name in ("AUDIO_DOWNLOAD_URL", "SPEECH_UDP_SERVER_HOST") and any(host in value for host in LOOPBACK):
        yield mistake(f"{name} is the toy itself", "write this machine's address in your network.")
    if name == "ROLES_FILE_PATH" and value and not _mounted(value, text):
        yield mistake(f"{value} is in no mounted folder", "mount its folder under volumes:, such as ./config:/config.")
    if BASE.fullmatch(name) and value and not value.startswith("${"):
        yield from _base(mistake, name, value, text)


def _base(mistake: Callable[[str, str], Mistake], name: str, value: str, text: str) -> Iterator[Mistake]:
    if not re.match(r"https?://", value) or not value.rstrip("/").endswith("/v1"):
        yield mistake(f"{name} is no base", "write http://ADDRESS:PORT/v1.")
    if any(re.match(rf"https?://{re.escape(host)}[:/]", value) for host in LOOPBACK):
        yield mistake(f"{name} is folotoy-server's own container", "write host.docker.internal or a LAN address.")
    if "//host.docker.internal" in value and "extra_hosts" not in text:
        yield mistake(f"{name} cannot be found", 'add extra_hosts: ["host.docker.internal:host-gateway"].')


def _mounted(file: str, text: str) -> bool:
    text = INTERPOLATED.sub(lambda found: found[2] or "x", text)
    targets = re.findall(r"^\s*-\s*[\"']?[^\s:\"']+:(/[^\s:\"']+)", text, re.MULTILINE)
    targets += re.findall(r"^\s*target:\s*[\"']?(/[^\s\"']+)", text, re.MULTILINE)
    return any(file == target or file.startswith(target.rstrip("/") + "/") for target in targets)
