"""Convert an engine's sound to PCM: decode its mp3, stretch it and change its sample rate."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain
from typing import Protocol

import av
from av.audio.frame import AudioFrame

from tts.audio.pcm import RATE, WIDTH, Sound

_EVEN_TEMPO = (0.5, 2.0)
"""Slowest and fastest tempo at which FFmpeg's `atempo` drops no sound."""


class PcmSource(Protocol):
    """Converter that takes an engine's bytes and gives PCM."""

    def feed(self, piece: bytes) -> Iterator[bytes]: ...

    def finish(self) -> Iterator[bytes]: ...


def source(sound: Sound, stretch: float = 1.0, rate: int = RATE) -> PcmSource:
    """Return a converter that decodes, stretches and resamples, as far as that is needed."""
    if sound.codec == "pcm" and sound.rate == rate and stretch == 1.0:
        return AsItIs()
    return _Converter(sound, stretch, rate)


class AsItIs:
    """Converter for sound that already is the right PCM."""

    def feed(self, piece: bytes) -> Iterator[bytes]:
        yield piece

    def finish(self) -> Iterator[bytes]:
        yield from ()


class _Converter:
    """Converter that decodes, stretches and resamples."""

    def __init__(self, sound: Sound, stretch: float, rate: int) -> None:
        self._sound, self._tempos, self._rate = sound, tempos(stretch), rate
        self._decoder = av.CodecContext.create("mp3", "r") if sound.codec == "mp3" else None
        self._graph: av.filter.Graph | None = None
        self._samples = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        for frame in self._frames(piece):
            yield from self._through(frame)

    def finish(self) -> Iterator[bytes]:
        for frame in self._last_frames():
            yield from self._through(frame)
        if self._graph is not None:
            yield from self._through(None)

    def _frames(self, piece: bytes) -> Iterator[AudioFrame]:
        if self._decoder is None:
            yield from frames(piece, self._sound.rate)
            return
        for packet in self._decoder.parse(piece):
            yield from self._decoder.decode(packet)

    def _last_frames(self) -> Iterator[AudioFrame]:
        if self._decoder is not None:
            for packet in chain(self._decoder.parse(b""), [None]):
                yield from self._decoder.decode(packet)

    def _through(self, frame: AudioFrame | None) -> Iterator[bytes]:
        if frame is not None:
            frame.pts, frame.time_base = self._samples, Fraction(1, frame.sample_rate)
            self._samples += frame.samples
            self._graph = self._graph or self._filters(frame)
        assert self._graph is not None
        self._graph.push(frame)
        while True:
            try:
                made = self._graph.pull()
            except (av.BlockingIOError, av.EOFError):
                return
            assert isinstance(made, AudioFrame)
            yield bytes(made.planes[0])[: made.samples * WIDTH]

    def _filters(self, like: AudioFrame) -> av.filter.Graph:
        graph = av.filter.Graph()
        graph.threads = 1  # more would be started anew for each answer, and have nothing to do
        steps = [
            graph.add_abuffer(
                sample_rate=like.sample_rate,
                format=like.format.name,
                layout=like.layout.name,
                time_base=Fraction(1, like.sample_rate),
            ),
            *(graph.add("atempo", str(tempo)) for tempo in self._tempos),
            graph.add("aformat", f"sample_fmts=s16:sample_rates={self._rate}:channel_layouts=mono"),
            graph.add("abuffersink"),
        ]
        graph.link_nodes(*steps).configure()
        return graph


def tempos(stretch: float) -> list[float]:
    """Return factors within `_EVEN_TEMPO` whose product is `stretch`."""
    slowest, fastest = _EVEN_TEMPO
    found = []
    while not slowest <= stretch <= fastest:
        step = fastest if stretch > fastest else slowest
        found.append(step)
        stretch /= step
    return [*found, stretch] if stretch != 1.0 else found


def frames(pcm: bytes, rate: int) -> Iterator[AudioFrame]:
    """Yield PCM as one frame of FFmpeg's; none if it is empty."""
    if pcm:
        frame = AudioFrame(format="s16", layout="mono", samples=len(pcm) // WIDTH)
        frame.sample_rate = rate
        frame.planes[0].update(pcm)
        yield frame
