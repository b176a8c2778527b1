"""Frames of AAC in ADTS at a constant bit rate, so that players guess the length of an answer right.

ADTS says no length; players divide the size by the bit rate of the first frames, which are louder than the pauses that
follow. Frames that are smaller than their share get a fill element (ISO/IEC 14496-3, 4.4.1.1), which decoders skip.
"""

from collections.abc import Iterator

SAMPLES = 1_024
"""Number of samples of a frame."""
_HEADER_BYTES = 7
_END_BITS = 3
_FILL, _END = 0b110, 0b111
"""Identifiers of the elements that fill a frame and end it."""
_MOST_FILL = 269
"""Bytes in one fill element."""


class ConstantRate:
    """Fills frames up to a bit rate.

    Args:
        bits: Bits a second.
        rate: Samples a second.
    """

    def __init__(self, bits: int, rate: int) -> None:
        self._bytes_a_frame = bits * SAMPLES / (8 * rate)
        self._owed = 0.0
        """Bytes by which the frames so far are smaller than they should be."""

    def feed(self, frames: bytes) -> bytes:
        """Return whole frames, filled."""
        return b"".join(self._filled(frame) for frame in _split(frames))

    def _filled(self, frame: bytes) -> bytes:
        self._owed += self._bytes_a_frame - len(frame)
        filled = _with_fill(frame, min(int(self._owed), _MOST_FILL)) if self._owed >= 1 else frame
        self._owed -= len(filled) - len(frame)
        return filled


def _split(frames: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(frames):
        size = (frames[at + 3] & 3) << 11 | frames[at + 4] << 3 | frames[at + 5] >> 5
        yield frames[at : at + size]
        at += size


def _with_fill(frame: bytes, more: int) -> bytes:
    """Return the frame, `more` bytes longer."""
    size = len(frame) - _HEADER_BYTES
    block = int.from_bytes(frame[_HEADER_BYTES:], "big")
    unused = (block & -block).bit_length() - 1
    """Bits behind the end element, which align the block to a byte."""
    bits = 8 * size - unused - _END_BITS
    block >>= unused + _END_BITS
    count = more - (0 if unused == 7 else 1)
    if count < 15:
        block, bits = block << 7 | _FILL << 4 | count, bits + 7
    else:
        count -= 1
        block, bits = block << 15 | _FILL << 12 | 15 << 8 | count - 14, bits + 15
    block, bits = (block << 8 * count) << _END_BITS | _END, bits + 8 * count + _END_BITS
    spare = -bits % 8
    return _resized(frame[:_HEADER_BYTES], len(frame) + more) + (block << spare).to_bytes((bits + spare) // 8, "big")


def _resized(header: bytes, size: int) -> bytes:
    """Return the header of a frame of `size` bytes."""
    value = int.from_bytes(header, "big") & ~(0x1FFF << 13)
    return (value | size << 13).to_bytes(_HEADER_BYTES, "big")
