"""Cut mp3 into frames, tell silent ones by their headers, and make some, without decoding (ISO 13818-3, layer III).

The sound of a frame may lie in the bytes of frames before it, up to 255 bytes back (`backstep`). So a frame can be left
out only where its bytes are not needed by one behind it; `hushed` makes it silent and keeps its bytes.
"""

import math
from functools import cache

from tts.audio.recognise import MPEG_RATES, mp3_frame_bytes

SAMPLES = 576
"""Number of samples of a frame."""
_HEAD_BYTES = 13
"""Size of a frame's header and side information, before its main data; only mono without checksum `fits`."""
TAGS = (b"Xing", b"Info", b"VBRI")
_TAG_PLACES = (_HEAD_BYTES, 36)
"""Names and offsets of what marks a frame that describes a file and holds no sound."""
LARGEST = (0, 1, 2, 2, 0, 3, 3, 5, 5, 5, 7, 7, 7, 15, 0, 15)
"""Largest value that each of the Huffman tables below 16 can express."""
_LARGEST_BITS = (1, 2, 3, 4, 6, 8, 10, 13, 4, 5, 6, 7, 8, 9, 11, 13)
"""Number of bits that tables 16 to 31 add to a value of 15."""
_LOUDEST_GAIN = 210
"""Global gain at which a value of 1 stands for full scale; four more double it."""
QUIET = 0.01
"""Level below which a frame counts as silent: measured with speech, its samples are then below 160 of 32767."""


def cut(data: bytes) -> tuple[list[bytes], bytes]:
    """Return the whole frames in `data` and the bytes behind them; bytes between frames, such as tags, are dropped."""
    found: list[bytes] = []
    at = 0
    while (at := data.find(b"\xff", at)) >= 0:
        size = mp3_frame_bytes(data[at : at + 4])
        if size is None and len(data) - at >= 4:
            at += 1
        elif size is None or at + size > len(data):
            return found, data[at:]
        elif data[at + size : at + size + 1] in (b"\xff", b"T", b""):  # T: `TAG`, or `TAGG`, at the end of a file
            found.append(data[at : at + size])
            at += size
        else:
            at += 1
    return found, b""


def fit(frames: list[bytes], rate: int) -> bool:
    """Return True if the frames are mono, without checksum, of MPEG 2 or 2.5, at that sample rate."""
    return all(_fits(head, rate) for head in {frame[:4] for frame in frames})


def _fits(head: bytes, rate: int) -> bool:
    version, plain, mono = head[1] >> 3 & 3, head[1] & 1, head[3] >> 6 == 3
    return bool(version != 3 and plain and mono and MPEG_RATES[version][head[2] >> 2 & 3] == rate)


def is_tag(frame: bytes) -> bool:
    """Return True for a frame that describes a file, which would be wrong about several joined ones."""
    return any(frame.startswith(TAGS, place) for place in _TAG_PLACES)


def backstep(frame: bytes) -> int:
    """Return how many bytes before its own main data the sound of the frame begins."""
    return frame[4]


def main_bytes(frame: bytes) -> int:
    """Return the size of the frame's main data."""
    return len(frame) - _HEAD_BYTES


def level(frame: bytes) -> float:
    """Return an upper bound of the amplitude of the frame's sound, as a share of full scale.

    It follows from the gain, the largest value that the Huffman tables can express, and the number of values that the
    bits can hold; scale factors only lower it.
    """
    side = int.from_bytes(frame[4:_HEAD_BYTES])
    bits, pairs, gain = side >> 51 & 0xFFF, side >> 42 & 0x1FF, side >> 34 & 0xFF
    if not bits:
        return 0.0
    switched = side >> 24 & 1
    tables = (side >> 16 & 31, side >> 11 & 31) if switched else (side >> 19 & 31, side >> 14 & 31, side >> 9 & 31)
    largest = max(_largest(table) for table in tables) if pairs else 1
    return float(max(1, largest) ** (4 / 3) * 2 ** ((gain - _LOUDEST_GAIN) / 4) * math.sqrt(min(SAMPLES, bits / 2)))


def is_loud(frame: bytes) -> bool:
    return level(frame) > QUIET


def hushed(frame: bytes, back: int) -> bytes:
    """Return the frame without its sound, but with its bytes, of which frames behind it may need some.

    Args:
        back: `backstep` of the new frame: some decoders keep only as many of the bytes before it.
    """
    return frame[:4] + bytes((back,)) + bytes(_HEAD_BYTES - 5) + frame[_HEAD_BYTES:]


def silent(like: bytes) -> bytes:
    """Return a silent frame of the form and size of another one."""
    return like[:4] + bytes(len(like) - 4)


@cache
def _largest(table: int) -> int:
    return LARGEST[table] if table < 16 else 15 + 2 ** _LARGEST_BITS[table - 16]
