"""Encode PCM in each codec that a caller may ask for, piece by piece."""

import struct
from collections.abc import Callable
from typing import Protocol

import av
import lameenc
import msgspec
from av.audio.stream import AudioStream

from tts.audio.aac_frames import SAMPLES as AAC_FRAME
from tts.audio.aac_frames import ConstantRate
from tts.audio.loudness import Limiter
from tts.audio.pcm import RATE, WIDTH, Sound, audioop
from tts.audio.resample import frames
from tts.wire import Codec

MP3_KBITS = 64
_MP3_EXTRA_SAMPLES = 1_400
"""Number of silent samples that mp3 adds before and after the sound, on average."""
QUIET = 160
"""Highest amplitude, of 32767, that counts as silence at the end of an answer."""
_OPUS_BITS = 32_000
_OPUS_CEILING_DB = -4.0
"""Highest level that is encoded, in dBFS: of speech as loud as it gets, Opus makes up to 3 dB more."""
_AAC_BITS, _AAC_STEADY_BITS = 56_000, 80_000
"""Bit rate that the codec is told, which speech exceeds by a third, and the one up to which each frame is filled."""
_AAC_CEILING_DB = -1.5
UNKNOWN_SIZE = 0xFFFFFFFF
_WAV_HEADER_BYTES = 44


class Mp3(msgspec.Struct, frozen=True):
    """Form of the mp3 that callers get, whichever engine speaks.

    The rate is one for all engines: a player that opens its output once falls silent if the next sentence has another.
    """

    kbits: int | None = None
    """Bit rate in kbit/s; None means `MP3_KBITS`, and an engine's own mp3 keeps its bit rate."""
    rate: int = RATE
    """Samples a second."""

    def fits(self, sound: Sound) -> bool:
        """Return True if an engine's own mp3 can be passed on unchanged."""
        small = self.kbits is None or 8 * sound.bytes_per_second <= 1_000 * self.kbits
        return sound.codec == "mp3" and small and self.rate == sound.rate


AS_USUAL = Mp3()


class Encoder(Protocol):
    """Encoder that takes PCM at its `rate` and gives bytes of one codec."""

    rate: int

    def encode(self, pcm: bytes) -> bytes: ...

    def finish(self) -> bytes: ...


class _Raw:
    """Encoder of PCM, behind a header if the format has one."""

    rate = RATE

    def __init__(self, header: bytes = b"") -> None:
        self._header = header

    def encode(self, pcm: bytes) -> bytes:
        header, self._header = self._header, b""
        return header + pcm

    def finish(self) -> bytes:
        return self._header


def _wav_header(size: int | None = None) -> bytes:
    """Return the header for `size` bytes of PCM; None is for a stream, whose size is unknown."""
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * WIDTH, WIDTH, 8 * WIDTH)
    riff, data = (UNKNOWN_SIZE, UNKNOWN_SIZE) if size is None else (size + _WAV_HEADER_BYTES - 8, size)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form + struct.pack("<4sI", b"data", data)


def with_sizes(sound: bytes) -> bytes:
    """Return a whole answer with its real sizes in the header; only WAV has any."""
    if not sound.startswith(_wav_header()):
        return sound
    return _wav_header(len(sound) - _WAV_HEADER_BYTES) + sound[_WAV_HEADER_BYTES:]


class _Mp3:
    """Encoder of mp3 at a constant bit rate; the silence that the codec adds is taken from that at the end."""

    def __init__(self, rate: int = RATE, kbits: int = MP3_KBITS) -> None:
        self.rate, self._kbits = rate, kbits
        self._lame = _spare.pop((rate, kbits), None) or _lame(rate, kbits)
        self._begun = False
        self._silence = b""

    def encode(self, pcm: bytes) -> bytes:
        pcm = self._silence + pcm
        end = _before_silence(pcm, WIDTH * _MP3_EXTRA_SAMPLES)
        self._silence = pcm[end:]
        if not end:
            return b""
        self._begun = True
        return bytes(self._lame.encode(pcm[:end]))

    def finish(self) -> bytes:
        if not self._begun and not self._silence:
            return b""
        last = b"" if self._begun else bytes(self._lame.encode(self._silence))
        last += bytes(self._lame.flush())
        _spare[self.rate, self._kbits] = _lame(self.rate, self._kbits)
        return last


_spare: dict[tuple[int, int], lameenc.Encoder] = {}
"""Spare encoders by sample and bit rate, each made when an answer ends, so that the next answer need not wait for it:
an encoder serves one answer only, and takes half a millisecond to set up."""


def _lame(rate: int, kbits: int) -> lameenc.Encoder:
    lame = lameenc.Encoder()
    lame.silence()
    lame.set_in_sample_rate(rate)
    lame.set_out_sample_rate(rate)
    lame.set_channels(1)
    lame.set_bit_rate(kbits)
    lame.set_quality(7)
    lame.encode(b"")  # the encoder sets itself up here
    return lame


def _before_silence(pcm: bytes, most: int) -> int:
    """Return the offset at which the silence at the end of `pcm` begins; at most `most` bytes count as silence."""
    step, end = most // WIDTH // 10 * WIDTH, len(pcm)
    while end > max(0, len(pcm) - most) and audioop.max(pcm[max(0, end - step) : end], WIDTH) <= QUIET:
        end = max(0, end - step)
    return end


class _Pipe:
    """File that can only be written to, so that FFmpeg writes no header that it would have to mend later."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def take(self) -> bytes:
        written, self._written = bytes(self._written), bytearray()
        return written


class _Ffmpeg:
    """Encoder of one of FFmpeg's codecs in its container."""

    rate = RATE

    def __init__(
        self, container: str, codec: str, bits: int | None, options: dict[str, str], container_options: dict[str, str]
    ) -> None:
        self._pipe = _Pipe()
        self._container = av.open(self._pipe, "w", format=container, container_options=container_options)
        stream = self._container.add_stream(codec, rate=RATE, layout="mono", options=options)
        assert isinstance(stream, AudioStream)
        self._stream = stream
        if bits:
            self._stream.codec_context.bit_rate = bits

    def encode(self, pcm: bytes) -> bytes:
        for frame in frames(pcm, RATE):
            self._container.mux(self._stream.encode(frame))
        return self._pipe.take()

    def finish(self) -> bytes:
        self._container.mux(self._stream.encode(None))
        self._container.close()
        return self._pipe.take()


class _Limited:
    """Encoder whose decoders make louder sound than went in: it gets none above `ceiling_db`, in dBFS."""

    rate = RATE

    def __init__(self, coder: Encoder, ceiling_db: float) -> None:
        self._coder, self._limiter = coder, Limiter(RATE, ceiling_db)

    def encode(self, pcm: bytes) -> bytes:
        return self._coder.encode(self._limiter.feed(pcm))

    def finish(self) -> bytes:
        return self._coder.encode(self._limiter.finish()) + self._coder.finish()


class _Aac(_Ffmpeg):
    """Encoder of AAC in ADTS, which cannot say how much of its frames is sound; what is too much is taken from the
    silence at the end, so that the length is right to half a frame (one frame more than those of the sound comes in
    front)."""

    def __init__(self) -> None:
        super().__init__("adts", "aac", _AAC_BITS, {"aac_coder": "fast"}, {"flush_packets": "1"})
        self._samples = 0
        self._silence = b""
        self._steady = ConstantRate(_AAC_STEADY_BITS, RATE)

    def encode(self, pcm: bytes) -> bytes:
        pcm = self._silence + pcm
        end = _before_silence(pcm, WIDTH * 2 * AAC_FRAME)
        self._silence = pcm[end:]
        self._samples += end // WIDTH
        return self._steady.feed(super().encode(pcm[:end]))

    def finish(self) -> bytes:
        most = round((self._samples + len(self._silence) // WIDTH) / AAC_FRAME - 1) * AAC_FRAME
        last = super().encode(self._silence[: WIDTH * max(0, most - self._samples)])
        return self._steady.feed(last + super().finish())


_ENCODERS: dict[Codec, Callable[[], Encoder]] = {
    "mp3": _Mp3,
    "opus": lambda: _Limited(
        _Ffmpeg(
            "ogg", "libopus", _OPUS_BITS, {"application": "voip"}, {"flush_packets": "1", "page_duration": "100000"}
        ),
        _OPUS_CEILING_DB,
    ),
    "aac": lambda: _Limited(_Aac(), _AAC_CEILING_DB),
    "flac": lambda: _Ffmpeg("flac", "flac", None, {}, {"flush_packets": "1", "metadata_header_padding": "0"}),
    "wav": lambda: _Raw(_wav_header()),
    "pcm": _Raw,
}


def encoder(codec: Codec, mp3: Mp3) -> Encoder:
    """Return a new encoder of one answer."""
    return _Mp3(mp3.rate, mp3.kbits or MP3_KBITS) if codec == "mp3" else _ENCODERS[codec]()
