"""Read server-sent events from bytes that are cut anywhere, as strictly as needed and as kindly as real servers need.

Line ends of every kind, byte order marks, blanks around `data:` and capitals in it, data over several lines, and
events that only one line end separates are understood. Comments, ids and retry times are left out. A body that begins
like JSON is no event stream: each of its objects is an event, be they lines, an array, or one answer.
"""

import re
from typing import NamedTuple

from chassis.errors import EngineFailed

MAX_EVENT_BYTES = 4 * 2**20
_MAX_OBJECT_BYTES = 32 * 2**20
DONE = b"[DONE]"
_LAST = b"data: " + DONE
_BLANKS = b" \t\0\xef\xbb\xbf"
"""Bytes around the name of a field, byte order marks among them."""
_NAMED = (b"", b"id", b"retry")
"""Fields that are left out; a comment has no name."""
_CR, _LF = b"\r\n"
"""As numbers: before Python looks for bytes in bytes, it makes and drops an error, which costs more than the search."""
_BRACE = re.compile(rb'[{}"]')
_REST_OF_STRING = re.compile(rb'(?:[^"\\]+|\\.)*', re.DOTALL)


class Event(NamedTuple):
    """One event; its data is never empty, unless it is an error."""

    data: bytes
    is_error: bool = False


class Objects:
    """Finds the JSON objects in a text, whatever is between them, and keeps what is not whole yet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._seen = self._depth = 0
        self._in_string = False

    def add(self, piece: bytes) -> list[bytes]:
        """Return the objects that are whole by now.

        Raises:
            EngineFailed: One is larger than anybody could want.
        """
        self._held += piece
        found = []
        while (end := self._end_of_one()) is not None:
            found.append(bytes(self._held[self._held.index(b"{") : end]))
            del self._held[:end]
            self._seen = 0
        if len(self._held) > _MAX_OBJECT_BYTES:
            raise EngineFailed(f"answered more than {_MAX_OBJECT_BYTES} bytes")
        return found

    def _end_of_one(self) -> int | None:
        """Look on for the brace that closes an object."""
        while True:
            if self._in_string:
                string = _REST_OF_STRING.match(self._held, self._seen)
                self._seen = string.end() if string else self._seen
                if self._held[self._seen : self._seen + 1] != b'"':
                    return None
                self._in_string, self._seen = False, self._seen + 1
            if (found := _BRACE.search(self._held, self._seen)) is None:
                self._seen = len(self._held)
                return None
            self._seen = found.end()
            if found[0] == b'"':
                self._in_string = self._depth > 0
            elif found[0] == b"{":
                self._depth += 1
            elif self._depth > 0:
                self._depth -= 1
                if self._depth == 0:
                    return found.end()


class Frames:
    """Cut a stream into events, and keep what is not whole yet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._after_cr = False
        self._is_unknown = True
        """Nothing shows yet what kind of body it is."""
        self._objects: Objects | None = None
        """The objects of a body that is JSON."""

    @property
    def empty(self) -> bool:
        """True where no part of an event is held."""
        return not self._held and not self._after_cr and self._objects is None

    def add(self, piece: bytes) -> list[Event]:
        """Return the events that are whole by now.

        Raises:
            EngineFailed: One event is larger than anybody could want.
        """
        if self._is_unknown and (head := piece.lstrip(_BLANKS + b"\r\n")):
            self._is_unknown = False
            self._objects = Objects() if head.startswith((b"{", b"[")) else None
        if self._objects is not None:
            return list(map(Event, self._objects.add(piece)))
        if self._after_cr or _CR in piece:
            piece = self._with_plain_line_ends(piece)
        if self._held or not piece.endswith(b"\n\n"):
            seen = max(0, len(self._held) - 1)
            self._held += piece
            end = self._held.rfind(b"\n\n", seen)
            if end < 0:
                if len(self._held) > MAX_EVENT_BYTES:
                    raise EngineFailed(f"sent an event of more than {MAX_EVENT_BYTES} bytes")
                return []
            piece = bytes(self._held[: end + 2])
            del self._held[: end + 2]
        return self._events(piece)

    def rest(self) -> list[Event]:
        """Return the events that lack only the blank line after them."""
        piece, self._held = bytes(self._held), bytearray()
        return self._events(piece)

    def _with_plain_line_ends(self, piece: bytes) -> bytes:
        if self._after_cr and piece:
            piece = piece.removeprefix(b"\n")
        self._after_cr = piece.endswith(b"\r") if piece else self._after_cr
        return piece.replace(b"\r\n", b"\n").replace(b"\r", b"\n")

    def _events(self, piece: bytes) -> list[Event]:
        events: list[Event] = []
        for block in piece.split(b"\n\n"):
            if block == _LAST or (block.startswith(b"data: {") and _LF not in block):
                events.append(Event(block[6:]))
            elif block := block.strip(b"\n"):
                events += _read(block)
        return events


def _read(block: bytes) -> list[Event]:
    """Read a block of any lines."""
    lines: list[bytes] = []
    is_error = False
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        name = name.strip(_BLANKS).lower()
        if name == b"data":
            lines.append(_without_names(value))
        elif name == b"event":
            is_error = value.strip() == b"error"
        elif name == b"error" and value:  # llama.cpp's way
            lines, is_error = [value], True
        elif name not in _NAMED and (lines or line.lstrip().startswith((b"{", b'"{'))):  # data goes on, or has no name
            lines.append(line)
    data = b" ".join(lines).strip()  # JSON in several lines becomes one, which every client reads
    if len(lines) > 1 and all(line.lstrip().startswith((b"{", DONE)) for line in lines):
        return [Event(line.strip(), is_error) for line in lines]  # only one line end separated them
    return [Event(data, is_error)] if data or is_error else []


def _without_names(value: bytes) -> bytes:
    """Return data without the name that a gateway has put before it once more."""
    while (stripped := value.lstrip(_BLANKS)).startswith(b"data:"):
        value = stripped[5:]
    return value.removeprefix(b" ")
