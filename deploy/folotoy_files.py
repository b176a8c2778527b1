"""Files of folotoy-server as people write them: roles.json with its usual slips, and the environment of a compose file.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

COMPOSE_FILES = (
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "docker-compose.talkbox.yml",
)
SETTING = re.compile(r"^\s*-?\s*[\"']?([A-Z][A-Z0-9_]*)[\"']?\s*(?::\s+|=)\s*(.*?)\s*$")
INTERPOLATED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}]*))?[^}]*\}")
CURES = (
    (re.compile(r"^\s*(?://|#)|[,{}\[\]\"]\s*//"), "JSON has no comments: take out what follows //."),
    (re.compile(r"[“”]"), 'JSON wants straight quotes: " instead of “ and ”.'),
    (re.compile(r"[{,]\s*'|'\s*:"), "JSON wants double quotes: \" instead of '."),
    (
        re.compile(r"\"\s*：|[\"\d}\]]\s*，\s*(?:\"|$)"),
        "JSON wants an English keyboard: the signs : and , instead of ： and ，.",
    ),
)
"""How a line looks that JSON refuses, and what to do about it."""


class BrokenFile(Exception):
    """The message names file, line and cure."""


def read_json(path: Path) -> Any:
    """Return what the file holds.

    Raises:
        BrokenFile: It cannot be read, or is no JSON.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise BrokenFile(f"{path} cannot be read: {exc.strerror}.") from exc
    except UnicodeDecodeError as exc:
        line = path.read_bytes()[: exc.start].count(b"\n") + 1
        raise BrokenFile(f"{path}, line {line}: it is not UTF-8 (GBK?). Save it as UTF-8 in your editor.") from exc
    try:
        return json.loads(text)
    except json.JSONDecodeError as exc:
        raise BrokenFile(f"{path}, {_explained(text, exc)}") from exc


def _explained(text: str, exc: json.JSONDecodeError) -> str:
    """Return the line to look at and the cure; a comma is missed or found one line late."""
    lines = text.split("\n")
    here, number = lines[exc.lineno - 1], exc.lineno
    before = next((i for i in range(number - 2, -1, -1) if lines[i].strip()), None)
    for pattern, cure in CURES:
        if pattern.search(here):
            return f"line {number}: {cure}"
    comma = exc.pos if text[exc.pos : exc.pos + 1] == "," else len(text[: exc.pos].rstrip()) - 1
    if text[comma : comma + 1] == "," and text[comma + 1 :].lstrip()[:1] in ("}", "]"):
        line = text[:comma].count("\n") + 1
        return f"line {line}: a comma before }} or ] is one too many; take it out."
    if exc.msg.startswith("Expecting ',' delimiter"):
        missing = number if here[: exc.colno - 1].strip() or before is None else before + 1
        return f"line {missing}: a comma is missing at its end, or a quote inside a text wants \\ before it."
    if not text.strip():
        return "line 1: the file is empty; deploy/folotoy/roles.json is an example."
    return f"line {number}, column {exc.colno}: {exc.msg}."


def compose_settings(roles: Path) -> dict[str, str]:
    """Return the environment that compose files beside `roles` or one folder up give to folotoy-server.

    The later of two files wins, as for Compose itself.
    """
    found: dict[str, str] = {}
    for folder in (roles.resolve().parent.parent, roles.resolve().parent):
        for name in COMPOSE_FILES:
            if (folder / name).is_file():
                text = (folder / name).read_text(encoding="utf-8-sig", errors="replace")
                found.update(settings_in(text))
    return found


def settings_in(text: str) -> dict[str, str]:
    """Return the environment that the text of a compose file gives."""
    lines = (SETTING.match(line) for line in text.split("\n"))
    return {line[1]: _value(line[2]) for line in lines if line}


def _value(written: str) -> str:
    quote = written[:1]
    value = written[1 : written.find(quote, 1)] if quote in ("'", '"') and written.find(quote, 1) > 0 else written
    value = value if quote in ("'", '"') else re.sub(r"\s+#.*", "", value)
    return INTERPOLATED.sub(lambda m: m[2] or "", value)
