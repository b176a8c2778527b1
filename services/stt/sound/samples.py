"""Numbers that bytes may stand for: samples of every common kind, and how smoothly each kind reads."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

STEP_BYTES = 24
"""A whole number of samples of each kind."""
SMOOTH = 0.6
"""Correlation of neighbouring numbers above which they are taken for samples: speech has 0.8 and more."""
_FEWEST = 16
"""Numbers of which something can be said."""
_LOUDEST = 8.0
"""Greatest number that is taken for a sample in floats."""


def readings(found: bytes, only: str | None = None) -> dict[str, Numbers]:
    """Return the numbers that the bytes stand for, by the name of each kind of sample; amounts differ by kind.

    Args:
        only: The one kind that is wanted.
    """
    found = found[: len(found) // STEP_BYTES * STEP_BYTES]
    readers = _READERS if only is None else {only: _READERS[only]}
    read = {kind: reader(found) for kind, reader in readers.items()}
    return {kind: numbers for kind, numbers in read.items() if numbers is not None}


def smoothness(numbers: Numbers) -> float:
    """Return the correlation of neighbouring numbers: speech has 0.8 and more, bytes read wrongly have none."""
    if len(numbers) < _FEWEST:
        return 0.0
    level = numbers - numbers.mean()
    power = float(level @ level)
    return float(level[:-1] @ level[1:]) / power if power else 0.0


def _expanded(octets: NDArray[np.uint8]) -> Numbers:
    """Return the numbers that G.711 writes in a byte: a sign, an exponent of three bits, and four bits more."""
    exponent, rest = octets >> 4 & 7, octets & 15
    amounts: Numbers = np.ldexp(rest + 16.5, exponent) - 16.5
    return np.where(octets & 0x80, -amounts, amounts)


def _floats(found: bytes, width: str) -> Numbers | None:
    """Return floats; None where they are none, or too large to be samples."""
    with np.errstate(invalid="ignore"):
        floats = np.frombuffer(found, width).astype(np.float64)
    return floats if np.isfinite(floats).all() and np.abs(floats).max(initial=0.0) < _LOUDEST else None


def _octets(found: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(found, np.uint8)


_READERS: dict[str, Callable[[bytes], Numbers | None]] = {
    "16-bit samples": lambda found: np.frombuffer(found, "<i2").astype(np.float64),
    "16-bit samples, the high byte first": lambda found: np.frombuffer(found, ">i2").astype(np.float64),
    "24-bit samples": lambda found: _octets(found)[2::3].view(np.int8).astype(np.float64),
    "32-bit samples": lambda found: _octets(found)[3::4].view(np.int8).astype(np.float64),
    "8-bit samples": lambda found: _octets(found).astype(np.float64),
    "samples in G.711 (A-law)": lambda found: _expanded(_octets(found) ^ np.uint8(0xD5)),
    "samples in G.711 (µ-law)": lambda found: _expanded(_octets(found) ^ np.uint8(0xFF)),
    "32-bit floats": lambda found: _floats(found, "<f4"),
    "64-bit floats": lambda found: _floats(found, "<f8"),
}


def typical(values: Sequence[float]) -> float:
    """Return what the better half of a recording's places has at least: the others may be silent."""
    return sorted(values, reverse=True)[(len(values) - 1) // 2]
