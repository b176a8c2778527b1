"""Holds what the header of a WAV says of its samples against the samples themselves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from stt.hearing import RATE
from stt.sound.header import SAMPLE_KINDS, Source, WavHeader, is_longer, wav_header
from stt.sound.rate import voiced
from stt.sound.samples import (
    SMOOTH,
    STEP_BYTES,
    WIDTHS,
    Numbers,
    readings,
    smoothness,
    sound_of,
    typical,
    without_clicks,
)

_SLACK_SECONDS = 0.05
_SPOTS, _SPOT_BYTES = 8, 1536
"""Places in the sound that are looked at, and how much there."""
_TRIED_SECONDS, _VOICED, _AS_SURELY = 3, 0.2, 0.8
"""How much is listened to, how surely somebody must speak then, and how surely beside what is heard by the header where
only the channels are others: twice as quick a voice is still one."""
_SMOOTHER = 0.12
"""By how much another kind of samples must be smoother than the one that the header says."""
_IF_WIDER = 0.05
"""By how much a kind must be smoother if it has more bytes a sample than the header says."""
_OCTETS, _CLEARLY = frozenset(kind for (_, bits), kind in SAMPLE_KINDS.items() if bits == 8), 3.0
"""Kinds of a byte each, all of which are fairly smooth where one is; by how much the right one is less rough."""
_TOO_LOW = frozenset(kind for kind in WIDTHS if "too low" in kind)
"""Kinds that are looked for only where the header says as many bits: their numbers are in others' bytes, too."""
_SIGNLESS, _JUMP, _OFTEN = ("unsigned 16-bit samples", "16-bit samples, a bit too low"), 0.8, 0.02
"""Kinds that jump where they are read with a sign, by how much, and in which part of all steps."""
_SHIFTED, _UNUSED = "32-bit samples, 16 bits too low", 2.0**-15
"""16 bits in 32 that nobody shifted, and the peak that they have then."""
_COARSE = frozenset({"32-bit samples"})
"""Kinds whose highest bytes are smooth in others too; none of those is smooth where they are right."""
_EVENLY = 0.5
"""Deviation of numbers that are anything from -1 to 1, as the lower halves of samples are: 0.58. Noise has less."""
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


@dataclass(frozen=True)
class WavLook:
    """A look at a WAV: its header, some places in its sound, and the header that these seem to have.

    Args:
        spots: Empty where there is too little sound to tell.
    """

    header: WavHeader
    spots: Sequence[bytes]
    likelier: WavHeader


def look_at(file: Source) -> WavLook | None:
    """Look at a WAV with plain samples; None for any other file. Blocks."""
    header = wav_header(file)
    if header is None:
        return None
    if header.rest < _SPOTS * STEP_BYTES:
        return WavLook(header, (), header)
    spots = _spots(file, header)
    return WavLook(header, spots, _likelier(spots, header))


def contradiction(file: Source, look: WavLook | None) -> str | None:
    """Say what the header of a WAV says and its samples do not bear out; None where they agree, or nothing is known."""
    if look is None or not look.spots:
        return None
    header = look.header
    found = _difference(header, look.likelier) or _holds(look.spots, header) or _other_length(file, header)
    return found and found.replace("µ", "mu")  # the letters of HTTP's headers


def heard_as(file: Source, look: WavLook | None) -> WavHeader | None:
    """Return a WAV's header: another than it has, if the samples bear that out and sound more like a voice so. Blocks.

    None for any other file.
    """
    if look is None:
        return None
    header, other, spots = look.header, look.likelier, look.spots
    if header.channels > 2 or other == header:
        return header
    loudest = max(range(_SPOTS), key=lambda spot: float(sound_of(spots[spot], other.kind).std()))
    step, half = STEP_BYTES * header.channels, _TRIED_SECONDS * other.rate * other.width // 2
    begin = max(header.begin, _places(header)[loudest] - half // step * step)
    surely = 1.0 if other.kind != header.kind else _AS_SURELY
    return other if _voiced(file, other, begin) >= max(_VOICED, surely * _voiced(file, header, begin)) else header


def _voiced(file: Source, header: WavHeader, begin: int) -> float:
    """Return how surely somebody speaks in the seconds from a byte on, by that header."""
    file.seek(begin)
    sound = np.nan_to_num(sound_of(file.read(_TRIED_SECONDS * header.rate * header.width) or b"", header.kind))
    channels = sound[: len(sound) // header.channels * header.channels].reshape(-1, header.channels).T
    loudest = max(channels, key=lambda channel: float(channel.std()))
    if not (peak := float(np.abs(loudest).max(initial=0.0))):
        return 0.0
    moments = np.arange(0, len(loudest), header.rate / RATE)
    return voiced(np.interp(moments, np.arange(len(loudest)), loudest / (2 * peak)).astype(np.float32))


def _likelier(spots: Sequence[bytes], header: WavHeader) -> WavHeader:
    """Return the header with the kind of samples, or the number of channels, that they seem to have."""
    read = _read(spots, header.kind)
    if (kind := _other_kind(spots, header, read)) is not None:
        header, read = replace(header, kind=kind), _read(spots, kind)
    return replace(header, channels=_other_channels(read, header) or header.channels)


def _difference(said: WavHeader, true: WavHeader) -> str | None:
    if said.kind != true.kind:
        return f"says {said.kind}, sounds like {true.kind}"
    if said.channels != true.channels:
        return f"says {said.channels} {'channel' if said.channels == 1 else 'channels'}, sounds like {true.channels}"
    return None


def _holds(spots: Sequence[bytes], header: WavHeader) -> str | None:
    """Say what else than samples there is."""
    name = next((name for beginning, name in _BEGINNINGS if spots[0].startswith(beginning)), None)
    return (
        f"says {header.kind}, holds {name}" if name and _as_said(_read(spots, header.kind), header) < SMOOTH else None
    )


def _places(header: WavHeader) -> list[int]:
    """Return bytes from which on the sound is looked at, each the first of a sample of any kind."""
    step = STEP_BYTES * header.channels
    size = min(header.size, header.rest) if header.size > _SPOTS * STEP_BYTES else header.rest
    return [header.begin + size * spot // _SPOTS // step * step for spot in range(_SPOTS)]


def _spots(file: Source, header: WavHeader) -> list[bytes]:
    spots = []
    for place in _places(header):
        file.seek(place)
        spots.append(file.read(_SPOT_BYTES) or b"")
    return spots


def _read(spots: Sequence[bytes], kind: str) -> list[Numbers]:
    """Return the numbers of all places where there are samples of that kind."""
    return [numbers for spot in spots if (numbers := readings(spot, kind).get(kind)) is not None]


def _other_kind(spots: Sequence[bytes], header: WavHeader, read: Sequence[Numbers]) -> str | None:
    """Return the kind of samples, if it is another; `read` are the numbers as the header says."""
    said = _as_said(read, header)
    if said <= 1.0 - _SMOOTHER:
        said = max(said, _as_said(list(map(without_clicks, read)), header))
    if (kind := _misplaced(spots, header, read)) is not None:
        return kind
    if said > 1.0 - _SMOOTHER and header.kind not in _COARSE | _OCTETS:  # as nearly always: nothing is much smoother
        return None
    found: dict[str, list[float]] = {}
    for spot in spots:
        for kind, numbers in readings(spot).items():
            if kind not in _TOO_LOW or WIDTHS[kind] == WIDTHS[header.kind]:
                found.setdefault(kind, []).append(smoothness(numbers))
    typically = {kind: typical(values) for kind, values in found.items() if len(values) == _SPOTS}
    typically[header.kind] = said
    best = max(typically, key=lambda kind: typically[kind] - _IF_WIDER * (WIDTHS[kind] > WIDTHS[header.kind]))
    if typically[best] < SMOOTH:
        return None
    if header.kind in _OCTETS:
        rough = {kind: _roughness(spots, kind) for kind in {best} | _OCTETS}
        best = min(rough, key=rough.__getitem__)
        clearer = _CLEARLY * rough[best] < rough[header.kind]
    else:
        clearer = typically[best] > said + (0.0 if header.kind in _COARSE else _SMOOTHER)
    return best if clearer else None


def _misplaced(spots: Sequence[bytes], header: WavHeader, read: Sequence[Numbers]) -> str | None:
    """Return the kind of samples whose bits stand elsewhere: as said, they jump from end to end, or hardly move."""
    numbers = np.concatenate(read or [np.zeros(0)])
    if header.kind == "32-bit samples" and 0.0 < np.abs(numbers).max(initial=0.0) < _UNUSED:
        return _SHIFTED if _roughness(spots, _SHIFTED) < 1.0 - SMOOTH else None
    if header.kind != "16-bit samples" or not (_jumps(numbers) and _jumps(without_clicks(numbers))):
        return None
    rough = {kind: _roughness(spots, kind) for kind in (header.kind, *_SIGNLESS, *_OCTETS)}
    best = min(rough, key=rough.__getitem__)
    return best if best in _SIGNLESS and _CLEARLY * rough[best] < rough[header.kind] else None


def _jumps(numbers: Numbers) -> bool:
    """Return whether the numbers often jump from one end to the other."""
    return bool((np.abs(np.diff(numbers)) > _JUMP).mean() >= _OFTEN)


def _roughness(spots: Sequence[bytes], kind: str) -> float:
    """Return how rough all places together are, read so: the loud ones count, since G.711 has no silence."""
    numbers = np.concatenate(_read(spots, kind))
    return 1.0 - max(smoothness(numbers), _paired(numbers))


def _as_said(read: Sequence[Numbers], header: WavHeader) -> float:
    """Return how smooth the samples are as the header says; 0 where they are none such."""
    if len(read) < _SPOTS:
        return 0.0
    beside_noise = _beside_noise if header.channels == 2 else smoothness
    return typical([max(smoothness(each), _paired(each), beside_noise(each)) for each in read])


def _beside_noise(numbers: Numbers) -> float:
    """Return how smooth the smoother of two channels is, where the other cannot be the lower half of its samples."""
    rough, smooth = sorted((numbers[::2], numbers[1::2]), key=smoothness)
    return smoothness(smooth) if rough.std() < _EVENLY else 0.0


def _paired(numbers: Numbers) -> float:
    """Return how smooth the rougher of two channels is, but for one that is dead."""
    return min((smoothness(each) for each in (numbers[::2], numbers[1::2]) if each.std()), default=0.0)


def _other_channels(read: Sequence[Numbers], header: WavHeader) -> int | None:
    """Tell one channel and two apart, by the steps between samples that would be of one moment, and of two."""
    if header.channels > 2:
        return None
    numbers = np.concatenate(read or [np.zeros(0)])
    even, odd = numbers[: len(numbers) // 2 * 2 : 2], numbers[1::2]
    if len(even) < 2 or not numbers.std():
        return None
    within, across = (float(np.abs(steps).mean()) for steps in (even - odd, even[1:] - odd[:-1]))
    if header.channels == 1:
        differ = min(within, across) < _ALIKE * max(within, across) or _quieter(even, odd) < _ALIKE
        rough = smoothness(numbers)
        apart = _paired(numbers) > max(SMOOTH, rough) and (differ or rough < _INVERTED)
        return 2 if apart or within < _PAIRED * across else None
    along = min(float(np.abs(np.diff(each)).mean()) for each in (even, odd))  # of two, one may be noise
    if across and _EVEN < within / across < 1 / _EVEN and within < _STEADIER * along:
        return 1
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
