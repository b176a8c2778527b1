"""Take an mp3 apart into its frames, as a toy does that plays it. Plain Python of any version from 3.9 on.

Source: ISO/IEC 11172-3 and 13818-3, the header of an audio frame of layer III.
"""

from __future__ import annotations

from typing import NamedTuple

_KBITS = {
    1: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates by index, of MPEG-1 and of MPEG-2 with its extension 2.5."""
_RATES = (44_100, 48_000, 32_000)
_SHARES = {3: 1, 2: 2, 0: 4}
"""Part of those rates that a version has, by the version's bits."""


class Frame(NamedTuple):
    """One frame of an MP3 file."""

    size: int
    seconds: float
    rate: int


class NoMp3(Exception):
    """The bytes are no MP3; the message says what they are instead."""


def seconds_of(mp3: bytes) -> float:
    """Return how long an mp3 plays.

    Raises:
        NoMp3: It holds no frames, something else between them, or only a part of the last one.
    """
    at, seconds = 0, 0.0
    while at < len(mp3):
        if tag := _tag_bytes(mp3[at : at + 10]):
            at += tag
            continue
        if mp3[at : at + 3] == b"TAG":  # ID3 of the first version ends a file
            break
        frame = _frame(mp3[at : at + 4])
        if frame is None:
            raise NoMp3(f"no mp3: byte {at} begins no frame ({mp3[at : at + 12]!r})")
        if at + frame.size > len(mp3):
            raise NoMp3(f"cut off in its last frame, after {seconds:.1f} s")
        at, seconds = at + frame.size, seconds + frame.seconds
    if not seconds:
        raise NoMp3("empty")
    return seconds


def _tag_bytes(mp3: bytes) -> int:
    """Return the size of the ID3 tag that begins here; 0: there is none."""
    if mp3[:3] != b"ID3" or len(mp3) < 10:
        return 0
    size = 0
    for byte in mp3[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _frame(header: bytes) -> Frame | None:
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE6 != 0xE2:  # the sync word, and layer III
        return None
    version, rate_index, kbit_index = header[1] >> 3 & 3, header[2] >> 2 & 3, header[2] >> 4
    if version == 1 or rate_index == 3 or kbit_index in (0, 15):
        return None
    first = version == 3
    rate, samples = _RATES[rate_index] // _SHARES[version], 1152 if first else 576
    kbits = _KBITS[1 if first else 2][kbit_index]
    return Frame(samples // 8 * kbits * 1000 // rate + (header[2] >> 1 & 1), samples / rate, rate)
