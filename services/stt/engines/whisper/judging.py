"""Judge what Whisper wrote: loops, doubts, and sentences that it likes to invent."""

import zlib
from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from stt.engines.whisper.decoding import Decoding, Guess
from stt.hearing import Segment
from stt.text.hallucinations import is_invented

_LOOP_RATIO, _DOUBT_LOGPROB, _NO_SPEECH = 2.4, -1.0, 0.6
"""OpenAI's thresholds of compression, probability and silence; above, below and above them a text is wrong."""
_INVENTED_LOGPROB, _INVENTED_NO_SPEECH = -0.5, 0.3
"""A sentence that Whisper likes to invent is believed only when it is surer than this."""
_HASTY = 17.0
"""Letters a second that nobody exceeds who repeats himself; a Chinese character is as long as two and a half."""

Verdict: TypeAlias = Literal["good", "silence", "doubtful"]


def judge(decoding: Decoding, guess: Guess) -> Verdict:
    """Say whether a guess can be believed, shows that nobody spoke, or must be looked at again."""
    low = guess.avg_logprob < _DOUBT_LOGPROB
    if low and guess.no_speech_prob > _NO_SPEECH:
        return "silence"
    seconds = decoding.speech.seconds
    lost = bool(guess.text.strip()) and not guess.pieces
    if lost or guess.cut or is_loop(guess.text, seconds):
        return "doubtful"
    unsure = not decoding.sure_language and not decoding.second_look
    if guess.temperature == 0 and (low or unsure):
        return "doubtful"
    return "good"


def believed(decoding: Decoding, segments: Iterable[Segment]) -> Iterator[Segment]:
    """Yield the segments without those that the model made up."""
    for segment in segments:
        doubtful = not decoding.speech.sure
        if doubtful and (segment.avg_logprob < _DOUBT_LOGPROB or segment.compression_ratio > _LOOP_RATIO):
            continue
        doubtful |= segment.avg_logprob < _INVENTED_LOGPROB or segment.no_speech_prob > _INVENTED_NO_SPEECH
        if doubtful and is_invented(segment.text):
            continue
        yield segment


def is_loop(text: str, seconds: float) -> bool:
    """Return whether a text repeats itself, faster than anybody speaks: children do repeat themselves."""
    if letters(text) <= _HASTY * seconds:
        return False
    return compression_ratio(text.strip()) > _LOOP_RATIO or _is_repeated(text)


def compression_ratio(text: str) -> float:
    """Return how much smaller the text can be written; a text that repeats itself gives much."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if raw else 0.0


def letters(text: str) -> float:
    """Return how long it takes to say the text, in English letters."""
    return sum(1.0 if c.isascii() else 2.5 for c in text if c.isalnum())


def unrepeated(text: str) -> int:
    """Return how many letters and digits of a text come before it only repeats what it has said, to its end."""
    said = plain(text)
    shortest = len(said)
    for period in range(1, len(said) // 2 + 1):
        same = 0
        while same < len(said) - period and said[-1 - same] == said[-1 - same - period]:
            same += 1
        if same >= period:
            shortest = min(shortest, len(said) - same)
    return shortest


def plain(text: str) -> str:
    """Return the letters and digits alone, all of them small."""
    return "".join(c for c in text.casefold() if c.isalnum())


def _is_repeated(text: str) -> bool:
    """Return whether a text says one thing twice or more, and nothing else."""
    said = plain(text)
    return (said + said).find(said, 1) not in (-1, len(said))
