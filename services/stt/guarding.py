"""Judge a child's words before they are written down: nobody reads, keeps or answers those that are stopped."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence

from msgspec.structs import replace

from chassis.guard.guard import Verdict, Watch
from chassis.guard.held import is_clause
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
        """Yield what was heard, clause by clause; from the first words that do not pass on, what is written instead."""
        said, waiting = "", list[Heard]()
        is_over = False
        async for heard in pieces:
            if is_over:
                continue
            waiting.append(heard)
            if is_clause(_words(waiting)):
                said, verdict = said + _words(waiting), await self._verdict(said, waiting)
                for each in self._passed(waiting, verdict, said):
                    yield each
                waiting, is_over = [], verdict is not None
        if waiting:
            verdict = await self._verdict(said, waiting)
            for each in self._passed(waiting, verdict, said + _words(waiting)):
                yield each

    async def _verdict(self, said: str, waiting: Sequence[Heard]) -> Verdict | None:
        return await self._watch.judge(said + _words(waiting), "asked")

    def _passed(self, waiting: Sequence[Heard], verdict: Verdict | None, said: str) -> Sequence[Heard]:
        """Return what of a clause is written down.

        Args:
            said: All words up to its end.
        """
        segments = [segment for heard in waiting for segment in heard.segments]
        if verdict is None or not segments:
            return waiting
        stand_in, is_first = self._watch.stand_in(verdict, said), said == _words(waiting)
        return (replace(waiting[-1], segments=(_in_place(segments, stand_in, first=is_first),)),)


def _words(pieces: Sequence[Heard]) -> str:
    return "".join(segment.text for heard in pieces for segment in heard.segments)


def _in_place(segments: Sequence[Segment], text: str, *, first: bool) -> Segment:
    """Return one segment that takes the time of others."""
    gap = "" if first or not text.isascii() else " "
    return Segment(start=segments[0].start, end=segments[-1].end, text=gap + text)
