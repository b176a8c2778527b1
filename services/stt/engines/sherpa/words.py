"""Tokens of a model, put together to words and a text."""

from collections.abc import Iterator

from stt.hearing import Word
from stt.text.tags import cleaned

_SENTENCE_PIECE = "\u2581"
_CONTINUES = "@@"
"""End of a piece of a word that goes on, in Paraformer's English."""


def written(text: str) -> str:
    """Return a text as people write it: some models know capitals only."""
    text = text.strip()
    return text.lower() if text.isupper() else text


def words(tokens: list[str], times: list[float], begin: float, end: float) -> Iterator[Word]:
    """Yield the words that the tokens make; each lasts until the next one.

    Args:
        times: Seconds after `begin` at which each token begins; models that do not know give none.
        begin: Beginning of the sound, in seconds of the recording; `end` likewise.
    """
    if len(times) != len(tokens):
        return
    found = _joined(tokens, times, begin, end)
    shout = "".join(word for word, _ in found).isupper()
    ends = [*(time for _, time in found[1:]), end]
    for (word, time), last in zip(found, ends, strict=True):
        yield Word(word.lower() if shout else word, round(time, 2), round(last, 2))


def _joined(tokens: list[str], times: list[float], begin: float, end: float) -> list[tuple[str, float]]:
    """Join tokens to words, with the time at which each begins."""
    found: list[tuple[str, float]] = []
    joins = False
    for token, time in zip(tokens, times, strict=True):
        piece = cleaned(token)[0].replace(_SENTENCE_PIECE, " ")
        bare = piece.strip().removesuffix(_CONTINUES)
        if not bare:
            joins = False
            continue
        starts = piece.startswith(" ") or not found or not (bare[0].isascii() and found[-1][0][-1].isascii())
        punctuation = not any(char.isalnum() for char in bare)
        if found and (joins or not starts or punctuation):
            found[-1] = found[-1][0] + bare, found[-1][1]
        else:
            found.append((bare, min(begin + time, end)))
        joins = piece.strip().endswith(_CONTINUES)
    return found
