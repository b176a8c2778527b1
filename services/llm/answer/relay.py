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


class Relayed(AsyncIterator[bytes]):
    """An event stream, passed on: whole events, several at a time where they came together, `[DONE]` at the end.

    Args:
        pieces: What comes of the stream.
        passage: The way of its events to the caller.
        ended: Called when nothing more is wanted of `pieces`.
        first: What was taken of `pieces` already.
    """

    def __init__(
        self,
        pieces: AsyncIterator[bytes],
        passage: Passage,
        ended: Callable[[], None] = lambda: None,
        first: bytes = b"",
    ) -> None:
        self._pieces, self._passage, self._ended, self._first = pieces, passage, ended, first
        self._frames, self._held = Frames(), b""
        self._failure: ApiError | None = None
        self._is_over = False
        """Nothing more comes."""
        self._is_whole = False
        """The end of the answer has left."""

    async def __anext__(self) -> bytes:
        """Return the next events.

        Raises:
            EngineFailed: Nothing usable came, or it ended before it was finished.
            Wordless: It ended, for an ear, without a word.
            ApiError: The meaning of an error inside the stream.
        """
        passage = self._passage
        while not (self._is_over or passage.done):
            await self._take_more()
            if self._held and passage.spoken and not passage.done:
                events, self._held = self._held, b""
                return events
        return self._last()

    async def _take_more(self) -> None:
        """Hold what the next piece of the stream lets through; an error in it ends the stream."""
        try:
            piece, self._first = self._first or await anext(self._pieces), b""
            if self._frames.empty and (cast := self._passage.cast(piece)) is not None:
                self._held += cast
            else:
                self._hold(self._frames.add(piece))
        except StopAsyncIteration:
            self._is_over = True
            self._hold(self._frames.rest())
        except EngineFailed:
            if not self._passage.finished:
                raise
            self._is_over = True

    def _hold(self, events: list[Event]) -> None:
        """Hold what leaves of some events, up to the first that is an error."""
        try:
            for came in events:
                self._held += self._passage.add(came)
                if self._passage.done:
                    break
        except ApiError as exc:
            self._failure, self._is_over = exc, True

    def _last(self) -> bytes:
        """Return the end of the answer, once."""
        if self._failure is not None:
            raise self._failure
        if self._is_whole:
            raise StopAsyncIteration
        self._is_whole = True
        if self._passage.done:
            self._ended()
        return self._held + ending(self._passage)


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
