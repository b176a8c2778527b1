"""An upstream's event stream, passed on as the bytes it came as.

Only the first event is read, and any that may hold an error; of the others no more than where they end. What leaves is
always whole events, so that an error event can follow at any time.
"""

import re
from collections.abc import AsyncIterator, Callable, Iterator

import msgspec

from chassis.errors import ApiError, EngineFailed
from chassis.upstream.complaints import Complaint
from llm.answer.usage import DONE, Tally

MAX_EVENT_BYTES = 4 * 2**20
DONE_LINE = re.compile(rb"(?:^|[\r\n])data: ?\[DONE\][ \t]*(?=[\r\n]|$)")
BLANK_LINE = re.compile(rb"\r?\n\r?\n")
FINISHED = tuple(b'"finish_reason"%b"' % colon for colon in (b":", b": ", b" : ", b" :"))
BOM = b"\xef\xbb\xbf"

Judge = Callable[[Complaint], ApiError]


async def relayed(
    pieces: AsyncIterator[bytes], judge: Judge, ended: Callable[[], None], tally: Tally | None = None
) -> AsyncIterator[bytes]:
    """Whole events, several at a time where they came together; the last is `[DONE]`, whether it was sent or not.

    Args:
        judge: What an error object inside the stream means.
        ended: Called when nothing more is wanted of `pieces`.
        tally: Counts what passes.

    Raises:
        EngineFailed: Nothing usable came, or it ended before it was finished.
        ApiError: As `judge` says of an error within.
    """
    frames, begun, finished = Frames(), False, False
    async for piece in pieces:
        if not (events := frames.add(piece)):
            continue
        if not begun:
            events = events.removeprefix(BOM)
            if not (begun := _begins(events, judge)):
                continue
        if tally is not None:
            tally.events(events)
        error: ApiError | None = None
        if b'"error"' in events:
            events, error = _until_error(events, judge)
        if b"[DONE]" in events and (done := DONE_LINE.search(events)):
            ended()
            yield events[: done.start()].rstrip(b"\r\n") + b"\n\n" + DONE if done.start() else DONE
            return
        finished = finished or _finishes(events)
        if events:
            yield events
        if error is not None:
            raise error
    rest = frames.rest().strip()
    if not begun:
        _begins(rest.removeprefix(BOM), judge)
        if (complaint := Complaint.of(rest)) is not None and complaint.message:
            raise judge(complaint)
        raise EngineFailed("sent no event")
    if rest and _is_whole(rest):  # only its blank line was missing
        if tally is not None:
            tally.events(rest)
        if (complaint := next(filter(None, map(_error, data_of(rest))), None)) is not None:
            raise judge(complaint)
        finished = finished or _finishes(rest)
        yield rest + b"\n\n"
    if not finished and not DONE_LINE.search(rest):
        raise EngineFailed("broke off before the answer was finished")
    yield DONE


class Frames:
    """Cuts what arrives after the last whole event, and keeps the rest for later."""

    def __init__(self) -> None:
        self._held = bytearray()

    def add(self, piece: bytes) -> bytes:
        """The events that are whole by now, if any.

        Raises:
            EngineFailed: One event is larger than anybody could want.
        """
        if not self._held and piece.endswith((b"\n\n", b"\r\n\r\n")):
            return piece
        seen = max(0, len(self._held) - 3)
        self._held += piece
        end = max(self._held.rfind(b"\n\n", seen) + 2, self._held.rfind(b"\n\r\n", seen) + 3)
        if end < 3:  # neither was found
            if len(self._held) > MAX_EVENT_BYTES:
                raise EngineFailed(f"sent an event of more than {MAX_EVENT_BYTES} bytes")
            return b""
        events = bytes(self._held[:end])
        del self._held[:end]
        return events

    def rest(self) -> bytes:
        return bytes(self._held)


def data_of(events: bytes) -> Iterator[bytes]:
    """The data of each event that has any; comments have none."""
    for event in BLANK_LINE.split(events):
        lines = [line[5:].removeprefix(b" ") for line in event.splitlines() if line.startswith(b"data:")]
        if lines and (data := b"\n".join(lines).strip()):
            yield data


def _begins(events: bytes, judge: Judge) -> bool:
    """Whether the first event is among these; it must be a chunk of an answer."""
    first = next(data_of(events), None)
    if first is None:
        return False
    if first == b"[DONE]":
        raise EngineFailed("ended before it said anything")
    try:
        chunk = msgspec.json.decode(first)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise EngineFailed("sent an event that is no JSON") from exc
    if not isinstance(chunk, dict) or chunk.get("error") or not isinstance(chunk.get("choices"), list):
        raise judge(Complaint.within(chunk) or Complaint())
    return True


def _until_error(events: bytes, judge: Judge) -> tuple[bytes, ApiError | None]:
    """What comes before an error, and the error; most that looks like one is none."""
    start = 0
    for blank in [*BLANK_LINE.finditer(events), None]:
        end = blank.end() if blank else len(events)
        for data in data_of(events[start:end]):
            if (error := _error(data)) is not None:
                return events[:start], judge(error)
        start = end
    return events, None


def _finishes(events: bytes) -> bool:
    return any(mark in events for mark in FINISHED)


def _is_whole(event: bytes) -> bool:
    try:
        return all(isinstance(msgspec.json.decode(data), dict) for data in data_of(event)) and b"data:" in event
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _error(data: bytes) -> Complaint | None:
    try:
        chunk = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return Complaint.within(chunk) if isinstance(chunk, dict) and chunk.get("error") else None
