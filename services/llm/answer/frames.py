"""Read server-sent events from bytes that are cut anywhere, as strictly as needed and as kindly as real servers need.

Line ends of every kind, a byte order mark, `data:` without a space, data over several lines, and events that only one
line end separates are understood. Comments, ids and retry times are left out.
"""

from typing import NamedTuple

from chassis.errors import EngineFailed

MAX_EVENT_BYTES = 4 * 2**20
DONE = b"[DONE]"
_LAST = b"data: " + DONE
_BOM = b"\xef\xbb\xbf"


class Event(NamedTuple):
    """One event; its data is never empty, unless it is an error."""

    data: bytes
    is_error: bool = False


class Frames:
    """Cut a stream into events, and keep what is not whole yet."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._is_first = True
        self._after_cr = False

    @property
    def empty(self) -> bool:
        """True where no part of an event is held."""
        return not self._held and not self._after_cr

    def add(self, piece: bytes) -> list[Event]:
        """Return the events that are whole by now.

        Raises:
            EngineFailed: One event is larger than anybody could want.
        """
        if self._after_cr or b"\r" in piece:
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
            if block == _LAST or (block.startswith(b"data: {") and b"\n" not in block):
                events.append(Event(block[6:]))
            elif block := block.strip(b"\n"):
                events += _read(block.removeprefix(_BOM) if self._is_first else block)
            else:
                continue
            self._is_first = False
        return events


def _read(block: bytes) -> list[Event]:
    """Read a block of any lines."""
    lines: list[bytes] = []
    is_error = False
    for line in block.split(b"\n"):
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
        elif field == b"event":
            is_error = value.strip() == b"error"
        elif field == b"error" and value:  # llama.cpp's way
            lines, is_error = [value], True
        elif line.lstrip().startswith(b"{"):  # no event at all, yet most often an error
            lines.append(line)
    data = b" ".join(lines).strip()  # JSON in several lines becomes one, which every client reads
    if len(lines) > 1 and all(line.lstrip().startswith((b"{", DONE)) for line in lines):
        return [Event(line.strip(), is_error) for line in lines]  # only one line end separated them
    return [Event(data, is_error)] if data or is_error else []
