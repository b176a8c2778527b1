"""Parse each format of sound that upstreams send: bytes come in pieces, decoded frames go out."""

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from tts.audio.pcm import WIDTH
from tts.audio.recognise import NotSound, SoundKind

_MOST_HEADER = 256 * 2**10
MOST_FILE_BYTES = 32 * 2**20
_WAV_CODECS = {
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
_EXTENSIBLE = 0xFFFE
UNKNOWN_SIZE = 0x7FFF0000
"""Bytes of sound; a WAV whose header claims as many or more (or 0) was streamed, and its length is unknown."""
_LIKELY_SECONDS = 600.0
"""Longest duration that the header of a WAV is believed: a clause takes no ten minutes, so the length is unknown."""
_MOST_MISSING = 4096
"""Number of bytes by which a WAV may be shorter than its header says."""


class Parser(Protocol):
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


class RawPcm(_Samples):
    """Parser of 16-bit mono PCM without a header."""

    def __init__(self, rate: int) -> None:
        super().__init__("pcm_s16le", rate, 1, WIDTH)


def _likely_bytes(form: bytes) -> float:
    """Return the number of bytes from which on the size in a WAV's header is not believed."""
    per_second = struct.unpack_from("<I", form, 8)[0] if len(form) >= 12 else 0
    return min(UNKNOWN_SIZE, _LIKELY_SECONDS * per_second) or UNKNOWN_SIZE


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
        """Check that no sound is missing at the end; there is never more of it.

        Raises:
            NotSound: The header announced more sound, so the file was cut off, though the connection ended well.
        """
        if self._left is not None and self._left > _MOST_MISSING:
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
        if len(self._head) > _MOST_HEADER:
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
    if tag == _EXTENSIBLE and len(form) >= 26:
        (tag,) = struct.unpack_from("<H", form, 24)
    name = _WAV_CODECS.get((tag, bits))
    if name is None or not 1 <= channels <= 8 or not 4_000 <= rate <= 192_000:
        raise NotSound(f"sent WAV of an unknown form ({tag}, {bits} bits, {channels} channels, {rate} Hz)")
    return _Samples(name, rate, channels, bits // 8)


PARSERS: dict[SoundKind, Callable[[], Parser]] = {
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
"""Parsers by the format that `recognise` returns; text and raw PCM have none here."""
