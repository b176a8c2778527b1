"""How much was asked and answered, in tokens: as the upstream counts them, else estimated."""

import re
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from chassis.sse import close, event

DONE = b"data: [DONE]\n\n"
USAGE = re.compile(rb'"usage" ?: ?\{')
Told: TypeAlias = Annotated[int, Meta(ge=0, le=2**31)]


class Counts(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int


class _Usage(Struct):
    prompt_tokens: Told = 0
    completion_tokens: Told = 0


class _Choice(Struct):
    usage: _Usage | None = None


class _Counted(Struct):
    """Moonshot puts it into the choice."""

    usage: _Usage | None = None
    choices: list[_Choice] = []


_counted = msgspec.json.Decoder(_Counted)


class Tally:
    """Counts one answer as it passes."""

    def __init__(self) -> None:
        self.told: Counts | None = None
        """As the upstream counts."""
        self._events = 0
        self._text = 0

    def events(self, piece: bytes) -> None:
        """Some events of a stream; each is about a token."""
        self._events += piece.count(b"data:")
        if b'"usage"' in piece and USAGE.search(piece):
            for line in piece.splitlines():
                if line.startswith(b"data:") and USAGE.search(line):
                    self._note(line[5:])

    def whole(self, body: bytes) -> None:
        """A whole answer."""
        self._text = len(body) // 4
        if USAGE.search(body):
            self._note(body)

    def _note(self, data: bytes) -> None:
        try:
            counted = _counted.decode(data)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return  # of a shape of its own: an estimate is taken instead
        usage = counted.usage or next((choice.usage for choice in counted.choices if choice.usage), None)
        if usage is not None and (usage.prompt_tokens or usage.completion_tokens):
            self.told = Counts(usage.prompt_tokens, usage.completion_tokens)

    def counts(self, prompt_tokens: Callable[[], int]) -> Counts:
        """As told, else estimated."""
        if self.told is not None:
            return self.told
        frames = 3  # who speaks, the reason to end, [DONE]
        return Counts(prompt_tokens(), max(0, self._events - frames) + self._text)


def tokens_of(text: str) -> int:
    if text.isascii():
        return (len(text) + 3) // 4
    wide = (len(text.encode("utf-8", "replace")) - len(text)) // 2
    return (max(0, len(text) - wide) + 3) // 4 + wide


async def with_usage(
    pieces: AsyncIterator[bytes], tally: Tally, prompt_tokens: Callable[[], int]
) -> AsyncIterator[bytes]:
    """A stream of somebody who was asked for usage: where the upstream tells none, an estimate that says so."""
    frame: dict[str, Any] = {}
    try:
        async for piece in pieces:
            frame = frame or shared(piece)
            if piece.endswith(DONE) and tally.told is None:
                usage = shown(tally.counts(prompt_tokens), estimated=True)
                piece = piece[: -len(DONE)] + event(frame | {"choices": [], "usage": usage}) + DONE
            yield piece
    finally:
        await close(pieces)


def shared(events: bytes) -> dict[str, Any]:
    """What all chunks of a stream share, from the first; nothing where it says nothing."""
    data: list[bytes] = []
    for line in events.splitlines():
        if line.startswith(b"data:"):
            data.append(line[5:])
        elif data:
            break
    try:
        chunk = msgspec.json.decode(b"\n".join(data))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {}
    if not isinstance(chunk, dict) or not chunk.get("choices"):
        return {}
    return {key: chunk[key] for key in ("id", "object", "created", "model") if key in chunk}


def shown(counts: Counts, *, estimated: bool) -> dict[str, Any]:
    """As an answer carries it."""
    told = {
        "prompt_tokens": counts.prompt_tokens,
        "completion_tokens": counts.completion_tokens,
        "total_tokens": counts.prompt_tokens + counts.completion_tokens,
    }
    return told | ({"estimated": True} if estimated else {})
