"""The samples of what nearly every toy sends, without a decoder: FFmpeg would take seven times as long to find them."""

from collections.abc import Generator

import av
import numpy as np

from chassis.threads import Stop
from stt.sound.header import Source, WavHeader, sample_bytes
from stt.sound.samples import sound_of

_PLAIN = {"16-bit samples": ("<i2", "s16"), "32-bit samples": ("<i4", "s32")}
"""Kinds of samples that FFmpeg has too, as NumPy and FFmpeg call them; it takes 24 bits in 32 for others."""
LAYOUTS = {1: "mono", 2: "stereo"}
"""FFmpeg's names, by the number of channels."""
_AT_A_TIME = {1: 2**15, 2: 2**10}
"""Samples of a channel in a frame, by channels: a `Mixer` learns frame by frame which of two to take."""


def wav_frames(file: Source, header: WavHeader, stop: Stop | None) -> Generator[av.AudioFrame, None, None]:
    """Yield the samples of one or two channels, by a header that may be another than the file's own."""
    size = sample_bytes(file, header) // header.width * header.width
    at_a_time = _AT_A_TIME[header.channels] * header.width
    for begin in range(0, size, at_a_time):
        if stop:
            break
        file.seek(header.begin + begin)
        found = file.read(min(at_a_time, size - begin)) or b""
        width, format = _PLAIN.get(header.kind, ("", "flt"))
        samples = np.frombuffer(found, width) if width else sound_of(found, header.kind)
        frame = av.AudioFrame.from_ndarray(samples[None, :], format=format, layout=LAYOUTS[header.channels])
        frame.sample_rate = header.rate
        yield frame
