"""Recognise events that differ from the one before in their words alone: these need not be decoded."""

import re
from typing import NamedTuple

import msgspec

BEGIN, END = b"data: ", b"\n\n"
PADDING = b'"obfuscation":"'
PADDED = re.compile(rb'"obfuscation":"[^"\\]*"\}\n\n')
_WORDS = re.compile(rb'"content" ?: ?"((?:[^"\\]|\\.)*)"')
_EMPTY = b'"content":""'


class Mould(NamedTuple):
    """The bytes around the words of a chunk, as they come and as they leave."""

    before: bytes
    after: bytes
    is_padded: bool
    """OpenAI's padding follows, whose length hides that of the words."""
    is_whole: bool
    """Words leave in the bytes they came in."""
    choice: int
    out_before: bytes
    out_after: bytes

    @classmethod
    def around(cls, data: bytes, choice: int, empty: bytes | None = None) -> "Mould | None":
        """Return what surrounds the words of an event; None where they are not found.

        Args:
            empty: The event as it leaves, without words; None: it leaves in the bytes it came in.
        """
        if (words := _WORDS.search(data)) is None:
            return None
        before, after = BEGIN + data[: words.start(1)], data[words.end(1) :] + END
        out_before, out_after = before, after
        if empty is not None:
            out_before, _, out_after = empty.partition(_EMPTY)
            out_before, out_after = out_before + _EMPTY[:-1], _EMPTY[-1:] + out_after
        if is_padded := PADDING in after:
            after, out_after = after[: after.index(PADDING)], out_after[: out_after.index(PADDING)]
        return cls(before, after, is_padded, empty is None, choice, out_before, out_after)


def are_whole(parts: list[bytes]) -> bool:
    """Tell whether each of these parts of a JSON string has only letters of its own, none that the next one ends."""
    try:
        text = b"\n".join(parts).decode()
        return bool(text) and "\\" not in text
    except UnicodeDecodeError:
        return False


def text_of(words: bytes) -> str | None:
    """Decode the inside of a JSON string; None where it is none."""
    try:
        text = words.decode()
        if '"' in text or "\\" in text:
            text = msgspec.json.decode(b'"%b"' % words, type=str)
        elif "\n" in text:
            return None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return text
