"""Uploads that are no sound, told apart by their bytes, so that the error names the case and the remedy."""

import io
import re
import struct
from typing import BinaryIO

from stt.sound.samples import SMOOTH, STEP_BYTES, readings, smoothness, typical

_FORMATS = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, opus, wav, webm, aac, amr, aiff or caf"
_HEAD_BYTES = 4096
_FEWEST_BYTES = 16
_WAV_HEADER = 46
_SHORTEST_BYTES = 200
"""Files of any format that are shorter hold its header, and no sound."""
_LOST = "The file ends with its header, or within it: the recording was lost before it was sent."
_RAW = "If these are raw samples (PCM, G.711), put a WAV header before them."
_SPOTS = 8
"""Places in a file that are looked at for raw samples."""
_NEAR = 256
"""Bytes within which the beginning of a format is found where something stands before it."""

_BEGINNINGS = (
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document. Send the recording in it"),
    (b"\x1f\x8b", "a gzip archive. Send the recording in it"),
    (b"Rar!", "a rar archive. Send the recording in it"),
    (b"7z\xbc\xaf", "a 7z archive. Send the recording in it"),
    (b"BZh", "a bzip2 archive. Send the recording in it"),
    (b"(\xb5/\xfd", "a zstd archive. Send the recording in it"),
    (b"\x93NUMPY", "an array of NumPy. Write it as wav"),
    (
        b"\x1fC\xb6u",
        "a later piece of a WebM recording. Join all pieces, the first before the others, and send the whole",
    ),
    (b"MThd", "a MIDI file, which holds notes and no voice"),
    (b"MAC ", "Monkey's Audio, which is not decoded here. Convert it to flac first"),
    (b".RMF", "RealMedia, which is not decoded here. Convert it to mp3 first"),
    (b"\x7fELF", "a program"),
)
_SOUND = (
    *(
        b"RIFF",
        b"RF64",
        b"riff",
        b"OggS",
        b"fLaC",
        b"ID3",
        b"FORM",
        b"caff",
        b"#!AMR",
        b"\x1aE\xdf\xa3",
        b".snd",
        b"wvpk",
    ),
    *(b"\x00\x00\x01\xba", b"\x00\x00\x01\xb3", b"0&\xb2u", b"FLV", b"\x0bw", b"V\xe0", b"V\xe1", b"V\xe2"),
)
"""Beginnings of formats that are decoded: what is wrong with such a file the decoder knows better."""
_MARKED = (b"RIFF", b"OggS", b"fLaC", b"#!AMR", b"\x1aE\xdf\xa3", b"ID3\x03", b"ID3\x04")
_PICTURES = (b"heic", b"heix", b"mif1", b"avif")
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*(<!doctype|<html|<head|<body|<\?xml|<!--)", re.IGNORECASE)
_HEX = re.compile(rb"[0-9A-Fa-f\s]{64,}")
_BASE64 = re.compile(rb"[\"']?[A-Za-z0-9+/_\r\n-]{64,}={0,2}[\"']?\s*")


def explain(file: BinaryIO) -> str | None:
    """Return a sentence on what an upload that cannot be decoded is; None where its bytes do not tell."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not size:
        return "The file is empty: the recording was lost before it was sent."
    if known := next((what for beginning, what in _BEGINNINGS if head.startswith(beginning)), None):
        return f"The file is no sound but {known}."
    if b"#!SILK" in head[:10]:
        return "The file is WeChat's or QQ's SILK format, which nothing here decodes. Convert it to mp3 or wav first."
    if head.startswith((b"RIFF", b"ID3")):
        return _hollow(head, size)
    if head.startswith(_SOUND) or _is_mpeg(head):
        return _LOST if size < _SHORTEST_BYTES else None
    if head[4:8] == b"ftyp":
        return "The file is no sound but a picture." if head[8:12] in _PICTURES else _cut_mp4(file, size)
    return _text(head) or _shifted(head) or _unknown(file, size)


def _hollow(head: bytes, size: int) -> str | None:
    """Return a sentence for a file that holds the beginning of one with sound, and no sound."""
    if head[8:12] == b"WEBP":
        return "The file is no sound but a WebP picture."
    if head.startswith(b"RIFF") and size <= _WAV_HEADER:
        return "The WAV file ends with its header, or within it: the recording was lost before it was sent."
    if head.startswith(b"RIFF") and head[8:12] == b"WAVE":
        return _unusable_wav(head)
    tag = sum(byte << shift for byte, shift in zip(head[6:10], (21, 14, 7, 0), strict=False))
    if head.startswith(b"ID3") and size <= len(b"ID3vvf____") + tag:
        return "The mp3 ends within its title (ID3): there is no sound in it. Send the whole file."
    return None


def _unusable_wav(head: bytes) -> str | None:
    """Return a sentence for a WAV whose header does not say what its samples are."""
    at = head.find(b"fmt ", 12)
    if at < 0:
        return "The WAV does not say what its samples are: its header has no 'fmt '. Write the whole header."
    _, _, channels, rate, _, _, bits = struct.unpack("<IHHIIHH", (head[at + 4 :] + bytes(20))[:20])
    if not (channels and rate and bits):
        return f"The header of the WAV says {channels} channels, {rate} Hz and {bits} bits: write what its samples are."
    return None


def _shifted(head: bytes) -> str | None:
    """Return a sentence for a file before whose beginning something stands."""
    found = [at for mark in _MARKED if (at := head.find(mark, 1, _NEAR)) > 0]
    found += [at - 4 for at in (head.find(b"ftyp", 5, _NEAR),) if at > 0]
    if not found:
        return None
    return f"A recording begins at byte {min(found)} of the file. Leave out what was put before it."


def _is_mpeg(head: bytes) -> bool:
    """Return True for a frame of mp3 or aac, which begins with eleven bits of one, and for a transport stream."""
    framed = len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[2] < 0xF0
    return framed or (head[:1] == b"G" and head[188:189] == b"G")


def _text(head: bytes) -> str | None:
    if _PAGE.match(head):
        return "The file is an HTML page or XML: probably the download of the recording failed, and this is the error."
    if _HEX.fullmatch(head):
        return "The file is text of hexadecimal numbers. Send the bytes that they stand for."
    if head.lstrip()[:5] == b"data:" or _BASE64.fullmatch(head[: _HEAD_BYTES // 4 * 4]):
        return "The file is base64 text. Send the bytes that it stands for."
    try:
        text = head.decode()
    except UnicodeDecodeError as exc:
        if len(head) < _HEAD_BYTES or exc.start < len(head) - 3:  # else our cut fell within a character
            return None
        text = head[: exc.start].decode()
    if any(char < " " and char not in "\t\r\n\f\x1b" for char in text):
        return None
    kind = "JSON" if text.lstrip()[:1] in ("{", "[") else "text"
    return f"The file is {kind} and no sound. Send the recording itself as {_FORMATS}."


def _unknown(file: BinaryIO, size: int) -> str:
    if size < _FEWEST_BYTES:
        return f"The file has {size} bytes: that is no recording."
    found: dict[str, list[float]] = {}
    for spot in range(_SPOTS):
        file.seek(size * spot // _SPOTS // STEP_BYTES * STEP_BYTES)
        for kind, numbers in readings(file.read(_HEAD_BYTES)).items():
            found.setdefault(kind, []).append(smoothness(numbers))
    best, kind = max((typical(each), kind) for kind, each in found.items())
    if best > SMOOTH:
        return f"The file seems to be raw {kind}. Put a WAV header before them, or send {_FORMATS}."
    return f"The file has no format that is known here. Send {_FORMATS}. {_RAW}"


def _cut_mp4(file: BinaryIO, size: int) -> str | None:
    """Return a sentence for an mp4 that ends within a box, or has no index."""
    at, boxes = 0, set[bytes]()
    while at + 8 <= size:
        file.seek(at)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        boxes.add(header[4:8])
        if length == 0 or length < 8:
            break
        at += length
    if at > size or not boxes & {b"moov", b"moof"}:
        return "The mp4 (m4a) is cut short: its end, which holds its index, is missing. Send the whole file."
    return None
