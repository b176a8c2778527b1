"""Even out loudness: a meter near to EBU R128, the measured level of each voice, and a limiter for loud moments.

A clause has one gain from beginning to end, so that nothing pumps; the gain changes in the silence between clauses.
"""

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import chain, count
from typing import Annotated, Literal

from msgspec import Meta

from tts.audio.pcm import WIDTH, Sound, audioop

Wish = Annotated[float, Meta(ge=-40.0, le=-10.0)] | Literal["auto", "off"]
"""Target loudness in LUFS; `auto` means `USUAL` for PCM, while mp3 keeps the loudness it was made with."""
USUAL = -18.0

_BLOCK_SECONDS = 0.1
BLOCKS = 4
"""Number of blocks over which loudness is measured at a time: 0.4 s."""
_OFFSET, SILENT, _GATE = -0.691, -70.0, 0.1
"""Constants of ITU-R BS.1770: offset of the scale in LUFS; level in LUFS below which a span counts as silent; share of
the mean power below which a span does not count either."""
SHELF, _SHELF_HERTZ = 0.226, 4_000
"""Factor and frequency of a comb filter, `x[n] - SHELF x[n-lag]`: it lifts the range around 4 kHz by 4 dB, which for
speech is within half a dB of K-weighting."""

ENGINES_LUFS, _ENGINES_SECONDS = -20.0, 0.5
"""Loudness assumed of a voice that was never measured, and the seconds of measurement that this guess weighs."""
_MOST_KNOWN_SECONDS = 30.0
_MOST_TRUSTED_SECONDS = 4.0
"""Seconds for which the level of a voice counts at most: a clause that is known in advance, and as long as this, is
corrected by half of its difference from the voice."""
FIRST_SECONDS = 0.3
"""Seconds of sound of an unknown voice that are measured before its first sound leaves."""
_MOST_VOICES = 1_000
_LEAST_DB, _MOST_DB = -20.0, 15.0

CEILING_DB = -1.5
"""Highest level that leaves, in dBFS, because an encoder overshoots a little."""
_LIMITER_SECONDS = 0.005
_PART_WINDOWS = 6
_RAMP_SAMPLES = 16
_RELEASE = 0.08
"""Share of the full volume that comes back in each window of `_LIMITER_SECONDS`."""


class Meter:
    """Meter of the loudness of PCM that is fed piece by piece."""

    def __init__(self, rate: int) -> None:
        self._block = WIDTH * round(rate * _BLOCK_SECONDS)
        self._lag = WIDTH * max(1, round(rate / _SHELF_HERTZ / 2))
        self._rest = b""
        self._powers: list[float] = []

    def feed(self, pcm: bytes) -> None:
        pcm = self._rest + pcm
        end = len(pcm) // self._block * self._block
        self._powers += (self._power(pcm[at : at + self._block]) for at in range(0, end, self._block))
        self._rest = pcm[end:]

    def heard(self) -> tuple[float, float] | None:
        """Return LUFS and the seconds of sound measured, or None if nothing was loud enough to be measured."""
        powers = self._powers
        spans = [sum(powers[at : at + BLOCKS]) / BLOCKS for at in range(len(powers) - BLOCKS + 1)]
        spans = spans or ([sum(powers) / len(powers)] if powers else [])
        audible = [power for power in spans if power > 10 ** ((SILENT - _OFFSET) / 10)]
        if not audible:
            return None
        gate = _GATE * sum(audible) / len(audible)
        counted = [power for power in audible if power > gate]
        seconds = _BLOCK_SECONDS * min(len(powers), len(counted) + BLOCKS - 1)
        return _OFFSET + 10 * math.log10(sum(counted) / len(counted)), seconds

    def _power(self, block: bytes) -> float:
        """Return the mean square of the block after the comb filter.

        It follows from the mean square of the block and its correlation with itself `lag` earlier.
        """
        plain = (audioop.rms(block, WIDTH) / 32_768) ** 2
        if plain == 0.0:
            return 0.0
        alike: float = audioop.findfactor(block[self._lag :], block[: -self._lag])
        return float(plain * (1 + SHELF**2 - 2 * SHELF * alike) / (1 - SHELF) ** 2)


class Levels:
    """Loudness of each voice, as measured in this process."""

    def __init__(self, wish: Wish = "off") -> None:
        self._wish = wish
        self.target = USUAL if isinstance(wish, str) else wish
        self._voices: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def leave(self, sound: Sound) -> bool:
        """Return True if sound of this form keeps its own loudness."""
        return self._wish == "off" or (self._wish == "auto" and sound.codec == "mp3")

    def known(self, voice: object) -> tuple[float, float]:
        """Return the LUFS of a voice, and the seconds for which it was measured."""
        return self._voices.get(voice, (ENGINES_LUFS, _ENGINES_SECONDS))

    def gain(self, voice: object, meter: Meter) -> float:
        """Return the factor for a clause whose beginning `meter` has measured."""
        lufs, seconds = self.known(voice)
        if there := meter.heard():
            trust = min(seconds, _MOST_TRUSTED_SECONDS)
            lufs = (trust * lufs + there[1] * there[0]) / (trust + there[1])
        return float(10 ** (min(max(self.target - lufs, _LEAST_DB), _MOST_DB) / 20))

    def learn(self, voice: object, meter: Meter) -> None:
        """Add the measurement of a whole clause to what is known of its voice."""
        if heard := meter.heard():
            lufs, seconds = self._voices.get(voice, (0.0, 0.0))
            both = seconds + heard[1]
            self._voices[voice] = ((seconds * lufs + heard[1] * heard[0]) / both, min(both, _MOST_KNOWN_SECONDS))
            self._voices.move_to_end(voice)
            if len(self._voices) > _MOST_VOICES:
                self._voices.popitem(last=False)


class Evened:
    """Leveller of the PCM of one answer.

    Args:
        voice: Key of the voice in `levels`.
    """

    def __init__(self, levels: Levels, voice: object, rate: int) -> None:
        self._levels, self._voice, self._rate = levels, voice, rate
        self._limiter = Limiter(rate)
        self._meter: Meter | None = None
        self._first = b""

    def feed(self, pcm: bytes) -> bytes:
        """Return the levelled PCM of a piece; the first piece of a clause, which may be all of it, decides the gain."""
        if self._meter is None:
            self._first += pcm
            known_seconds = self._levels.known(self._voice)[1]
            if known_seconds <= _ENGINES_SECONDS and len(self._first) < FIRST_SECONDS * self._rate * WIDTH:
                return b""
            return self._begin()
        if self._levels.known(self._voice)[1] < _MOST_KNOWN_SECONDS:
            self._meter.feed(pcm)
        return self._limiter.feed(pcm)

    def _begin(self) -> bytes:
        pcm, self._first = self._first, b""
        self._meter = Meter(self._rate)
        self._meter.feed(pcm)
        self._limiter.gain = self._levels.gain(self._voice, self._meter)
        return self._limiter.feed(pcm)

    def end_clause(self) -> bytes:
        """Return the sound of the clause that was held back, and note its loudness."""
        rest = self._begin() if self._first else b""
        if self._meter is not None:
            self._levels.learn(self._voice, self._meter)
        self._meter = None
        return rest

    def finish(self) -> bytes:
        return self._limiter.finish()


class Limiter:
    """Amplifier that is softer for a moment wherever the sound would be louder than its ceiling, in dBFS.

    It holds the last few milliseconds back, so that it can turn the volume down before a loud sample.
    """

    def __init__(self, rate: int, ceiling_db: float = CEILING_DB) -> None:
        self.gain = 1.0
        self._ceiling = round(32_767 * 10 ** (ceiling_db / 20))
        self._window = WIDTH * round(rate * _LIMITER_SECONDS)
        self._held = b""
        self._factor = 1.0

    def feed(self, pcm: bytes) -> bytes:
        pcm = self._held + pcm
        end = max(0, len(pcm) // self._window - 1) * self._window
        self._held = pcm[end:]
        if self._factor == 1.0 and self.gain * audioop.max(pcm, WIDTH) <= self._ceiling:
            return audioop.mul(pcm[:end], WIDTH, self.gain)
        return b"".join(chain.from_iterable(self._parts(pcm, end)))

    def finish(self) -> bytes:
        size = len(self._held)
        return self.feed(bytes(2 * self._window))[:size]

    def _parts(self, pcm: bytes, end: int) -> Iterator[Iterable[bytes]]:
        """Yield the sound up to `end`: calm parts in one go, and parts that are too loud window by window."""
        size = _PART_WINDOWS * self._window
        samples, calm = memoryview(pcm), 0
        for begin in range(0, end, size):
            upto = min(end, begin + size)
            part = samples[begin : upto + self._window]
            if self._factor < 1.0 or self.gain * audioop.max(part, WIDTH) > self._ceiling:
                yield (audioop.mul(samples[calm:begin], WIDTH, self.gain),)
                yield self._limited(part, (upto - begin) // self._window)
                calm = upto
        yield (audioop.mul(samples[calm:end], WIDTH, self.gain),)

    def _limited(self, pcm: memoryview, number: int) -> Iterator[bytes]:
        """Yield the first `number` windows; within each, the factor changes evenly."""
        windows = [pcm[at : at + self._window] for at in range(0, (number + 1) * self._window, self._window)]
        most = [min(1.0, self._ceiling / max(1.0, self.gain * audioop.max(window, WIDTH))) for window in windows]
        before = min(self._factor, most[0])
        for at, window in enumerate(windows[:number]):
            after = min(most[at], most[at + 1], before + _RELEASE)
            if before == after:
                yield audioop.mul(window, WIDTH, self.gain * after)
            else:
                yield _ramped(window, self.gain * before, self.gain * after)
            before = after
        self._factor = before


def _ramped(pcm: memoryview, before: float, after: float) -> bytes:
    """Return the PCM amplified by factors that go evenly from `before` to `after`."""
    size = WIDTH * _RAMP_SAMPLES
    step = (after - before) / math.ceil(len(pcm) / size)
    factors = count(before + step, step)
    return b"".join(audioop.mul(pcm[at : at + size], WIDTH, next(factors)) for at in range(0, len(pcm), size))
