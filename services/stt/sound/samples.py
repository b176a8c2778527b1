"""Numbers that bytes may stand for: samples of every common kind, and how smoothly each kind reads."""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

STEP_BYTES = 24
"""A whole number of samples of each kind."""
SMOOTH = 0.6
"""Correlation of neighbouring numbers above which they are taken for samples: speech has 0.8 and more."""
_FEWEST = 16
"""Numbers of which something can be said."""
_CLICK_WINDOW, _CLICK_TIMES, _CLICK_SHARE, _CLICK_LEVEL, _CLICKS_AT_MOST = 9, 10.0, 0.3, 0.5, 0.05
"""Numbers of which the middle one is the level, more than twice as many as a click has; how far off a click is, in what
is usual and in the farthest; how near zero it stands, where samples without a sign leap from end to end; and the part
of a sound above which they are none: a wrong reading is rough everywhere."""
_LOUDEST = 8.0
"""Greatest number that is taken for a sample in floats."""


def readings(found: bytes, only: str | None = None) -> dict[str, Numbers]:
    """Return the numbers that the bytes stand for, by the name of each kind of sample.

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


def without_clicks(numbers: Numbers) -> Numbers:
    """Return numbers in which those are levelled that stand out alone, as where a recording crackles.

    Those without a sign stay: they jump wherever a sound swings from one side to the other.
    """
    half = _CLICK_WINDOW // 2
    if len(numbers) < _CLICK_WINDOW or numbers.min() >= 0.0:
        return numbers
    level = np.median(sliding_window_view(np.pad(numbers, half, mode="edge"), _CLICK_WINDOW), axis=1)
    off = np.abs(numbers - level)
    far = max(_CLICK_TIMES * float(np.median(off)), _CLICK_SHARE * float(off.max()))
    clicks = (off > far) & (np.abs(level) < _CLICK_LEVEL)
    return np.where(clicks, level, numbers) if clicks.mean() < _CLICKS_AT_MOST else numbers


def sound_of(found: bytes, kind: str) -> NDArray[np.float32]:
    """Return the samples of a kind, in whole ones, as floats of at most 1 (floats may be louder)."""
    whole = found[: len(found) // WIDTHS[kind] * WIDTHS[kind]]
    if kind in _FLOATS:
        return np.frombuffer(whole, _FLOATS[kind]).astype(np.float32)
    return np.asarray(_READERS[kind](whole), np.float32)


def _a_law(found: bytes) -> Numbers:
    """Return the numbers that G.711 writes in a byte: a sign, an exponent of three bits, and four bits more."""
    octets = _octets(found) ^ np.uint8(0xD5)
    exponent, rest = octets >> 4 & 7, octets & 15
    amounts: Numbers = np.ldexp(rest + np.where(exponent, 16.5, 0.5), np.maximum(exponent, 1)) / 4096
    return np.where(octets & 0x80, -amounts, amounts)


def _mu_law(found: bytes) -> Numbers:
    octets = _octets(found) ^ np.uint8(0xFF)
    amounts: Numbers = (np.ldexp((octets & 15) + 16.5, octets >> 4 & 7) - 16.5) / 4096
    return np.where(octets & 0x80, -amounts, amounts)


def _floats(found: bytes, width: str) -> Numbers | None:
    """Return floats; None where they are none, or too large to be samples."""
    with np.errstate(invalid="ignore"):
        floats = np.frombuffer(found, width).astype(np.float64)
    return floats if np.isfinite(floats).all() and np.abs(floats).max(initial=0.0) < _LOUDEST else None


def _octets(found: bytes) -> NDArray[np.uint8]:
    return np.frombuffer(found, np.uint8)


def _integers(width: str, left: int = 0) -> "Callable[[bytes], Numbers]":
    """Return a reader of integers of 16 or 32 bits, the `left` highest of which say nothing."""
    kind = np.dtype(width)
    signed = np.dtype(f"i{kind.itemsize}")
    return lambda found: (
        (np.frombuffer(found, kind).astype(f"u{kind.itemsize}") << left).view(signed) / 2.0 ** (8 * kind.itemsize - 1)
    )


def _three_bytes(found: bytes, order: int) -> Numbers:
    whole = np.zeros((len(found) // 3, 4), np.uint8)
    whole[:, 1:] = _octets(found).reshape(-1, 3)[:, ::order]
    return whole.view("<i4")[:, 0] / 2.0**31


_FLOATS = {"32-bit floats": "<f4", "64-bit floats": "<f8"}
_READERS: dict[str, Callable[[bytes], Numbers | None]] = {
    "16-bit samples": _integers("<i2"),
    "16-bit samples, the high byte first": _integers(">i2"),
    "unsigned 16-bit samples": lambda found: np.frombuffer(found, "<u2") / 2.0**15 - 1.0,
    "16-bit samples, a bit too low": _integers("<i2", 1),
    "24-bit samples": lambda found: _three_bytes(found, 1),
    "24-bit samples, the high byte first": lambda found: _three_bytes(found, -1),
    "32-bit samples": _integers("<i4"),
    "32-bit samples, the high byte first": _integers(">i4"),
    "32-bit samples, eight bits too low": _integers("<i4", 8),
    "32-bit samples, 16 bits too low": _integers("<i4", 16),
    "8-bit samples": lambda found: _octets(found) / 128.0 - 1.0,
    "signed 8-bit samples": lambda found: _octets(found).view(np.int8) / 128.0,
    "samples in G.711 (A-law)": _a_law,
    "samples in G.711 (µ-law)": _mu_law,
    **{kind: partial(_floats, width=width) for kind, width in _FLOATS.items()},
}
"""Readers of each kind, which give numbers of at most 1 but for floats."""
WIDTHS = {kind: next((bits // 8 for bits in (16, 24, 32, 64) if f"{bits}-bit" in kind), 1) for kind in _READERS}
"""Bytes of one sample of each kind."""


def typical(values: Sequence[float]) -> float:
    """Return what the better half of a recording's places has at least: the others may be silent."""
    return sorted(values, reverse=True)[(len(values) - 1) // 2]
