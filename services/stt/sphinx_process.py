"""A process of its own in which PocketSphinx listens: it holds Python's lock, and cannot be told to stop.

It reads `length (4 bytes, little-endian), 16-bit samples` from its input, again and again, and writes
`length, JSON [[word, start, end], …]`, in seconds, for each. It ends when its input does: with its parent, whatever
becomes of that. Run by its path, so that nothing else is loaded.
"""

import json
import os
import signal
import sys
from typing import Any, BinaryIO

FRAMES_PER_SECOND = 100
NICER = 5
"""So that who answers the callers goes first."""


def main() -> None:
    from pocketsphinx import Decoder

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)  # sent to the whole group; the parent decides when to stop
    os.nice(NICER)
    # Limits to the beam halve the time; on read and spoken English it heard no worse for it.
    decoder = Decoder(loglevel="FATAL", maxhmmpf=5000)
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    _write(sink, [])  # ready
    while samples := _read(source):
        _write(sink, words(decoder, samples))


def words(decoder: Any, samples: bytes) -> list[tuple[str, float, float]]:
    """What is said in one utterance. Given whole, it is levelled by its own mean and not by a running one."""
    decoder.reinit_feat()  # else it remembers the voice before
    decoder.start_utt()
    decoder.process_raw(samples, full_utt=True)
    decoder.end_utt()
    if decoder.hyp() is None:
        return []
    return [
        (part.word.partition("(")[0], part.start_frame / FRAMES_PER_SECOND, (part.end_frame + 1) / FRAMES_PER_SECOND)
        for part in decoder.seg()
        if part.word[0] not in "<[+"  # silence, noise
    ]


def _read(source: BinaryIO) -> bytes:
    size = int.from_bytes(source.read(4), "little")
    return source.read(size)


def _write(sink: BinaryIO, value: object) -> None:
    text = json.dumps(value).encode()
    sink.write(len(text).to_bytes(4, "little") + text)
    sink.flush()


if __name__ == "__main__":
    main()
