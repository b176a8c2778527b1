"""Read a `.env` as Docker Compose reads it, so that one file means the same natively and in containers.

Where Compose would quietly take something else than what is written (a `$` that names nothing), and where it would
refuse, this raises an error that names the line. Plain Python without dependencies, of any version from 3.9 on.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.phrases import phrase

NAME = re.compile(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*([=:])[ \t]*")
_COMMENT = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\n|\Z)")
_REFERENCE = re.compile(r"\\\$|\$\$|\$([A-Za-z_]\w*)|\$\{(?:([A-Za-z_]\w*)(?:(:?-)([^{}$]*))?\})?", re.ASCII)
_UNDECODED = "\ufffd"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "\\$"}


class UnreadableEnv(ValueError):
    """Raised for a `.env` that cannot be read; the message has the remedy."""


class UnreadableLine(UnreadableEnv):
    """Raised for a line of `.env` that cannot be read or would not mean what it says; names line and remedy."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(phrase("env_line", line=line, message=message))


def read_env(path: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the settings in a file; none where there is no file.

    Args:
        environ: Variables that win over the file's own where a value refers to one; the shell's unless given.

    Raises:
        UnreadableEnv: The file or a line of it cannot be read.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as exc:
        raise UnreadableEnv(phrase("env_unread", reason=exc.strerror)) from exc
    if b"\0" in raw:
        raise UnreadableEnv(phrase("env_utf16"))
    text = raw.decode("utf-8-sig", errors="replace")  # comments may be in an old encoding
    return parse_env(text.replace("\r\n", "\n"), os.environ if environ is None else environ)


def parse_env(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings in the text of a `.env`.

    Raises:
        UnreadableLine: A line cannot be read.
    """
    settings: dict[str, str] = {}
    place = 0
    while place < len(text):
        if blank := _COMMENT.match(text, place):
            place = max(blank.end(), place + 1)
            continue
        line = text.count("\n", 0, place) + 1
        name, start = _name(text, place, line)
        raw, quote, place = _value(text, start, line)
        if _UNDECODED in raw:
            raise UnreadableLine(line, phrase("env_encoding", name=name))
        settings[name] = (
            raw if quote == "'" else _expanded(raw, {**settings, **environ}, line, name, quoted=bool(quote))
        )
    return settings


def _name(text: str, place: int, line: int) -> tuple[str, int]:
    found = NAME.match(text, place)
    if not found:
        shown = text[place:].partition("\n")[0].replace("＝", "=").partition("=")[0].strip()[:30]
        raise UnreadableLine(line, phrase("env_no_setting", shown=shown))
    return found[1], found.end()


def _value(text: str, start: int, line: int) -> tuple[str, str, int]:
    """Return a value as it is written, its quote and where the next line begins."""
    quote = text[start : start + 1]
    if quote not in ("'", '"'):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        written = text[start:end]
        comment = written.find(" #")
        return (written if comment < 0 else written[:comment]).strip(), "", end + 1
    found = re.compile(rf"{quote}((?:\\.|[^\\{quote}])*){quote}", re.DOTALL).match(text, start)
    if not found:
        raise UnreadableLine(line, phrase("env_open_quote", quote=quote))
    rest = _COMMENT.match(text, found.end())
    if not rest:
        raise UnreadableLine(line, phrase("env_behind_quote"))
    inner = found[1].replace("\\'", "'") if quote == "'" else re.sub(r"\\(.)", _unescaped, found[1], flags=re.DOTALL)
    return inner, quote, rest.end()


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPES.get(found[1], found[0])


def _expanded(value: str, known: Mapping[str, str], line: int, name: str, *, quoted: bool) -> str:
    """Replace `$NAME`, `${NAME}` and `${NAME:-default}`; `$$`, and `\\$` in double quotes, are a dollar sign."""

    def replace(found: re.Match[str]) -> str:
        if found[0] == "$$" or (found[0] == "\\$" and quoted):
            return "$"
        value, default = known.get(found[1] or found[2] or ""), found[4]
        if value is None and default is None:
            shown = phrase("this_one") if "KEY" in name else repr(found[0])
            raise UnreadableLine(line, phrase("env_dollar", name=name, shown=shown))
        return (value or default or "") if found[3] == ":-" else default or "" if value is None else value

    return _REFERENCE.sub(replace, value)


def main() -> int:
    """Check the file that is named; print what is wrong with it."""
    try:
        read_env(Path(sys.argv[1]))
    except UnreadableEnv as exc:
        print(exc, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
