"""Decode any container and codec to 16 kHz mono, by its content and not by its name."""

import ctypes
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import thread_time
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from chassis.errors import BadRequest
from chassis.threads import Stop
from stt.hearing import RATE, Pcm
from stt.sound.contradiction import heard_as, look_at
from stt.sound.header import Source, WavHeader, is_longer, sample_bytes, wav_header
from stt.sound.microphone import MicrophoneFilter, Mixer
from stt.sound.wav_frames import LAYOUTS, wav_frames

_LOWEST_RATE, _HIGHEST_RATE = 1000, 768_000
_MOST_CHANNELS, _MOST_PLANES = 64, 8
_PLANAR = {"u8p": np.uint8, "s16p": np.int16, "s32p": np.int32, "fltp": np.float32, "dblp": np.float64}
_PACKED = frozenset(name.removesuffix("p") for name in _PLANAR)
_PROBED_BYTES = 10_000
"""Bytes of a WAV with plain samples that FFmpeg looks at; else it would read all of the file, and learn nothing."""
PATIENCE_SECONDS, _SLOWEST = 5.0, 20
"""Seconds of work that the decoder may take, and seconds of sound that each more must give; the slowest codecs give
some 300."""
_MEASURE_SECONDS = 3.0
_CUT_OFF = av.FFmpegError, IndexError
"""Errors of a file that was cut off; `IndexError` is PyAV's, over a track that begins in the middle of a file."""
_LARGEST_BYTES = 16 * 2**20
"""Most memory that FFmpeg may ask for at once: enough for the index of three hours, and a frame of 64 channels."""

CONTAINERS = (
    "wav,w64,mp3,mov,mp4,m4a,3gp,3g2,mj2,ogg,flac,matroska,webm,aac,loas,amr,amrnb,amrwb,aiff,caf,au,"
    "asf,avi,flv,mpeg,mpegts,ac3,eac3,wv,gsm"
)
"""FFmpeg's names. Play lists and the like stay out: they make it open other files and addresses."""

_LENIENT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
"""A title in a strange encoding is no reason to refuse a song; since version 19, PyAV thinks so too."""


def _hears(codec: str) -> bool:
    try:
        return av.Codec(codec, "r").type == "audio"
    except av.codec.codec.UnknownCodecError:  # it can be written only
        return False


CODECS = ",".join(filter(_hears, sorted(av.codecs_available)))
"""Without it, FFmpeg tries its video decoders on the pictures of a film before we can tell it not to."""


def _limit_allocations() -> None:
    """FFmpeg believes a file of a kilobyte that says it has a hundred million frames, and makes room for them all."""
    beside, within = Path(av.__file__).parents[1] / "av.libs", Path(av.__file__).parent / ".dylibs"
    for library in (*beside.glob("libavutil*"), *within.glob("libavutil*")):
        ctypes.CDLL(str(library)).av_max_alloc(ctypes.c_size_t(_LARGEST_BYTES))


_limit_allocations()


def blocks(
    file: Source, max_seconds: float, size: int, stop: Stop | None = None, header: WavHeader | None = None
) -> Generator[Pcm, None, None]:
    """Yield the sound in `file`, `size` samples at a time, and the rest; in bounded time and memory. Each step blocks.

    Args:
        header: The one that a WAV is `heard_as`, where that is known.

    Raises:
        BadRequest: No sound that can be decoded, or too much.
    """
    held, mender = bytearray(), MicrophoneFilter()
    most = max_seconds * RATE
    width = size * np.dtype(np.float32).itemsize
    try:
        for samples in _resampled(file, header, max_seconds, stop):
            held += samples.tobytes()
            most -= len(samples)
            if most < 0:
                raise _too_long(max_seconds)
            while len(held) >= width:
                yield _mended(mender, held[:width])
                del held[:width]
    except (*_CUT_OFF, ValueError, OverflowError) as exc:
        raise _unreadable() from exc
    if held:
        yield _mended(mender, held)


def _mended(mender: MicrophoneFilter, sound: bytearray) -> Pcm:
    pcm = np.frombuffer(sound, dtype=np.float32)
    np.nan_to_num(pcm, copy=False, posinf=1.0, neginf=-1.0)
    return mender.mend(pcm)


def measured(file: Source, max_seconds: float, stop: Stop | None = None) -> float:
    """Return how many seconds the packets in `file` hold by their own account; nothing is decoded. Blocks.

    Raises:
        BadRequest: Too many.
    """
    began, seconds = thread_time(), 0.0
    with _opened(file, max_seconds) as (container, stream):
        declared, unit = (container.duration or 0) / av.time_base, float(stream.time_base or 0)
        try:
            for packet in container.demux(stream):
                seconds += (packet.duration or 0) * unit
                if seconds > max_seconds:
                    raise _too_long(max_seconds)
                if stop or thread_time() - began > _MEASURE_SECONDS:
                    return max(seconds, declared)
        except _CUT_OFF:  # the rest is missing
            pass
    return seconds


def declared_rate(file: Source, max_seconds: float) -> int:
    """Return how many samples a second there are by the header. Blocks.

    Raises:
        BadRequest: No sound that can be decoded, or too much.
    """
    with _opened(file, max_seconds) as (_, stream):
        return stream.sample_rate


def _too_long(max_seconds: float) -> BadRequest:
    return BadRequest(f"Audio file is longer than {max_seconds:g} seconds.", param="file", code="invalid_value")


def _unreadable() -> BadRequest:
    return BadRequest(
        "Audio file might be corrupted or unsupported. Send one of flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav, webm.",
        param="file",
    )


@contextmanager
def _opened(file: Source, max_seconds: float) -> Iterator[tuple[av.container.InputContainer, av.AudioStream]]:
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": CODECS, "protocol_whitelist": "none"}
    if (header := wav_header(file)) is not None:
        options["probesize"] = str(_PROBED_BYTES)
        if is_longer(file, header):
            options["ignore_length"] = "1"
    file.seek(0)
    with av.open(file, mode="r", container_options=options, **_LENIENT) as container:
        stream = next((one for one in container.streams.audio if one.codec_context is not None), None)
        if stream is None:
            raise BadRequest("The file has no audio track that can be decoded.", param="file")
        if _declared_seconds(container, stream) > max_seconds:
            raise _too_long(max_seconds)
        yield container, stream


def _resampled(
    file: Source, header: WavHeader | None, max_seconds: float, stop: Stop | None
) -> Iterator[NDArray[np.float32]]:
    header = header or heard_as(file, look_at(file))
    if header is not None and header.channels in LAYOUTS:
        if header.seconds(sample_bytes(file, header)) > max_seconds:
            raise _too_long(max_seconds)
        yield from _pushed(wav_frames(file, header, stop))
        return
    with _opened(file, max_seconds) as (container, stream):
        yield from _pushed(_frames(container, stream, stop))


def _pushed(frames: Generator[av.AudioFrame, None, None]) -> Iterator[NDArray[np.float32]]:
    resampler = _Resampler()
    with closing(frames):
        for frame in frames:
            yield from resampler.push(frame)
    yield from resampler.flush()


def _declared_seconds(container: av.container.InputContainer, stream: av.AudioStream) -> float:
    """Return how long it claims to be, to refuse too long a file before it is decoded; 0 if it does not say."""
    if not stream.codec_context.name.startswith("pcm_"):
        return (container.duration or 0) / av.time_base
    # A recorder that streams writes any length into its header; but the size of a file of samples tells.
    if len(container.streams) > 1 or not stream.codec_context.bit_rate:
        return 0.0
    return 8 * container.size / stream.codec_context.bit_rate


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream, stop: Stop | None
) -> Generator[av.AudioFrame, None, None]:
    """Yield the frames that can be decoded; a file that is mostly damage is refused."""
    patience = PATIENCE_SECONDS
    good = bad = 0
    packets = container.demux(stream)
    while not stop:
        began = thread_time()  # each step may be another thread's
        try:
            packet = next(packets, None)
        except _CUT_OFF:
            if not good:
                raise
            return  # cut off: the part before is served
        if packet is None:
            break
        try:
            frames = packet.decode()
        except av.FFmpegError:
            frames = []
            bad += 1
        patience += began - thread_time()
        if patience < 0:
            raise BadRequest("The file takes too long to decode.", param="file")
        for frame in frames:
            good += 1
            patience += frame.samples / (frame.sample_rate or RATE) / _SLOWEST
            yield frame
    if bad > good:
        raise _unreadable()


class _Resampler:
    """Resamples with FFmpeg, begun anew when the sound changes its format on the way, as joined mp3 files do.

    What has the rate already is only converted.
    """

    def __init__(self) -> None:
        self._format: tuple[str, str, int] | None = None
        self._resampler = av.AudioResampler("flt", "mono", RATE)
        self._mixer = Mixer()

    def push(self, frame: av.AudioFrame) -> Iterator[NDArray[np.float32]]:
        channels = frame.layout.nb_channels
        most = _MOST_PLANES if frame.format.is_planar else _MOST_CHANNELS
        if not _LOWEST_RATE <= frame.sample_rate <= _HIGHEST_RATE or not 1 <= channels <= most:
            message = f"Audio with {frame.sample_rate} samples a second and {channels} channels is not supported."
            raise BadRequest(message, param="file")
        if channels > 1 or (frame.sample_rate == RATE and frame.format.name in (*_PLANAR, *_PACKED)):
            sound = self._mixer.mix(_floats(frame)) if channels > 1 else np.asarray(_floats(frame)[0], np.float32)
            if frame.sample_rate == RATE:
                yield from self.flush()
                yield sound
                return
            frame = _framed(sound, frame.sample_rate)
        frame.pts = None  # gaps and jumps of the clock are none of ours
        format = frame.format.name, frame.layout.name, frame.sample_rate
        if format != self._format:
            yield from self.flush()
            self._format, self._resampler = format, av.AudioResampler("flt", "mono", RATE)
        for part in self._resampler.resample(frame):
            yield part.to_ndarray()[0]

    def flush(self) -> Iterator[NDArray[np.float32]]:
        if self._format is not None:
            for part in self._resampler.resample(None):
                yield part.to_ndarray()[0]
            self._format = None


def _floats(frame: av.AudioFrame) -> NDArray[Any]:
    """Return the channels, in floats of at most 1."""
    samples = _planes(frame) if frame.format.is_planar else frame.to_ndarray().reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind != "f":
        bits = 8 * samples.dtype.itemsize
        middle = 2.0 ** (bits - 1)
        samples = (samples - (middle if samples.dtype.kind == "u" else 0.0)) / middle
    return samples


def _framed(sound: NDArray[np.float32], rate: int) -> av.AudioFrame:
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(sound[None, :]), format="fltp", layout="mono")
    frame.sample_rate = rate
    return frame


def _planes(frame: av.AudioFrame) -> NDArray[Any]:
    """Return the channels. PyAV's `to_ndarray` reads on until a null pointer, of which there is none after eight."""
    kind = _PLANAR.get(frame.format.name)
    if kind is None:
        raise ValueError(frame.format.name)
    planes = frame.planes[: frame.layout.nb_channels]
    return np.stack([np.frombuffer(plane, kind, frame.samples) for plane in planes])  # type: ignore[call-overload]  # it has a buffer
