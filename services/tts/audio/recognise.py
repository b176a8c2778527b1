"""Recognise the format of sound by its first bytes, since names and headers often lie."""

import math
import re
from array import array
from functools import lru_cache
from itertools import pairwise
from typing import Literal

from tts.audio.pcm import WIDTH

SoundKind = Literal["mp3", "aac", "flac", "ogg", "wav", "pcm", "text", "mp4", "webm", "vorbis", "aiff", "caf", "amr"]
ENOUGH = 1024
"""Number of bytes by which even a format without a signature is recognised."""
_MPEG_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of MPEG layer III in kbit/s: True for MPEG 1, False for MPEG 2 and 2.5."""
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
_LEAST_SMOOTHNESS = 0.5
"""Lowest correlation of neighbouring samples in PCM: it is near 1 in sound, near 0 in other bytes."""


class NotSound(Exception):
    """Raised for bytes that are not sound.

    Args:
        text: The bytes, if they are text.
    """

    def __init__(self, message: str, text: bytes | None = None) -> None:
        super().__init__(message)
        self.text = text


def recognise(head: bytes, *, complete: bool = False, claims_pcm: bool = False) -> SoundKind | None:
    """Return the format of sound that begins with these bytes, or None if more of them are needed.

    Args:
        complete: True if `head` is the whole answer.
        claims_pcm: True if the sender declares raw PCM.

    Raises:
        NotSound: The bytes are of no known format.
    """
    if len(head) < 12 and not complete:
        return None
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"OggS"):
        return None if len(head) < 36 and not complete else "ogg" if head[28:36] == b"OpusHead" else "vorbis"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for kind, (place, signature) in _SIGNATURES.items():
        if head.startswith(signature, place):
            return kind
    if (framed := _framed(head, complete)) != "no":
        return None if framed == "perhaps" else framed
    if len(head) < ENOUGH and not complete:
        return None
    if _is_text(head):
        return "text"
    if claims_pcm or _smooth(head):
        return "pcm"
    raise NotSound("sent bytes that are no sound of a known format")


_SIGNATURES: dict[SoundKind, tuple[int, bytes]] = {
    "flac": (0, b"fLaC"),
    "mp3": (0, b"ID3"),
    "mp4": (4, b"ftyp"),
    "webm": (0, b"\x1aE\xdf\xa3"),
    "caf": (0, b"caff"),
    "amr": (0, b"#!AMR"),
}
"""Offset and bytes of each format's signature."""


def _framed(head: bytes, complete: bool) -> Literal["mp3", "aac", "no", "perhaps"]:
    """Tell mp3 and AAC by two successive frames, each of which begins with eleven bits of 1."""
    size, kind = mp3_frame_bytes(head[:4]), "mp3"
    if size is None:
        size, kind = _adts_frame(head), "aac"
    if size is None:
        return "no"
    if len(head) < size + 2:
        return ("mp3" if kind == "mp3" else "aac") if complete else "perhaps"
    if head[size] != 0xFF or head[size + 1] & 0xE0 != 0xE0:
        return "no"
    return "mp3" if kind == "mp3" else "aac"


@lru_cache(256)
def mp3_frame_bytes(head: bytes) -> int | None:
    """Return the size in bytes of the mp3 frame that `head` begins with, or None if it is no such frame."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != 1:
        return None
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    first = version == 3
    return (144 if first else 72) * 1000 * _MPEG_KBITS[first][kbits] // MPEG_RATES[version][rate] + (head[2] >> 1 & 1)


def _adts_frame(head: bytes) -> int | None:
    """Return the size in bytes of the AAC frame that `head` begins with, or None if it is no such frame."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else None


def _is_text(head: bytes) -> bool:
    """Return True for UTF-8 without control characters; the last character may be cut in two."""
    try:
        text = head[:-4].decode() if len(head) > 8 else head.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and not _CONTROL.search(text)


def _smooth(head: bytes) -> bool:
    """Return True if the bytes look like 16-bit samples: neighbours are alike, or all is silent."""
    samples = array("h", head[: len(head) // WIDTH * WIDTH])
    if len(samples) < 8:
        return False
    mean = sum(samples) / len(samples)
    power = math.fsum((sample - mean) ** 2 for sample in samples)
    if power < len(samples):  # silence
        return True
    return math.fsum((a - mean) * (b - mean) for a, b in pairwise(samples)) / power > _LEAST_SMOOTHNESS
