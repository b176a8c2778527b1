"""Have an engine hear a recording piece by piece, and join the transcripts.

The text of one piece is no prompt for the next: with it, Whisper base gets 9 to 15 words in a hundred wrong of five
minutes in flite's voice, and without it 5, as faster-whisper does with its sliding window over the whole.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from time import monotonic

from msgspec.structs import replace

from chassis.errors import EngineFailed, TooBusy
from stt.engines import Engine
from stt.hearing import Heard, Hints
from stt.sound.recording import Piece, Recording

_UNSPACED = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
"""Languages written without spaces between sentences."""
PATIENCE_SECONDS = 20.0
"""Time for which an engine that is busy or fails is asked again in the middle of a recording, when much would be
lost."""
_LONGEST_WAIT_SECONDS = 5.0


async def hear(
    engine: Engine, recording: Recording, hints: Hints, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncGenerator[Heard, None]:
    """Yield the words of the whole recording, as they are made out: at least one piece.

    Raises:
        BadRequest: The recording turned out to be damaged or too long.
        ApiError: Whatever the engine raises.
    """
    said, language = False, hints.language or "en"
    async with aclosing(recording.pieces()) as pieces:
        async for piece in pieces:
            async with aclosing(_heard(engine, piece, hints, patience_seconds if said else 0.0)) as parts:
                joined = said
                async for heard in parts:
                    language = heard.language
                    if heard.segments:
                        yield _placed(heard, piece.begin, space=joined and language not in _UNSPACED)
                        said, joined = True, False
            if said and engine.hears(language):
                hints = replace(hints, language=language)  # detected once
    if not said:
        yield Heard(language=language)


async def _heard(engine: Engine, piece: Piece, hints: Hints, patience_seconds: float) -> AsyncGenerator[Heard, None]:
    until, wait = monotonic() + patience_seconds, patience_seconds / 50
    while True:
        begun = False
        try:
            async with aclosing(engine.transcribe(piece.pcm, hints)) as parts:  # type: ignore[type-var]  # a generator
                async for heard in parts:
                    begun = True
                    yield heard
                return
        except (TooBusy, EngineFailed) as exc:
            if begun or monotonic() + wait > until:
                raise
            await asyncio.sleep(max(wait, min(exc.retry_after or 0.0, _LONGEST_WAIT_SECONDS)))
            wait = min(2 * wait, _LONGEST_WAIT_SECONDS)


def _placed(heard: Heard, begin: float, *, space: bool) -> Heard:
    """Put a piece into the recording's time, and a space before its first word."""
    if not begin:
        return heard
    first, *rest = (segment.later(begin) for segment in heard.segments)
    if space and not first.text[:1].isspace():
        first = replace(first, text=f" {first.text}")
    return replace(heard, segments=(first, *rest))
