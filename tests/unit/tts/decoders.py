"""Decoders that players are made of: what they hear, and what they complain of."""

import io
import re
import shutil
import subprocess
import wave
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import av
import av.logging
import miniaudio
import numpy as np
import soundfile
from av.audio.resampler import AudioResampler

from fixtures.tools import lacking
from tts.audio.encoders import with_sizes
from tts.audio.pcm import RATE

COMPLAINT = re.compile(r"^.*\b(?:error|warning|missing|invalid|illegal|lost|corrupt|junk)\b.*$", re.IGNORECASE | re.M)
STREAMED = re.compile(
    "Estimating duration|start_time: NOPTS|NOPTS\\)|maximum wav data size|cannot check MD5|left in the queue on closing"
)
"""What is true of sound sent before its end was known, and what an encoder left in the middle says: no complaint."""
PACKAGES = {"mpg123": "mpg123", "madplay": "madplay", "opusdec": "opus-tools", "faad": "faad", "flac": "flac"}


class Decoded(NamedTuple):
    """One channel, as shares of full scale; what a decoder that can count above full scale found there stays."""

    samples: Any
    rate: int
    complaints: list[str]

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    @property
    def peak(self) -> float:
        return float(np.abs(self.samples).max())

    @property
    def hertz(self) -> float:
        """The pitch of a simple wave, by how often it rises through zero in its middle half."""
        quarter = len(self.samples) // 4
        middle = self.samples[quarter : 3 * quarter]
        return float(np.sum((middle[:-1] < 0) & (middle[1:] >= 0)) / (len(middle) / self.rate))


def _ffmpeg(data: bytes, codec: str) -> Decoded:
    av.logging.set_level(av.logging.WARNING)
    try:
        with (
            av.logging.Capture(local=True) as logs,
            av.open(io.BytesIO(data), "r", format={"opus": "ogg"}.get(codec, codec)) as file,
        ):
            stream = file.streams.audio[0]
            floats = AudioResampler(format="fltp", layout="mono")
            frames = [part for frame in file.decode(stream) for part in floats.resample(frame)]
    finally:
        av.logging.set_level(None)
    told = [message for _, _, message in logs if not STREAMED.search(message)]
    return Decoded(np.concatenate([frame.to_ndarray()[0] for frame in frames]), stream.rate, told)


def _libsndfile(data: bytes, codec: str) -> Decoded:
    samples, rate = soundfile.read(io.BytesIO(with_sizes(data)), dtype="float32", always_2d=True)
    return Decoded(samples[:, 0], rate, [])


def _miniaudio(data: bytes, codec: str) -> Decoded:
    """minimp3, dr_flac and dr_wav."""
    read = {"mp3": miniaudio.mp3_read_f32, "flac": miniaudio.flac_read_f32, "wav": miniaudio.wav_read_f32}[codec]
    found = read(data)
    return Decoded(np.array(found.samples, dtype="float32")[:: found.nchannels], found.sample_rate, [])


def _wave(data: bytes, codec: str) -> Decoded:
    with wave.open(io.BytesIO(with_sizes(data))) as file:
        return Decoded(_shares(file.readframes(file.getnframes())), file.getframerate(), [])


def _samples(data: bytes, codec: str) -> Decoded:
    return Decoded(_shares(data), RATE, [])


def _shares(pcm: bytes) -> Any:
    return np.frombuffer(pcm, "<i2").astype("float32") / 32_768


def _tool(command: str) -> Callable[[bytes, str], Decoded]:
    """A program that decodes the file IN to the WAV file OUT."""

    def decode(data: bytes, codec: str) -> Decoded:
        name = command.split()[0]
        if shutil.which(name) is None:
            lacking(f"no {name} here: apt-get install {PACKAGES[name]}")
        with TemporaryDirectory() as folder:
            said, heard = Path(folder, f"said.{codec}"), Path(folder, "heard.wav")
            said.write_bytes(data)
            words = [word.replace("IN", str(said)).replace("OUT", str(heard)) for word in command.split()]
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
            samples, rate = soundfile.read(heard, dtype="float32", always_2d=True)
        return Decoded(
            samples[:, 0], rate, [line for line in COMPLAINT.findall(done.stderr) if not STREAMED.search(line)]
        )

    return decode


DECODERS: dict[tuple[str, str], Callable[[bytes, str], Decoded]] = {
    ("mp3", "ffmpeg"): _ffmpeg,
    ("mp3", "mpg123"): _tool("mpg123 --no-gapless -w OUT IN"),
    ("mp3", "libmad"): _tool("madplay -o wave:OUT IN"),
    ("mp3", "minimp3"): _miniaudio,
    ("mp3", "libsndfile"): _libsndfile,
    ("opus", "ffmpeg"): _ffmpeg,
    ("opus", "opusdec"): _tool("opusdec --float IN OUT"),
    ("opus", "libsndfile"): _libsndfile,
    ("aac", "ffmpeg"): _ffmpeg,
    ("aac", "faad"): _tool("faad -o OUT IN"),
    ("flac", "ffmpeg"): _ffmpeg,
    ("flac", "flac"): _tool("flac -d -o OUT IN"),
    ("flac", "dr_flac"): _miniaudio,
    ("wav", "ffmpeg"): _ffmpeg,
    ("wav", "wave"): _wave,
    ("wav", "dr_wav"): _miniaudio,
    ("wav", "libsndfile"): _libsndfile,
    ("pcm", "samples"): _samples,
}
"""Decoders by codec and name."""
MP3_DECODERS = [name for codec, name in DECODERS if codec == "mp3"]


def decoded(data: bytes, codec: str, decoder: str) -> Decoded:
    return DECODERS[codec, decoder](data, codec)
