"""Holds what a recording's header says of its samples against the samples themselves."""

import io
import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

import numpy as np

from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound import vad
from stt.sound.samples import SMOOTH, STEP_BYTES, Numbers, readings, smoothness, typical

Source: TypeAlias = BinaryIO | io.RawIOBase

_KINDS = {
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
_EXTENSIBLE = 0xFFFE
_MOST_CHUNKS = 64
_LENGTH_UNKNOWN = 2**31 - 2**16
"""Length from which on, and at 0, a recorder that streams says nothing by it."""
_SLACK_SECONDS = 0.05
_SPOTS, _SPOT_BYTES = 8, 1536
"""Places in the sound that are looked at, and how much there."""
_SMOOTHER = 0.12
"""By how much another kind of samples must be smoother than the one that the header says."""
_OCTETS, _CLEARLY = frozenset(kind for (_, bits), kind in _KINDS.items() if bits == 8), 3.0
"""Kinds of a byte each, all of which are fairly smooth where one is; by how much the right one is less rough."""
_COARSE = frozenset({"32-bit samples"})
"""Kinds whose highest bytes are smooth in others too; none of those is smooth where they are right."""
_PAIRED, _EVEN, _STEADIER = 0.6, 0.8, 0.75
"""Bounds on steps from sample to sample, where two channels are said to be one, and one to be two."""
_ALIKE, _INVERTED = 0.9, -0.5
"""Every other sample of one channel is as loud as the rest, and as far from the one before as from the one after, to
within 3 % in speech full of hissing sounds, whose every other sample is smoother than all. Of two channels only those
of which one is the other turned over are so too, and then neighbours are opposites."""
_BEGINNINGS = (
    *((b"ID3", "mp3"), (b"OggS", "ogg"), (b"fLaC", "flac"), (b"#!AMR", "amr")),
    *((bytes((0xFF, second)), "mp3") for second in (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)),
    *((bytes((0xFF, second)), "aac") for second in (0xF0, 0xF1, 0xF8, 0xF9)),
)
"""Beginnings of formats that are no samples; the bytes of samples may begin so, too."""

_RATES = (8000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_TIMES = (1 / 3, 1 / 2, 2, 3)
"""How much quicker or slower a recording is tried. Half as quick again is no longer heard by a detector of voices."""
_VOICE, _CLEARER = 0.35, 1.5
"""How surely the other rate must sound like a voice, and how many times as surely as what the header says."""
_TRIED_SECONDS = 3


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
    width: int
    begin: int
    size: int
    rest: int

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
    if head[:4] != b"RIFF" or head[8:] != b"WAVE":
        return None
    format, at = b"", 12
    for _ in range(_MOST_CHUNKS):
        if len(chunk := file.read(8) or b"") < 8:
            break
        name, size = chunk[:4], int.from_bytes(chunk[4:], "little")
        at += 8
        if name == b"data":
            return _described(format, at, size, end - at)
        if name == b"fmt ":
            format = file.read(min(size, 40)) or b""
        at += size + size % 2
        file.seek(at)
    return None


def _described(format: bytes, begin: int, size: int, rest: int) -> WavHeader | None:
    if len(format) < 16:
        return None
    code, channels, rate, _, _, bits = struct.unpack("<HHIIHH", format[:16])
    if code == _EXTENSIBLE and len(format) >= 26:
        code = int.from_bytes(format[24:26], "little")
    kind = _KINDS.get((code, bits))
    if kind is None or not channels or not rate:
        return None
    return WavHeader(kind, channels, rate, channels * bits // 8, begin, size, rest)


def sample_bytes(file: Source, header: WavHeader) -> int:
    """Return how many bytes of samples there are in truth."""
    return header.rest if header.streamed or is_longer(file, header) else min(header.size, header.rest)


def contradiction(file: Source) -> str | None:
    """Say what the header of a WAV says and its samples do not bear out; None where they agree, or nothing is known."""
    header = wav_header(file)
    if header is None or header.rest < _SPOTS * STEP_BYTES:
        return None
    spots = _spots(file, header)
    found = _other_kind(spots, header) or _other_channels(spots, header) or _other_length(file, header)
    return found and found.replace("µ", "mu")  # the letters of HTTP's headers


def _spots(file: Source, header: WavHeader) -> list[bytes]:
    step = STEP_BYTES * header.channels
    size = min(header.size or header.rest, header.rest)
    spots = []
    for spot in range(_SPOTS):
        file.seek(header.begin + size * spot // _SPOTS // step * step)
        spots.append(file.read(_SPOT_BYTES) or b"")
    return spots


def _other_kind(spots: Sequence[bytes], header: WavHeader) -> str | None:
    said = _as_said(spots, header)
    if said > 1.0 - _SMOOTHER and header.kind not in _COARSE | _OCTETS:  # as nearly always: nothing is much smoother
        return None
    found: dict[str, list[float]] = {}
    for spot in spots:
        for kind, numbers in readings(spot).items():
            found.setdefault(kind, []).append(smoothness(numbers))
    typically = {kind: typical(values) for kind, values in found.items() if len(values) == _SPOTS}
    typically[header.kind] = said
    best = max(typically, key=typically.__getitem__)
    if typically[best] < SMOOTH:
        holds = next((name for beginning, name in _BEGINNINGS if spots[0].startswith(beginning)), None)
        return holds and f"says {header.kind}, holds {holds}"
    if header.kind in _OCTETS:
        rough = {kind: _roughness(spots, kind) for kind in {best} | _OCTETS}
        best = min(rough, key=rough.__getitem__)
        clearer = _CLEARLY * rough[best] < rough[header.kind]
    else:
        clearer = typically[best] > said + (0.0 if header.kind in _COARSE else _SMOOTHER)
    if not clearer:
        return None
    return f"says {header.kind}, sounds like {best}"


def _roughness(spots: Sequence[bytes], kind: str) -> float:
    """Return how rough all places together are, read so: the loud ones count, since G.711 has no silence."""
    read = [readings(spot, kind).get(kind) for spot in spots]
    numbers = np.concatenate([each for each in read if each is not None])
    return 1.0 - max(smoothness(numbers), _paired(numbers))


def _as_said(spots: Sequence[bytes], header: WavHeader) -> float:
    """Return how smooth the samples are as the header says; 0 where they are none such."""
    read = [readings(spot, header.kind).get(header.kind) for spot in spots]
    numbers = [each for each in read if each is not None]
    if len(numbers) < _SPOTS:
        return 0.0
    return typical([max(smoothness(each), _paired(each)) for each in numbers])


def _paired(numbers: Numbers) -> float:
    """Return how smooth the rougher of two channels is, but for one that is dead."""
    return min((smoothness(each) for each in (numbers[::2], numbers[1::2]) if each.std()), default=0.0)


def _other_channels(spots: Sequence[bytes], header: WavHeader) -> str | None:
    """Tell one channel and two apart, by the steps between samples that would be of one moment, and of two."""
    if header.channels > 2:
        return None
    read = [readings(spot, header.kind).get(header.kind) for spot in spots]
    numbers = np.concatenate([each for each in read if each is not None] or [np.zeros(0)])
    even, odd = numbers[: len(numbers) // 2 * 2 : 2], numbers[1::2]
    if len(even) < 2 or not numbers.std():
        return None
    within, across = (float(np.abs(steps).mean()) for steps in (even - odd, even[1:] - odd[:-1]))
    if header.channels == 1:
        differ = min(within, across) < _ALIKE * max(within, across) or _quieter(even, odd) < _ALIKE
        rough = smoothness(numbers)
        apart = _paired(numbers) > max(SMOOTH, rough) and (differ or rough < _INVERTED)
        return "says 1 channel, sounds like 2" if apart or within < _PAIRED * across else None
    along = float(np.abs(np.diff(even)).mean())
    if across and _EVEN < within / across < 1 / _EVEN and within < _STEADIER * along:
        return "says 2 channels, sounds like 1"
    return None


def _quieter(even: Numbers, odd: Numbers) -> float:
    """Return how loud the quieter of the two is, as a part of the louder one."""
    low, high = sorted((float(even.std()), float(odd.std())))
    return low / high if high else 1.0


def _other_length(file: Source, header: WavHeader) -> str | None:
    missing = header.seconds(abs(header.size - header.rest)) > _SLACK_SECONDS
    if header.streamed or not missing or (header.size < header.rest and not is_longer(file, header)):
        return None
    return f"says {header.seconds(header.size):.1f} s, holds {header.seconds(header.rest):.1f} s"


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


def loudest(pcm: Pcm) -> Pcm:
    """Return a copy of the seconds around the loudest moment, enough for `likelier_rate`."""
    middle, half = int(np.abs(pcm).argmax()), _TRIED_SECONDS * RATE // 2
    return pcm[max(0, middle - half) : middle + half].copy()


def likelier_rate(pcm: Pcm, rate: int) -> int | None:
    """Return the rate at which a recording sounds more like a voice than at its own; None: there is none. Blocks.

    Args:
        pcm: The sound as decoded by the header, or some seconds of it.
        rate: Samples a second, by the header.
    """
    sure, best = max((_voiced(_faster(pcm, times)), times) for times in _TIMES)
    if sure < max(_VOICE, _CLEARER * _voiced(pcm)):
        return None
    return min(_RATES, key=lambda usual: abs(np.log(usual / (rate * best))))


def _voiced(pcm: Pcm) -> float:
    return float(vad.probabilities(pcm, Stop()).mean()) if len(pcm) >= vad.WINDOW else 0.0


def _faster(pcm: Pcm, times: float) -> Pcm:
    """Return the sound so many times as fast, without tones that have no room."""
    count = int(len(pcm) / times)
    spectrum = np.fft.rfft(pcm)[: count // 2 + 1]
    return np.asarray(np.fft.irfft(spectrum, count) / times, np.float32)
