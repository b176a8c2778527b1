"""A process of its own in which PocketSphinx listens: it holds Python's lock, and cannot be told to stop.

It reads `length (4 bytes, little-endian), 16-bit samples` from its input, again and again, and for each writes
`length, JSON [processor time, likelihood, [[word, start, end], …]]`, times in seconds. Before the first it writes an
empty list when it is ready, or what is wrong with the grammar or the keywords that its argument names. It ends when its
input does: with its parent, whatever becomes of that. Run by its path, so that nothing else is loaded.
"""

import json
import math
import os
import re
import signal
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

_FRAMES_PER_SECOND = 100
_LOG_BASE = 1.0001
"""PocketSphinx's, unless `logbase` is set."""
_NICER = 5
"""Niceness added to that of its parent, which answers the callers and goes first. With much more, no caller is heard
in time on a busy machine. A process inherits the niceness of the thread that starts it, and only root could undo it."""
NO_WORDS = re.compile(
    r"/\*.*?\*/|//[^\n]*|#JSGF[^;]*;|\bgrammar\s+[\w.]+\s*;|\bimport\s*<[^>]*>\s*;|<[^>]*>|\{[^}]*\}|/[\d.eE+-]+/|\bpublic\b",
    re.DOTALL,
)
"""Parts of a JSGF grammar that are no words: comments, headers, names of rules, tags, weights."""


class UnusableGrammar(ValueError):
    """The grammar or the keywords cannot be used; the message says why."""


def main() -> None:
    from pocketsphinx import Decoder

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the parent decides when to stop
    stepped_back = os.getpriority(os.PRIO_PROCESS, 0) - os.getpriority(os.PRIO_PROCESS, os.getppid())
    os.nice(max(0, _NICER - stepped_back))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    try:
        decoder = listener(Decoder, **json.loads(sys.argv[1] if len(sys.argv) > 1 else "{}"))
    except UnusableGrammar as exc:
        _write(sink, [str(exc)])
        return
    _write(sink, [])  # ready
    while samples := _read(source):
        began = time.process_time()
        heard = words(decoder, samples)
        _write(sink, [time.process_time() - began, likelihood(decoder), heard])


def listener(decoder: Any, *, grammar: str | None = None, keywords: Iterable[tuple[str, float]] = ()) -> Any:
    """Return a decoder for any English, for what a grammar allows, or for keywords, each with its threshold.

    Args:
        decoder: PocketSphinx's class.

    Raises:
        UnusableGrammar: They cannot be read, or have words that its dictionary does not.
    """
    # Limits to the beam halve the time; on read and spoken English it heard no worse for it.
    limits: dict[str, Any] = {"loglevel": "FATAL", "maxhmmpf": 5000}
    if grammar is not None:
        try:
            text = Path(grammar).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as exc:
            raise UnusableGrammar(f"{grammar} cannot be read") from exc
        _check(decoder, re.findall(r"[^\s|()\[\]*+=;\"]+", NO_WORDS.sub(" ", text)))
        try:
            return decoder(**limits, lm=None, jsgf=grammar)
        except RuntimeError as exc:  # PocketSphinx raises nothing finer
            raise UnusableGrammar(f"{grammar} is no JSGF grammar, or has no public rule") from exc
    if listed := list(keywords):
        _check(decoder, [word for phrase, _ in listed for word in phrase.split()])
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".list") as file:
            file.writelines(f"{phrase} /{threshold}/\n" for phrase, threshold in listed)
            file.flush()
            return decoder(**limits, lm=None, kws=file.name)
    return decoder(**limits)


def _check(decoder: Any, needed: Iterable[str]) -> None:
    """Look the words up in the dictionary.

    Raises:
        UnusableGrammar: Some are not there.
    """
    known = decoder(loglevel="FATAL", lm=None)
    if unknown := [word for word in dict.fromkeys(needed) if known.lookup_word(word) is None]:
        listed = ", ".join(repr(word) for word in unknown[:10])
        raise UnusableGrammar(f"PocketSphinx's dictionary has no {listed}; write English words, in lower case")


def words(decoder: Any, samples: bytes) -> list[tuple[str, float, float]]:
    """Return the words of one utterance: text, start and end.

    The utterance is given whole, and so levelled by its own mean and not by a running one.
    """
    decoder.reinit_feat()  # else it remembers the voice before
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    heard = [
        (
            part.word.partition("(")[0].strip(),
            part.start_frame / _FRAMES_PER_SECOND,
            (part.end_frame + 1) / _FRAMES_PER_SECOND,
        )
        for part in decoder.seg()
        if part.word[0] not in "<[+"  # silence, noise
    ]
    return sorted(heard, key=lambda word: word[1])  # keywords come in any order


def likelihood(decoder: Any) -> float:
    """Return how well the last utterance fits the words that were heard: the logarithm by frame, to PocketSphinx's
    base; 0 where there are none."""
    best = decoder.hyp()
    if best is None or not best.best_score:
        return 0.0
    frames: int = max(1, decoder.n_frames())
    return math.log(best.best_score) / math.log(_LOG_BASE) / frames


def _read(source: BinaryIO) -> bytes:
    size = int.from_bytes(source.read(4), "little")
    return source.read(size)


def _write(sink: BinaryIO, value: object) -> None:
    text = json.dumps(value).encode()
    sink.write(len(text).to_bytes(4, "little") + text)
    sink.flush()


if __name__ == "__main__":
    main()
