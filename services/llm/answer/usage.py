"""Count tokens asked and answered: as the upstream counts them, else estimated."""

from collections.abc import Callable
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

_Tokens: TypeAlias = Annotated[int, Meta(ge=0, le=2**31)]


_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


class Counts(Struct, frozen=True):
    prompt_tokens: int
    completion_tokens: int


class _Usage(Struct):
    prompt_tokens: _Tokens = 0
    completion_tokens: _Tokens = 0


class Tally:
    """Count the tokens of one answer as it passes."""

    def __init__(self) -> None:
        self.told: Counts | None = None
        """The upstream's own count; None while it sent none."""
        self.pieces = 0
        """Chunks with something in them; each is about a token."""
        self._text = 0

    def chunk(self, chunk: dict[str, Any]) -> None:
        """Count a chunk of a stream."""
        choices = chunk.get("choices")
        self.pieces += isinstance(choices, list) and any(map(_holds_something, choices))
        self._note(chunk)

    def whole(self, body: bytes, answer: dict[str, Any]) -> None:
        """Count a whole answer."""
        self._text = len(body) // 4
        self._note(answer)

    def _note(self, chunk: dict[str, Any]) -> None:
        choices = chunk.get("choices")
        for holder in (chunk, *(choices if isinstance(choices, list) else ())):
            if isinstance(holder, dict) and isinstance(holder.get("usage"), dict):  # Moonshot puts it into the choice
                self._note_usage(holder["usage"])

    def _note_usage(self, usage: dict[str, Any]) -> None:
        try:
            counted = msgspec.convert(usage, _Usage)
        except msgspec.ValidationError:
            return  # of a shape of its own: an estimate is taken instead
        if counted.prompt_tokens or counted.completion_tokens:
            self.told = Counts(counted.prompt_tokens, counted.completion_tokens)

    def counts(self, prompt_tokens: Callable[[], int]) -> Counts:
        """Return the upstream's count, else an estimate."""
        if self.told is not None:
            return self.told
        return Counts(prompt_tokens(), self.pieces + self._text)


def _holds_something(choice: Any) -> bool:
    delta = choice.get("delta") if isinstance(choice, dict) else None
    return isinstance(delta, dict) and any(value for key, value in delta.items() if key != "role")


def usage_of(usage: object) -> dict[str, Any] | None:
    """Return the usage that an upstream tells, its counts as whole numbers; None where there is none."""
    if not isinstance(usage, dict) or not usage:
        return None
    return {name: _count(value) if name in _COUNTS else value for name, value in usage.items()}


def _count(value: object) -> int:
    try:
        return max(0, int(value)) if isinstance(value, int | float | str) else 0
    except (ValueError, OverflowError):
        return 0


def tokens_of(text: str) -> int:
    if text.isascii():
        return (len(text) + 3) // 4
    wide = (len(text.encode("utf-8", "replace")) - len(text)) // 2
    return (max(0, len(text) - wide) + 3) // 4 + wide


def shared(events: bytes) -> dict[str, Any]:
    """Return the fields that all chunks of a stream share, from the first; empty where it has none."""
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
    """Return the counts as an answer carries them."""
    told = {
        "prompt_tokens": counts.prompt_tokens,
        "completion_tokens": counts.completion_tokens,
        "total_tokens": counts.prompt_tokens + counts.completion_tokens,
    }
    return told | ({"estimated": True} if estimated else {})
