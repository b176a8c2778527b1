"""An upstream's stream on its way to the caller: nothing leaves before something is said."""

from collections.abc import AsyncIterator, Callable

from chassis.errors import ApiError, EngineFailed
from llm.answer.frames import Event, Frames
from llm.answer.passage import Passage


class Wordless(EngineFailed):
    """An answer came to its end, and nobody would have heard a word.

    Args:
        reason: The reason to end that the upstream told.
    """

    def __init__(self, reason: str | None) -> None:
        super().__init__(f"ended without a word to say (finish_reason: {reason or 'none'})")
        self.reason = reason


async def relayed(
    pieces: AsyncIterator[bytes], passage: Passage, ended: Callable[[], None] = lambda: None
) -> AsyncIterator[bytes]:
    """Pass an event stream on: whole events, several at a time where they came together, `[DONE]` at the end.

    Args:
        ended: Called when nothing more is wanted of `pieces`.

    Raises:
        EngineFailed: Nothing usable came, or it ended before it was finished.
        Wordless: It ended, for an ear, without a word.
        ApiError: The meaning of an error inside the stream.
    """
    frames, held, is_over = Frames(), b"", False
    while not is_over and not passage.done:
        try:
            piece = await anext(pieces)
            if frames.empty and (cast := passage.cast(piece)) is not None:
                out, error = cast, None
            else:
                out, error = _passed(frames.add(piece), passage)
        except StopAsyncIteration:
            is_over = True
            out, error = _passed(frames.rest(), passage)
        except EngineFailed:
            if not passage.finished:
                raise
            out, error, is_over = b"", None, True
        held += out
        if held and passage.spoken and not passage.done:
            yield held
            held = b""
        if error is not None:
            raise error
    if passage.done:
        ended()
    yield held + ending(passage)


def _passed(events: list[Event], passage: Passage) -> tuple[bytes, ApiError | None]:
    """Return what to send for some events, up to the first that is an error, and that error."""
    out = []
    for came in events:
        try:
            out.append(passage.add(came))
        except ApiError as exc:
            return b"".join(out), exc
        if passage.done:
            break
    return b"".join(out), None


def ending(passage: Passage) -> bytes:
    """Return the end of an answer.

    Raises:
        EngineFailed: There was no answer, or it is not finished.
        Wordless: For an ear, there was no word in it.
    """
    if not passage.begun:
        raise EngineFailed("ended before it said anything" if passage.done else "sent no event of an answer")
    if not passage.done and not passage.finished:
        raise EngineFailed("broke off before the answer was finished")
    last = passage.end()
    if not passage.spoken and passage.strainer.heard:
        raise Wordless(passage.reason)
    return last
