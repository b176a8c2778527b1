"""Sound as a small file, for the way to a server."""

import io
from typing import Literal

import av
import numpy as np

from stt.hearing import RATE, Pcm

Format = Literal["wav", "flac", "mp3", "opus"]
Raw = Literal["pcm"]
"""Samples without a header: 16 bits, little-endian."""

# Four seconds of speech, encoded in: wav 120 kB, 0 ms; flac 68 kB, 4 ms; mp3 and opus 13 to 15 kB, 20 to 30 ms.
_KINDS = {
    # container, codec, media type, bits a second
    "pcm": ("s16le", "pcm_s16le", "application/octet-stream", None),
    "wav": ("wav", "pcm_s16le", "audio/wav", None),
    "flac": ("flac", "flac", "audio/flac", None),
    "mp3": ("mp3", "libmp3lame", "audio/mpeg", 32_000),
    "opus": ("ogg", "libopus", "audio/ogg", 28_000),
}
STEP = 60 * RATE


def encoded(pcm: Pcm, kind: Format | Raw) -> tuple[str, bytes, str]:
    """Return name, content and media type of a file that holds `pcm`. Blocks."""
    container, codec, media_type, bits = _KINDS[kind]
    file = io.BytesIO()
    with av.open(file, "w", format=container) as output:
        stream = output.add_stream(codec, rate=RATE, layout="mono")
        assert isinstance(stream, av.AudioStream)
        if bits is not None:
            stream.bit_rate = bits
        resampler = av.AudioResampler(stream.codec_context.format, "mono", RATE, _frame_size(stream))
        for begin in range(0, len(pcm), STEP):
            samples = (pcm[begin : begin + STEP] * 32767).astype(np.int16)[None, :]
            frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="mono")
            frame.sample_rate, frame.pts = RATE, begin
            for part in resampler.resample(frame):
                output.mux(stream.encode(part))
        for part in resampler.resample(None):
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
    return f"speech.{container}", file.getvalue(), media_type


def _frame_size(stream: av.AudioStream) -> int:
    """Return how many samples the codec takes at a time; only an open codec tells."""
    stream.codec_context.open(strict=False)
    return stream.codec_context.frame_size or 4096
