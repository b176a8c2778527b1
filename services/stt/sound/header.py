"""Reads the header of a WAV."""

import io
import os
import struct
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

from stt.sound.samples import WIDTHS

Source: TypeAlias = BinaryIO | io.RawIOBase

SAMPLE_KINDS = {
    (1, 8): "8-bit samples",
    (1, 16): "16-bit samples",
    (1, 24): "24-bit samples",
    (1, 32): "32-bit samples",
    (3, 32): "32-bit floats",
    (3, 64): "64-bit floats",
    (6, 8): "samples in G.711 (A-law)",
    (7, 8): "samples in G.711 (µ-law)",
}
"""Kinds of samples by a WAV's code and bits."""
_ORDERS = {b"RIFF": "<", b"RIFX": ">"}
_EXTENSIBLE = 0xFFFE
_MOST_CHUNKS = 64
_LENGTH_UNKNOWN = 2**31 - 2**16
"""Length from which on, and at 0, a recorder that streams says nothing by it."""


@dataclass(frozen=True)
class WavHeader:
    """The kind, number and place of samples that the header of a WAV states.

    Args:
        kind: Kind of samples, by the names of `samples.readings`.
        begin: First byte of the samples.
        size: How many bytes of samples there are, by the header; `rest` of them by the file.
    """

    kind: str
    channels: int
    rate: int
    begin: int
    size: int
    rest: int

    @property
    def width(self) -> int:
        """Bytes of all channels' samples of one moment."""
        return self.channels * WIDTHS[self.kind]

    @property
    def streamed(self) -> bool:
        """True where the length was not known when the header was written."""
        return self.size == 0 or self.size >= _LENGTH_UNKNOWN

    def seconds(self, size: int) -> float:
        return size / (self.width * self.rate)


def wav_header(file: Source) -> WavHeader | None:
    """Read the header of a WAV with plain samples; None for any other file."""
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12) or b""
    order = _ORDERS.get(head[:4])
    if order is None or head[8:] != b"WAVE":
        return None
    format, at = b"", 12
    for _ in range(_MOST_CHUNKS):
        if len(chunk := file.read(8) or b"") < 8:
            break
        name, (size,) = chunk[:4], struct.unpack(f"{order}I", chunk[4:])
        at += 8
        if name == b"data":
            return _described(order + "HHIIHH", format, at, size, end - at)
        if name == b"fmt ":
            format = file.read(min(size, 40)) or b""
        at += size + size % 2
        file.seek(at)
    return None


def _described(shape: str, format: bytes, begin: int, size: int, rest: int) -> WavHeader | None:
    if len(format) < 16:
        return None
    code, channels, rate, _, _, bits = struct.unpack(shape, format[:16])
    if code == _EXTENSIBLE and len(format) >= 26:
        (code,) = struct.unpack(shape[:2], format[24:26])
    kind = SAMPLE_KINDS.get((code, bits))
    if kind is not None and shape.startswith(">") and bits > 8:
        kind = f"{kind}, the high byte first"
    if kind not in WIDTHS or not channels or not rate:
        return None
    return WavHeader(kind, channels, rate, begin, size, rest)


def sample_bytes(file: Source, header: WavHeader) -> int:
    """Return how many bytes of samples there are in truth."""
    return header.rest if header.streamed or is_longer(file, header) else min(header.size, header.rest)


def is_longer(file: Source, header: WavHeader) -> bool:
    """Return whether sound goes on after the length that the header says: no other chunk begins there."""
    if header.streamed or header.size >= header.rest:
        return False
    file.seek(header.begin + header.size)
    following = file.read(5) or b""
    names = [name for name in (following[:4], following[1:]) if len(name) == 4]  # an odd length is filled up, or not
    return bool(names) and all(name == b"RIFF" or not _is_name(name) for name in names)


def _is_name(name: bytes) -> bool:
    return all(32 <= byte < 127 for byte in name)
