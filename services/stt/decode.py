"""Any container and codec → 16 kHz mono, by what is inside and not by what it is called."""

import weakref
from collections.abc import Generator, Iterator
from contextlib import aclosing, closing
from time import monotonic
from typing import Any, BinaryIO

import av
import numpy as np
from numpy.typing import NDArray

from chassis.errors import BadRequest, TooBusy
from stt.engines import RATE, Pcm
from stt.work import Stop, cores, pieces, workers

SHORTEST_SECONDS = 0.1
LONG_SECONDS = 60.0
LOWEST_RATE, HIGHEST_RATE, MOST_CHANNELS = 1000, 768_000, 64
PATIENCE_SECONDS = 30.0
"""No honest file within the other limits takes this long."""

CONTAINERS = (
    "wav,w64,mp3,mov,mp4,m4a,3gp,3g2,mj2,ogg,flac,matroska,webm,aac,loas,amr,amrnb,amrwb,aiff,caf,au,"
    "asf,avi,flv,mpeg,mpegts,ac3,eac3,wv,gsm"
)
"""FFmpeg's names. Play lists and the like stay out: they make it open other files and addresses."""

LENIENT: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.partition(".")[0]) < 19 else {}
"""A title in a strange encoding is no reason to refuse a song; since version 19, PyAV thinks so too."""


def _hears(codec: str) -> bool:
    try:
        return av.Codec(codec, "r").type == "audio"
    except av.codec.codec.UnknownCodecError:  # it can be written only
        return False


CODECS = ",".join(filter(_hears, sorted(av.codecs_available)))
"""Without it, FFmpeg tries its video decoders on the pictures of a film before we can tell it not to."""


class Decoder:
    """Decodes a few files at a time, off the event loop, and refuses more long recordings than memory is meant for.

    Args:
        max_seconds: The longest recording. At most twice as much sound, short recordings aside, is held at a time.
    """

    def __init__(self, max_seconds: float) -> None:
        self.max_seconds = max_seconds
        self._long: list[weakref.ref[Pcm]] = []
        self._executor = workers(cores(), "decode")

    async def decode(self, file: BinaryIO) -> Pcm:
        """The sound in `file`.

        Raises:
            BadRequest: No sound that can be decoded, too little, or too much.
            TooBusy: It is long, and so are others that are being worked on.
        """

        def work(stop: Stop) -> Generator[Pcm, None, None]:
            yield decode(file, self.max_seconds, stop)

        async with aclosing(pieces(self._executor, work)) as only:
            pcm = await anext(only)
        seconds = len(pcm) / RATE
        if seconds > LONG_SECONDS:
            held = [other for ref in self._long if (other := ref()) is not None]
            if sum(map(len, held)) / RATE + seconds > 2 * self.max_seconds:
                raise TooBusy("Other long recordings are being worked on. Try again in a moment.", retry_after=10)
            self._long = [weakref.ref(one) for one in (*held, pcm)]
        return pcm


def decode(file: BinaryIO, max_seconds: float, stop: Stop | None = None) -> Pcm:
    """The sound in `file`, in bounded time and memory. Blocks.

    Raises:
        BadRequest: No sound that can be decoded, too little, or too much.
    """
    sound = bytearray()
    try:
        for samples in _resampled(file, max_seconds, stop):
            sound += samples.tobytes()
            if len(sound) > max_seconds * RATE * samples.itemsize:
                raise _too_long(max_seconds)
    except (av.FFmpegError, ValueError, OverflowError) as exc:
        raise _unreadable() from exc
    pcm = np.frombuffer(sound, dtype=np.float32)
    if len(pcm) < SHORTEST_SECONDS * RATE:
        message = f"Audio file is too short. The least is {SHORTEST_SECONDS} seconds."
        raise BadRequest(message, param="file", code="audio_too_short")
    np.nan_to_num(pcm, copy=False, posinf=1.0, neginf=-1.0)
    return np.clip(pcm, -1.0, 1.0, out=pcm)


def _too_long(max_seconds: float) -> BadRequest:
    return BadRequest(f"Audio file is longer than {max_seconds:g} seconds.", param="file", code="invalid_value")


def _unreadable() -> BadRequest:
    return BadRequest(
        "Audio file might be corrupted or unsupported. Send one of flac, mp3, mp4, mpeg, mpga, m4a, ogg, wav, webm.",
        param="file",
    )


def _resampled(file: BinaryIO, max_seconds: float, stop: Stop | None) -> Iterator[NDArray[np.float32]]:
    options = {"format_whitelist": CONTAINERS, "codec_whitelist": CODECS, "protocol_whitelist": "none"}
    with av.open(file, mode="r", container_options=options, **LENIENT) as container:
        stream = next((one for one in container.streams.audio if one.codec_context is not None), None)
        if stream is None:
            raise BadRequest("The file has no audio track that can be decoded.", param="file")
        if _declared_seconds(container, stream) > max_seconds:
            raise _too_long(max_seconds)
        resampler = _Resampler()
        with closing(_frames(container, stream, stop)) as frames:
            for frame in frames:
                yield from resampler.push(frame)
        yield from resampler.flush()


def _declared_seconds(container: av.container.InputContainer, stream: av.AudioStream) -> float:
    """How long it says it is, to refuse what is too long before it is decoded; 0 if it does not."""
    if not stream.codec_context.name.startswith("pcm_"):
        return (container.duration or 0) / av.time_base
    # A recorder that streams writes any length into its header; but the size of a file of samples tells.
    if len(container.streams) > 1 or not stream.codec_context.bit_rate:
        return 0.0
    return 8 * container.size / stream.codec_context.bit_rate


def _frames(
    container: av.container.InputContainer, stream: av.AudioStream, stop: Stop | None
) -> Generator[av.AudioFrame, None, None]:
    """What can be decoded, damaged parts left out; a file that is mostly damage is none."""
    until = monotonic() + PATIENCE_SECONDS
    good = bad = 0
    packets = container.demux(stream)
    while not stop:
        try:
            packet = next(packets, None)
        except av.FFmpegError:
            if not good:
                raise
            return  # cut off: what was there is served
        if packet is None:
            break
        if monotonic() > until:
            raise BadRequest("The file takes too long to decode.", param="file")
        try:
            frames = packet.decode()
        except av.FFmpegError:
            bad += 1
            continue
        good += len(frames)
        yield from frames
    if bad > good:
        raise _unreadable()


class _Resampler:
    """FFmpeg's, begun anew when the sound changes its format on the way, as joined mp3 files do."""

    def __init__(self) -> None:
        self._format: tuple[str, str, int] | None = None
        self._resampler = av.AudioResampler("flt", "mono", RATE)

    def push(self, frame: av.AudioFrame) -> Iterator[NDArray[np.float32]]:
        channels = frame.layout.nb_channels
        if not LOWEST_RATE <= frame.sample_rate <= HIGHEST_RATE or not 1 <= channels <= MOST_CHANNELS:
            message = f"Audio with {frame.sample_rate} samples a second and {channels} channels is not supported."
            raise BadRequest(message, param="file")
        if channels > 1:
            frame = _mixed(frame)
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


def _mixed(frame: av.AudioFrame) -> av.AudioFrame:
    """The mean of all channels. FFmpeg's own mix overshoots, and knows no arrays of microphones."""
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(-1, frame.layout.nb_channels).T
    if samples.dtype.kind != "f":
        bits = 8 * samples.dtype.itemsize
        middle = 2.0 ** (bits - 1)
        samples = (samples - (middle if samples.dtype.kind == "u" else 0.0)) / middle
    mono = np.ascontiguousarray(samples.mean(axis=0, dtype=np.float64)[None, :], dtype=np.float32)
    mixed = av.AudioFrame.from_ndarray(mono, format="fltp", layout="mono")
    mixed.sample_rate = frame.sample_rate
    return mixed
