"""Uploads that are no sound, told apart by their bytes, so that the error names the case and the remedy."""

import io
import re
from typing import BinaryIO

import numpy as np

_FORMATS = "flac, mp3, mp4, mpeg, mpga, m4a, ogg, opus, wav, webm, aac, amr, aiff or caf"
_HEAD_BYTES = 4096
_FEWEST_BYTES = 16
_RAW = "If these are raw samples (PCM, G.711), put a WAV header before them."
_SMOOTH = 0.6
"""Correlation of neighbouring 16-bit numbers above which they are taken for raw samples: speech has 0.8 and more."""

_BEGINNINGS = (
    (b"#!SILK", "WeChat's or QQ's SILK format, which nothing here decodes. Convert it to mp3 or wav first"),
    (b"\x02#!SILK", "WeChat's or QQ's SILK format, which nothing here decodes. Convert it to mp3 or wav first"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document. Send the recording in it"),
    (b"\x1f\x8b", "a gzip archive. Send the recording in it"),
    (b"Rar!", "a rar archive. Send the recording in it"),
    (b"7z\xbc\xaf", "a 7z archive. Send the recording in it"),
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
_HTML = re.compile(rb"\s*(<!doctype html|<html|<head|<body)", re.IGNORECASE)
_BASE64 = re.compile(rb"[A-Za-z0-9+/\r\n]{64,}={0,2}\s*")


def explain(file: BinaryIO) -> str | None:
    """Return a sentence on what an upload that cannot be decoded is; None where its bytes do not tell."""
    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    head = file.read(_HEAD_BYTES)
    if not size:
        return "The file is empty: the recording was lost before it was sent."
    if known := next((what for beginning, what in _BEGINNINGS if head.startswith(beginning)), None):
        return f"The file is no sound but {known}."
    if head.startswith(_SOUND) or _is_mpeg(head):
        return None
    if head[4:8] == b"ftyp":
        return _cut_mp4(file, size)
    return _text(head) or _unknown(head, size)


def _is_mpeg(head: bytes) -> bool:
    """Return True for a frame of mp3 or aac, which begins with eleven bits of one, and for a transport stream."""
    framed = len(head) > 2 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and head[2] < 0xF0
    return framed or (head[:1] == b"G" and head[188:189] == b"G")


def _text(head: bytes) -> str | None:
    if _HTML.match(head):
        return "The file is an HTML page: probably the download of the recording failed, and this is the error page."
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


def _unknown(head: bytes, size: int) -> str:
    if size < _FEWEST_BYTES:
        return f"The file has {size} bytes: that is no recording."
    if _smoothness(head) > _SMOOTH:
        return f"The file seems to be raw 16-bit samples. Put a WAV header before them, or send {_FORMATS}."
    return f"The file has no format that is known here. Send {_FORMATS}. {_RAW}"


def _smoothness(head: bytes) -> float:
    samples = np.frombuffer(head[: len(head) // 2 * 2], "<i2").astype(np.float64)
    if len(samples) < _FEWEST_BYTES or not samples.std():
        return 0.0
    return float(np.corrcoef(samples[:-1], samples[1:])[0, 1]) if samples[:-1].std() and samples[1:].std() else 0.0


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
