"""Encode an engine's sound in the codec of the caller: one encoder serves a whole answer, without delay."""

from collections.abc import Iterator

from tts.audio.encoders import AS_USUAL, Encoder, Mp3, encoder
from tts.audio.pcm import WIDTH, Sound
from tts.audio.resample import source
from tts.wire import Codec

_FIRST_SLICE_SECONDS = 0.1
_SLICE_SECONDS = 1.0
"""Seconds of sound encoded at a time: little at first, so that the first byte leaves soon; other callers get their turn
between two slices."""


class Encoding:
    """Conversion of one answer from the engine's sound to the caller's bytes.

    Args:
        sound: Form of the engine's sound.
        codec: Codec of the caller.
        stretch: Factor by which the sound is made faster, at the same pitch.
        mp3: Form of the answer, if `codec` is mp3.
    """

    def __init__(self, sound: Sound, codec: Codec, stretch: float = 1.0, mp3: Mp3 = AS_USUAL) -> None:
        self._sound, self._codec, self._stretch = sound, codec, stretch
        self._bytes_in = 0
        self._first = True
        self.begun = False
        """True as soon as the encoder has given bytes."""
        untouched = codec == "mp3" and mp3.fits(sound) and stretch == 1.0
        self._encoder: Encoder | None = None if untouched else encoder(codec, mp3)
        self._source = None if self._encoder is None else source(sound, stretch, self._encoder.rate)

    @property
    def seconds(self) -> float:
        """Seconds of sound that came in so far, measured after the stretching."""
        return self._bytes_in / self._sound.bytes_per_second / self._stretch

    def encode(self, piece: bytes) -> Iterator[bytes]:
        """Yield the bytes that can be sent after this piece; there may be none yet."""
        self._bytes_in += len(piece)
        if self._encoder is None or self._source is None:
            yield piece
            return
        for slice_ in self._slices(piece):
            yield from self._encoded(self._source.feed(slice_))

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the bytes."""
        if self._encoder is None or self._source is None:
            return
        yield from self._encoded(self._source.finish())
        if rest := self._encoder.finish():
            yield rest

    def _encoded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        assert self._encoder is not None
        for pcm in pieces:
            if coded := self._encoder.encode(pcm):
                self.begun = True
                yield coded

    def _slices(self, piece: bytes) -> Iterator[bytes]:
        begin = 0
        while begin < len(piece):
            seconds = _FIRST_SLICE_SECONDS if self._first else _SLICE_SECONDS
            end = begin + WIDTH * int(seconds * self._sound.bytes_per_second / WIDTH)
            yield piece[begin:end]
            begin, self._first = end, False
