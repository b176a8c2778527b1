"""Tell tts of each piece of an answer as soon as it is known, so that it is spoken before the toy's server asks for it.

The pieces are those that folotoy-server cuts. tts gets them with the caller's own key, and knows by itself which voice
that key heard last. Nothing here holds an answer up: what does not go well is left out.
"""

import asyncio
import logging
import re
from collections.abc import Iterator
from itertools import pairwise
from time import monotonic

import msgspec
from msgspec import Struct

from chassis import spans, trace
from chassis.errors import ApiError
from chassis.privacy import Transfer
from chassis.settings import Options, SettingError

PATH = "/audio/speech/ahead"
AT_A_TIME = 2
"""Pieces of one answer told at a time; tts speaks no more anyway."""
_MOST_PIECES = 12
"""Pieces of one answer that are told."""
_LONGEST_PIECE = 1_000
"""Characters without a separator after which nothing more of an answer is told: nobody asks for such a piece."""
SECONDS = 10.0
"""Time for one piece to be spoken."""
AWAY_SECONDS = 30.0
"""Time for which a tts that failed or refused is left alone."""

log = logging.getLogger("talkbox.speak_ahead")


class SpeakAheadOptions(Options, frozen=True, kw_only=True):
    """Pieces of a streamed answer that tts makes before they are asked for."""

    prefix = "LLM_"
    speak_ahead_url: str = ""
    """Base of tts itself, not of the proxy: `http://tts:8000/v1` in containers, `http://127.0.0.1:8093/v1` natively.
    Empty: no piece is spoken before it is asked for. Several workers of tts find each other's pieces in
    `TTS_CACHE_DIR` alone."""
    speak_ahead_separators: str = "，！。？,!.?"
    """Signs after which the toy's server cuts: its `SENTENCE_SEPARATORS`."""


class _Delta(Struct):
    content: str | None = None


class _Choice(Struct):
    delta: _Delta
    index: int = 0


class _Chunk(Struct):
    choices: list[_Choice] = []


_decode = msgspec.json.Decoder(_Chunk).decode


class Teller:
    """Tells one tts of pieces, for all answers of the service."""

    def __init__(self, options: SpeakAheadOptions) -> None:
        """Raises:
        SettingError: The address cannot be used.
        """
        from chassis.upstream.client import Unusable, Upstream  # its library is large, and few want it

        url, signs = options.speak_ahead_url.rstrip("/") + PATH, re.escape(options.speak_ahead_separators)
        self.end = re.compile(rf"(?<![{signs}])[{signs}]++(?!\Z)")
        """The signs at the end of a piece; at the end of a text, more may follow."""
        self._away_until, self._why_away = 0.0, ""
        try:
            self._tts = Upstream(
                url,
                {"content-type": "application/json"},
                connect_seconds=0.5,
                proxy="direct",
                setting="LLM_SPEAK_AHEAD_URL",
            )
        except Unusable as exc:
            raise SettingError(f"LLM_SPEAK_AHEAD_URL: {exc}.") from exc

    @classmethod
    def of(cls, options: SpeakAheadOptions) -> "Teller | None":
        return cls(options) if options.speak_ahead_url else None

    @property
    def sends(self) -> Transfer:
        """Entry for the sheet of what leaves this service."""
        return Transfer("words", "tts", "LLM_SPEAK_AHEAD_URL", self._tts.shown)

    async def tell(self, text: str, authorization: str) -> None:
        """Let tts speak a piece; return when it has, or will not."""
        if monotonic() < self._away_until:
            return
        shown = {"authorization": authorization} if authorization.isascii() and authorization.isprintable() else {}
        try:
            async with asyncio.timeout(SECONDS):
                with spans.calling("POST", self._tts.shown) as call:
                    reply = await self._tts.post(msgspec.json.encode({"input": text}), trace.passed_on() | shown)
                    call.answered(reply.status)
                try:
                    await reply.read(2**16)
                finally:
                    await reply.aclose()
        except (ApiError, TimeoutError) as exc:
            self._leave_alone(str(exc) or f"{self._tts.shown} did not answer within {SECONDS:.0f} s.")
        else:
            if reply.status >= 300:
                self._leave_alone(f"{self._tts.shown} answered {reply.status}.")

    def _leave_alone(self, why: str) -> None:
        """Tell nothing for a while; the log names the reason once."""
        self._away_until = monotonic() + AWAY_SECONDS
        if why != self._why_away:
            log.warning("nothing is spoken ahead for a while (LLM_SPEAK_AHEAD_URL): %s", why)
        self._why_away = why

    async def aclose(self) -> None:
        await self._tts.aclose()


class Ahead:
    """One answer's pieces on their way to tts.

    Args:
        authorization: The caller's own header.
    """

    def __init__(self, teller: Teller, authorization: str) -> None:
        self._teller, self._authorization = teller, authorization
        self._loop, self._places = asyncio.get_running_loop(), asyncio.Semaphore(AT_A_TIME)
        self._waiting, self._left = "", _MOST_PIECES
        self._tasks: set[asyncio.Task[None]] = set()

    def hear(self, events: bytes) -> None:
        """Take whole events that were written for the caller, once they have left."""
        if self._left:
            self._loop.call_soon(self._cut, events)

    def end(self) -> None:
        """Tell what is left: the answer is over."""
        self._loop.call_soon(self._tell_rest)

    def stop(self) -> None:
        """Tell nothing more, since nobody will ask; what tts is speaking ends too."""
        self._left = 0
        for task in self._tasks:
            task.cancel()

    def _cut(self, events: bytes) -> None:
        if not self._left:
            return
        *pieces, self._waiting = cut(self._teller.end, self._waiting + "".join(words(events)))
        for text in pieces:
            self._tell(text)
        if len(self._waiting) > _LONGEST_PIECE:
            self._left = 0

    def _tell_rest(self) -> None:
        self._tell(self._waiting)

    def _tell(self, text: str) -> None:
        if not self._left or not text.strip():
            return
        self._left -= 1
        task = self._loop.create_task(self._told(text))
        for tasks in (self._tasks, _running):
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    async def _told(self, text: str) -> None:
        async with self._places:
            await self._teller.tell(text, self._authorization)


_running: set[asyncio.Task[None]] = set()
"""All pieces that are being told: the loop itself does not keep a task alive."""


def cut(end: re.Pattern[str], text: str) -> list[str]:
    """Return the pieces that have ended, and what is left: it may go on."""
    starts = [0, *(match.end() for match in end.finditer(text)), len(text)]
    return [text[start:stop] for start, stop in pairwise(starts)]


def words(events: bytes) -> Iterator[str]:
    """Yield the words of the first choice in some events."""
    for line in events.splitlines():
        if line.startswith(b"data: {"):
            try:
                chunk = _decode(line[6:])
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
            yield from (choice.delta.content for choice in chunk.choices if choice.index == 0 and choice.delta.content)
