"""Whole letters out of JSON whose letters are broken: bytes that are no UTF-8, escaped halves of a surrogate pair."""

import json
import re
from typing import Any

import msgspec

_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_BYTES = re.compile("[\udc80-\udcff]+")
"""Bytes that were no UTF-8, as `surrogateescape` has them."""
_HALF = re.compile("[\ud800-\udfff]")
_UNFINISHED = re.compile(
    "(?:[\ud800-\udbff]|[\udcc2-\udcdf]|[\udce0-\udcef][\udc80-\udcbf]?|[\udcf0-\udcf4][\udc80-\udcbf]{0,2})\\Z"
)


def decoded(data: bytes) -> dict[str, Any] | None:
    """Return the JSON object that `data` holds, parts of letters as lone surrogates; None where it holds none."""
    try:
        value = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        try:
            value = json.loads(data.decode("utf-8", "surrogateescape"), strict=False)
        except (ValueError, RecursionError):
            return None
    value = value[0] if isinstance(value, list) and value else value  # Gemini wraps its errors once more
    if isinstance(value, str) and value.startswith("{"):  # encoded twice
        return decoded(value.encode("utf-8", "replace"))
    return value if isinstance(value, dict) else None


def is_strict(data: bytes) -> bool:
    """Tell whether `data` is JSON as every client reads it: no NaN, no line end within a text."""
    try:
        msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


class Letters:
    """Join the parts of letters that were cut over several texts; what never becomes a letter is U+FFFD."""

    def __init__(self) -> None:
        self._held = ""

    def add(self, text: str) -> str:
        """Return the whole letters by now."""
        if not self._held and (text.isascii() or not _HALF.search(text)):
            return text
        text = _PAIR.sub(_joined, self._held + text)
        tail = _UNFINISHED.search(text)
        self._held = tail[0] if tail else ""
        return _whole(text[: tail.start()] if tail else text)

    @property
    def empty(self) -> bool:
        """True where no part of a letter is held."""
        return not self._held

    def rest(self) -> str:
        """Return a sign for a letter that never came to its end."""
        text, self._held = self._held, ""
        return _whole(text)


def whole(value: Any) -> Any:
    """Return a JSON value in whose texts all letters are whole."""
    if isinstance(value, str):
        return _whole(value)
    if isinstance(value, list):
        return [whole(item) for item in value]
    if isinstance(value, dict):
        return {whole(key): whole(item) for key, item in value.items()}
    return value


def _whole(text: str) -> str:
    return text if text.isascii() else _HALF.sub("\ufffd", _BYTES.sub(_read, _PAIR.sub(_joined, text)))


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def _read(run: re.Match[str]) -> str:
    return run[0].encode("utf-8", "surrogateescape").decode("utf-8", "replace")
