"""Read files of folotoy-server as people write them: roles.json with its usual slips, and settings, one a line.

Plain Python without dependencies, and of any version from 3.9 on.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.folotoy_names import BEGINNINGS, BROKEN, HALF_SIGN, sentence

_SETTING = re.compile(r"^\s*(?:export\s+)?(?:-\s+)?([\"']?)([A-Z][A-Z0-9_]*)(?:\1\s*:\s+|\1\s*:$|\s*=)\s*(.*?)\s*$")
"""One entry of `environment:` or of a file of it: `NAME: value`, `- NAME=value`, `- "NAME=value"`, `NAME=value`."""
_IN_BRACES = re.compile(r"(?<!\$)[{,]\s*[\"']?([A-Z][A-Z0-9_]*)[\"']?\s*:\s*(\"[^\"]*\"|'[^']*'|[^,}\n]*)")
INTERPOLATED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::?-([^}]*))?[^}]*\}")

_BY_MESSAGE = (
    ("Invalid control character", "open_text"),
    ("Extra data", "behind_end"),
    ("Invalid \\", "escape"),
    ("Expecting ':' delimiter", "colon_missing"),
)


class BrokenFile(Exception):
    """A file cannot be read as JSON or YAML; the message names file, line, cause and cure.

    Args:
        line: Line to look at, from 1.
    """

    def __init__(self, path: Path, line: int, cause: str, cure: str) -> None:
        super().__init__(f"{path}:{line}: {cause}; {cure}")
        self.place, self.line, self.cause, self.cure = f"{path}:{line}", line, cause, cure


def read_json(path: Path) -> Any:
    """Return the contents of a JSON file.

    Raises:
        BrokenFile: It cannot be read, or is no JSON.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise broken_file(path, 1, "unreadable", why=exc.strerror) from exc
    except UnicodeDecodeError as exc:
        raise broken_file(path, path.read_bytes()[: exc.start].count(b"\n") + 1, "not_utf8") from exc
    if "\0" in text:  # UTF-16 or UTF-32 without its mark
        raise broken_file(path, text[: text.index("\0")].count("\n") + 1, "not_utf8")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as exc:
        line, code = _explained(text, exc)
        raise broken_file(path, line, code, column=exc.colno) from exc
    except (RecursionError, ValueError) as exc:  # ten thousand brackets, or digits
        raise broken_file(path, 1, "endless") from exc
    if half := HALF_SIGN.search(text):
        raise broken_file(path, text.count("\n", 0, half.start()) + 1, "half_sign")
    return found


def broken_file(path: Path, line: int, code: str, **values: object) -> BrokenFile:
    """Return what is wrong with a file, in the language of the locale, to be raised."""
    return BrokenFile(path, line, *sentence(code, **values))


def _explained(text: str, exc: json.JSONDecodeError) -> tuple[int, str]:
    """Return the line to look at and the code of its sentence; a comma is missed or found one line late."""
    if text.strip() and text.lstrip()[0] not in BEGINNINGS:
        return text[: len(text) - len(text.lstrip())].count("\n") + 1, "other_format"
    lines = text.split("\n")
    here, number = lines[exc.lineno - 1], exc.lineno
    before = next((i for i in range(number - 2, -1, -1) if lines[i].strip()), None)
    for pattern, code in BROKEN:
        if pattern.search(here):
            return number, code
    comma = exc.pos if text[exc.pos : exc.pos + 1] == "," else len(text[: exc.pos].rstrip()) - 1
    if text[comma : comma + 1] == "," and text[:comma].rstrip()[-1:] in (",", "{", "["):
        return text[:comma].count("\n") + 1, "comma_too_many"
    if text[comma : comma + 1] == "," and text[comma + 1 :].lstrip()[:1] in ("}", "]"):
        return text[:comma].count("\n") + 1, "comma_too_many"
    if exc.pos >= len(text.rstrip()) or exc.msg.startswith("Unterminated string"):
        return (text.rstrip().count("\n") + 1, "cut") if text.strip() else (1, "empty")
    if exc.msg.startswith("Expecting ',' delimiter"):
        return (number if here[: exc.colno - 1].strip() or before is None else before + 1), "comma_missing"
    return number, next((code for start, code in _BY_MESSAGE if exc.msg.startswith(start)), "no_json")


def text_of(file: Path) -> str:
    """Return what a compose file or an environment's file holds, as far as it is text.

    Raises:
        BrokenFile: It cannot be read.
    """
    try:
        return file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as exc:
        raise broken_file(file, 1, "unreadable", why=exc.strerror) from exc


def settings_in(text: str) -> dict[str, str]:
    """Return the settings in a text by their names; of two with one name the later one."""
    return {name: value for _, name, value in entries(text)}


def entries(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line, name and value of each setting, in whichever of YAML's and JSON's forms it is written."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.lstrip().startswith("#"):
            continue
        if entry := _SETTING.match(line):
            quoted = entry[1] and "=" in line and entry[3].endswith(entry[1])
            yield number, entry[2], _value(entry[3][:-1] if quoted else entry[3])
        else:
            yield from ((number, name, _value(value.strip())) for name, value in _IN_BRACES.findall(line))


def _value(written: str) -> str:
    quote = written[:1]
    value = written[1 : written.find(quote, 1)] if quote in ("'", '"') and written.find(quote, 1) > 0 else written
    value = value if quote in ("'", '"') else re.sub(r"\s+#.*", "", value)
    return INTERPOLATED.sub(lambda m: m[2] or "", value)
