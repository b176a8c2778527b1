"""Decode whatever sound an upstream sends to PCM at the rate of this service, piece by piece."""

from collections.abc import Iterator

import av
from av.audio.frame import AudioFrame

from tts.audio.parsers import PARSERS, Parser, RawPcm
from tts.audio.pcm import RATE, WIDTH
from tts.audio.recognise import NotSound, SoundKind, recognise

_LEAST_SAMPLES = RATE // 200
"""Length of the shortest sound; less is a few stray bytes, and no word. `Edges` holds back as much."""

LEAST_BYTES = 256
"""Bytes by which a silence of the sender is over; fewer are a drip, and no sound."""


class AudioDecoder:
    """Decoder of one answer, which is fed piece by piece.

    Args:
        pcm_rate: Samples a second of PCM without a header.
        claims_pcm: True if the sender declares such PCM.
    """

    def __init__(self, *, pcm_rate: int = RATE, claims_pcm: bool = False) -> None:
        self._pcm_rate, self._claims_pcm = pcm_rate, claims_pcm
        self._head = b""
        self._parser: Parser | None = None
        self._resampler: tuple[object, av.AudioResampler] | None = None
        self.samples = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield PCM at `RATE`, as far as it can be decoded by now.

        Raises:
            NotSound: The answer is text (the bytes so far are in `text`), or of no known format.
        """
        if self._parser is None:
            self._head += piece
            kind = recognise(self._head, claims_pcm=self._claims_pcm)
            if kind is None:
                return
            piece = self._begin(kind)
        assert self._parser is not None
        for frame in self._parser.feed(piece):
            yield from self._pcm(frame)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the PCM.

        Raises:
            NotSound: The answer held no sound.
        """
        rest = b""
        if self._parser is None and self._head:
            kind = recognise(self._head, complete=True, claims_pcm=self._claims_pcm)
            assert kind is not None
            rest = self._begin(kind)
        if self._parser is not None:
            for frame in (*self._parser.feed(rest), *self._parser.finish()):
                yield from self._pcm(frame)
            yield from self._drain()
        if self.samples < _LEAST_SAMPLES:
            raise NotSound("sent no sound")

    def _begin(self, kind: SoundKind) -> bytes:
        if kind == "text":
            raise NotSound("sent text", text=self._head)
        self._parser = RawPcm(self._pcm_rate) if kind == "pcm" else PARSERS[kind]()
        return self._head

    def _pcm(self, frame: AudioFrame) -> Iterator[bytes]:
        form = (frame.sample_rate, frame.format.name, frame.layout.name)
        if self._resampler is None or self._resampler[0] != form:
            yield from self._drain()
            self._resampler = form, av.AudioResampler(format="s16", layout="mono", rate=RATE)
        frame.pts = None
        yield from self._taken(self._resampler[1].resample(frame))

    def _drain(self) -> Iterator[bytes]:
        if self._resampler is not None:
            yield from self._taken(self._resampler[1].resample(None))

    def _taken(self, frames: list[AudioFrame]) -> Iterator[bytes]:
        for frame in frames:
            self.samples += frame.samples
            yield bytes(frame.planes[0])[: frame.samples * WIDTH]
