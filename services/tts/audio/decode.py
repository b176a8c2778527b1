"""Decode whatever sound an upstream sends to PCM, piece by piece; its bytes tell the format, as headers often lie."""

import io
import math
import re
import struct
from array import array
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Literal, Protocol

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from tts.audio.pcm import RATE, WIDTH

Kind = Literal["mp3", "aac", "flac", "ogg", "wav", "pcm", "text", "mp4", "webm", "vorbis", "aiff", "caf", "amr"]
ENOUGH = 1024
"""Number of bytes by which even a format without a signature is recognised."""
MOST_HEADER = 256 * 2**10
MOST_FILE_BYTES = 32 * 2**20
MPEG_KBITS = {
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Bit rates of MPEG layer III in kbit/s: True for MPEG 1, False for MPEG 2 and 2.5."""
MPEG_RATES = {3: (44_100, 48_000, 32_000), 2: (22_050, 24_000, 16_000), 0: (11_025, 12_000, 8_000)}
CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
LEAST_SMOOTHNESS = 0.5
"""Lowest correlation of neighbouring samples in PCM: it is near 1 in sound, near 0 in other bytes."""
WAV_CODECS = {
    (1, 8): "pcm_u8",
    (1, 16): "pcm_s16le",
    (1, 24): "pcm_s24le",
    (1, 32): "pcm_s32le",
    (3, 32): "pcm_f32le",
    (3, 64): "pcm_f64le",
    (6, 8): "pcm_alaw",
    (7, 8): "pcm_mulaw",
}
"""FFmpeg's decoders of WAV, by format tag and bits of a sample."""
EXTENSIBLE = 0xFFFE
UNKNOWN_SIZE = 0x7FFF0000
"""Bytes of sound; a WAV whose header claims as many or more (or 0) was streamed, and its length is unknown."""
LIKELY_SECONDS = 600.0
"""Longest duration that the header of a WAV is believed: a clause takes no ten minutes, so the length is unknown."""
MOST_MISSING = 4096
"""Number of bytes by which a WAV may be shorter than its header says."""


class NotSound(Exception):
    """Raised for bytes that are not sound.

    Args:
        text: The bytes, if they are text.
    """

    def __init__(self, message: str, text: bytes | None = None) -> None:
        super().__init__(message)
        self.text = text


def recognise(head: bytes, *, complete: bool = False, claims_pcm: bool = False) -> Kind | None:
    """Return the format of sound that begins with these bytes, or None if more of them are needed.

    Args:
        complete: True if `head` is the whole answer.
        claims_pcm: True if the sender declares raw PCM.

    Raises:
        NotSound: The bytes are of no known format.
    """
    if len(head) < 12 and not complete:
        return None
    if head[:4] in (b"RIFF", b"RF64") and head[8:12] == b"WAVE":
        return "wav"
    if head.startswith(b"OggS"):
        return None if len(head) < 36 and not complete else "ogg" if head[28:36] == b"OpusHead" else "vorbis"
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return "aiff"
    for kind, (place, signature) in SIGNATURES.items():
        if head.startswith(signature, place):
            return kind
    if (framed := _framed(head, complete)) != "no":
        return None if framed == "perhaps" else framed
    if len(head) < ENOUGH and not complete:
        return None
    if _is_text(head):
        return "text"
    if claims_pcm or _smooth(head):
        return "pcm"
    raise NotSound("sent bytes that are no sound of a known format")


SIGNATURES: dict[Kind, tuple[int, bytes]] = {
    "flac": (0, b"fLaC"),
    "mp3": (0, b"ID3"),
    "mp4": (4, b"ftyp"),
    "webm": (0, b"\x1aE\xdf\xa3"),
    "caf": (0, b"caff"),
    "amr": (0, b"#!AMR"),
}
"""Offset and bytes of each format's signature."""


def _framed(head: bytes, complete: bool) -> Literal["mp3", "aac", "no", "perhaps"]:
    """Tell mp3 and AAC by two successive frames, each of which begins with eleven bits of 1."""
    size, kind = _mp3_frame(head), "mp3"
    if size is None:
        size, kind = _adts_frame(head), "aac"
    if size is None:
        return "no"
    if len(head) < size + 2:
        return ("mp3" if kind == "mp3" else "aac") if complete else "perhaps"
    if head[size] != 0xFF or head[size + 1] & 0xE0 != 0xE0:
        return "no"
    return "mp3" if kind == "mp3" else "aac"


def _mp3_frame(head: bytes) -> int | None:
    """Return the size in bytes of the mp3 frame that `head` begins with, or None if it is no such frame."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0 or head[1] >> 1 & 3 != 1:
        return None
    version, kbits, rate = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if version == 1 or kbits in (0, 15) or rate == 3:
        return None
    first = version == 3
    return (144 if first else 72) * 1000 * MPEG_KBITS[first][kbits] // MPEG_RATES[version][rate] + (head[2] >> 1 & 1)


def _adts_frame(head: bytes) -> int | None:
    """Return the size in bytes of the AAC frame that `head` begins with, or None if it is no such frame."""
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0 or head[2] >> 2 & 15 > 12:
        return None
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else None


def _is_text(head: bytes) -> bool:
    """Return True for UTF-8 without control characters; the last character may be cut in two."""
    try:
        text = head[:-4].decode() if len(head) > 8 else head.decode()
    except UnicodeDecodeError:
        return False
    return bool(text) and not CONTROL.search(text)


def _smooth(head: bytes) -> bool:
    """Return True if the bytes look like 16-bit samples: neighbours are alike, or all is silent."""
    samples = array("h", head[: len(head) // WIDTH * WIDTH])
    if len(samples) < 8:
        return False
    mean = sum(samples) / len(samples)
    power = math.fsum((sample - mean) ** 2 for sample in samples)
    if power < len(samples):  # silence
        return True
    return math.fsum((a - mean) * (b - mean) for a, b in pairwise(samples)) / power > LEAST_SMOOTHNESS


class Decoder:
    """Decoder of one answer, which is fed piece by piece.

    Args:
        pcm_rate: Samples a second of PCM without a header.
        claims_pcm: True if the sender declares such PCM.
    """

    def __init__(self, *, pcm_rate: int = RATE, claims_pcm: bool = False) -> None:
        self._pcm_rate, self._claims_pcm = pcm_rate, claims_pcm
        self._head = b""
        self._frames: _Frames | None = None
        self._resampler: tuple[object, av.AudioResampler] | None = None
        self.samples = 0

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield PCM at `RATE`, as far as it can be decoded by now.

        Raises:
            NotSound: The answer is text (the bytes so far are in `text`), or of no known format.
        """
        if self._frames is None:
            self._head += piece
            kind = recognise(self._head, claims_pcm=self._claims_pcm)
            if kind is None:
                return
            piece = self._begin(kind)
        assert self._frames is not None
        for frame in self._frames.feed(piece):
            yield from self._pcm(frame)

    def finish(self) -> Iterator[bytes]:
        """Yield the rest of the PCM.

        Raises:
            NotSound: The answer held no sound.
        """
        rest = b""
        if self._frames is None and self._head:
            kind = recognise(self._head, complete=True, claims_pcm=self._claims_pcm)
            assert kind is not None
            rest = self._begin(kind)
        if self._frames is not None:
            for frame in (*self._frames.feed(rest), *self._frames.finish()):
                yield from self._pcm(frame)
            yield from self._drain()
        if not self.samples:
            raise NotSound("sent no sound")

    def _begin(self, kind: Kind) -> bytes:
        if kind == "text":
            raise NotSound("sent text", text=self._head)
        self._frames = _RawPcm(self._pcm_rate) if kind == "pcm" else FRAMES[kind]()
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


class _Frames(Protocol):
    """Parser of one format: it takes bytes and gives decoded frames."""

    def feed(self, piece: bytes) -> Iterator[AudioFrame]: ...

    def finish(self) -> Iterator[AudioFrame]: ...


def _codec(name: str) -> AudioCodecContext:
    context = av.CodecContext.create(name, "r")
    assert isinstance(context, AudioCodecContext)
    return context


def _decoded(context: AudioCodecContext, packet: Any) -> Iterator[AudioFrame]:
    """Yield the frames of one packet; a damaged packet is left out, as players do."""
    try:
        yield from context.decode(packet)
    except (av.InvalidDataError, av.EOFError):
        return


class _Framed:
    """Parser of a format whose frames FFmpeg finds by itself."""

    def __init__(self, name: str) -> None:
        self._context = _codec(name)
        self._to_skip = 0
        self._begun = False

    def feed(self, piece: bytes) -> Iterator[AudioFrame]:
        if not self._begun and piece:
            self._begun, self._to_skip = True, _id3_bytes(piece)
        skipped = min(self._to_skip, len(piece))
        self._to_skip -= skipped
        if piece := piece[skipped:]:
            for packet in self._context.parse(piece):
                yield from _decoded(self._context, packet)

    def finish(self) -> Iterator[AudioFrame]:
        while packets := self._context.parse(b""):
            for packet in packets:
                yield from _decoded(self._context, packet)
        yield from _decoded(self._context, None)


def _id3_bytes(head: bytes) -> int:
    """Return the size of the ID3 tag in front, which is skipped, since a picture in it may look like frames."""
    if head[:3] != b"ID3" or len(head) < 10:
        return 0
    a, b, c, d = head[6:10]
    return 10 + (a << 21 | b << 14 | c << 7 | d)


class _Ogg:
    """Parser of Opus in pages of Ogg."""

    def __init__(self) -> None:
        self._context: AudioCodecContext | None = None
        self._rest = self._packet = b""

    def feed(self, piece: bytes) -> Iterator[AudioFrame]:
        self._rest += piece
        for packet in self._packets():
            if packet.startswith(b"OpusHead"):
                self._context = _codec("opus")
                self._context.extradata = packet
            elif self._context is None:
                raise NotSound("sent broken Ogg")
            elif not packet.startswith(b"OpusTags"):
                yield from _decoded(self._context, av.Packet(packet))

    def finish(self) -> Iterator[AudioFrame]:
        if self._context is not None:
            yield from _decoded(self._context, None)

    def _packets(self) -> Iterator[bytes]:
        while len(self._rest) >= 27:
            if not self._rest.startswith(b"OggS"):
                raise NotSound("sent broken Ogg")
            body = 27 + self._rest[26]
            lengths = self._rest[27:body]
            if len(self._rest) < body + sum(lengths) or len(lengths) < self._rest[26]:
                return
            for length in lengths:
                self._packet += self._rest[body : body + length]
                body += length
                if length < 255:
                    yield self._packet
                    self._packet = b""
            self._rest = self._rest[body:]


class _File:
    """Parser of a container that is read as a whole, because it cannot be read earlier or hardly ever is sent.

    Args:
        name: FFmpeg's name of the container. FFmpeg may try no other, since some would open further files.
    """

    def __init__(self, name: str) -> None:
        self._name, self._data = name, bytearray()

    def feed(self, piece: bytes) -> Iterator[AudioFrame]:
        self._data += piece
        if len(self._data) > MOST_FILE_BYTES:
            raise NotSound(f"sent a file of more than {MOST_FILE_BYTES} bytes")
        yield from ()

    def finish(self) -> Iterator[AudioFrame]:
        try:
            with av.open(io.BytesIO(self._data), "r", format=self._name) as container:
                yield from container.decode(audio=0)
        except (av.FFmpegError, IndexError, ValueError) as exc:  # IndexError: the container holds no sound
            raise NotSound(f"sent a file ({self._name}) that cannot be read") from exc


class _Samples:
    """Parser of samples without a header."""

    def __init__(self, name: str, rate: int, channels: int, width: int) -> None:
        self._context = _codec(name)
        self._context.sample_rate = rate
        self._context.layout = f"{channels}c" if channels > 2 else ("mono", "stereo")[channels - 1]
        self._block = width * channels
        self._rest = b""

    def feed(self, piece: bytes) -> Iterator[AudioFrame]:
        data = self._rest + piece
        whole = len(data) // self._block * self._block
        self._rest = data[whole:]
        if whole:
            yield from self._context.decode(av.Packet(data[:whole]))

    def finish(self) -> Iterator[AudioFrame]:
        yield from ()


class _RawPcm(_Samples):
    def __init__(self, rate: int) -> None:
        super().__init__("pcm_s16le", rate, 1, WIDTH)


def _likely_bytes(form: bytes) -> float:
    """Return the number of bytes from which on the size in a WAV's header is not believed."""
    per_second = struct.unpack_from("<I", form, 8)[0] if len(form) >= 12 else 0
    return min(UNKNOWN_SIZE, LIKELY_SECONDS * per_second) or UNKNOWN_SIZE


class _Wav:
    """Parser of a WAV file, or of several in a row."""

    def __init__(self) -> None:
        self._head = b""
        self._samples: _Samples | None = None
        self._left: int | None = None
        """Number of bytes of sound still to come; None if the length is unknown."""
        self._over = False

    def feed(self, piece: bytes) -> Iterator[AudioFrame]:
        while piece and not self._over:
            if self._samples is None:
                piece = self._begin(piece)
            elif self._left == 0:
                piece = self._after(piece)
            else:
                part = piece if self._left is None else piece[: self._left]
                yield from self._samples.feed(part)
                piece = piece[len(part) :]
                self._left = None if self._left is None else self._left - len(part)

    def finish(self) -> Iterator[AudioFrame]:
        """Raises:
        NotSound: The header announced more sound, so the file was cut off, though the connection ended well.
        """
        if self._left is not None and self._left > MOST_MISSING:
            raise NotSound("broke off: its WAV holds less sound than it says")
        yield from ()

    def _begin(self, piece: bytes) -> bytes:
        """Read the header once all of it has come.

        Returns:
            The bytes behind the header; empty if it is incomplete.
        """
        self._head += piece
        place, form = 12, b""
        while place + 8 <= len(self._head):
            name, size = struct.unpack_from("<4sI", self._head, place)
            if name == b"data":
                self._samples = _samples(form)
                self._left = None if size == 0 or size >= _likely_bytes(form) else size
                rest, self._head = self._head[place + 8 :], b""
                return rest
            if name == b"fmt ":
                form = self._head[place + 8 : place + 8 + size]
            place += 8 + size + size % 2
        if len(self._head) > MOST_HEADER:
            raise NotSound("sent WAV without sound")
        return b""

    def _after(self, piece: bytes) -> bytes:
        """Decide what follows the announced sound: another file, notes or more sound; return the bytes left."""
        self._head += piece
        if len(self._head) < 4:
            return b""
        rest, self._head = self._head, b""
        if rest.startswith(b"RIFF"):
            self._samples = None
        elif rest[:4].isascii() and rest[:4].decode().isprintable():
            self._over = True
        else:
            self._left = None
        return rest


def _samples(form: bytes) -> _Samples:
    """Return the parser for samples of the form that a WAV's `fmt ` chunk describes."""
    if len(form) < 16:
        raise NotSound("sent WAV that does not say what it holds")
    tag, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    name = WAV_CODECS.get((tag, bits))
    if name is None or not 1 <= channels <= 8 or not 4_000 <= rate <= 192_000:
        raise NotSound(f"sent WAV of an unknown form ({tag}, {bits} bits, {channels} channels, {rate} Hz)")
    return _Samples(name, rate, channels, bits // 8)


FRAMES: dict[Kind, Callable[[], _Frames]] = {
    "mp3": lambda: _Framed("mp3"),
    "aac": lambda: _Framed("aac"),
    "flac": lambda: _Framed("flac"),
    "ogg": _Ogg,
    "wav": _Wav,
    "mp4": lambda: _File("mov"),
    "webm": lambda: _File("matroska"),
    "vorbis": lambda: _File("ogg"),
    "aiff": lambda: _File("aiff"),
    "caf": lambda: _File("caf"),
    "amr": lambda: _File("amr"),
}
