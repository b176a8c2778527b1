"""Judge a child's words before they are written down: nobody reads, keeps or answers those that are stopped."""

from collections.abc import AsyncGenerator, AsyncIterator

from msgspec.structs import replace

from chassis.guard.guard import Watch
from stt.hearing import Heard, Segment


class Ear:
    """The guard of one recording."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    @property
    def kind(self) -> str | None:
        """Kind of risk that was found."""
        return None if self._watch.noted is None else self._watch.noted.kind

    async def judged(self, pieces: AsyncIterator[Heard]) -> AsyncGenerator[Heard, None]:
        """Yield what was heard; from the first words that do not pass, what the child is written down to have said."""
        said, is_over = "", False
        async for heard in pieces:
            text = "".join(segment.text for segment in heard.segments)
            verdict = None if is_over else await self._watch.judge(said + text, "asked")
            if verdict is not None:
                stand_in = self._watch.stand_in(verdict, said + text)
                yield replace(heard, segments=(_in_place(heard.segments, stand_in, first=not said),))
            elif not is_over:
                yield heard
            said, is_over = said + text, is_over or verdict is not None


def _in_place(segments: tuple[Segment, ...], text: str, *, first: bool) -> Segment:
    """Return one segment that takes the time of others."""
    gap = "" if first or not text.isascii() else " "
    return Segment(start=segments[0].start, end=segments[-1].end, text=gap + text)
