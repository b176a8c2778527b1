import base64
import io
import json
from typing import Any

import numpy as np
import pytest

from fixtures import sounds
from stt.sound.unreadable import explain
from unit.stt.fakes import HELLO, FakeEngine, ask, service

TONE = np.concatenate([sounds.noise(1, 0.001), sounds.tone(2)])
RAW = (sounds.tone(1) * 8000).astype("<i2").tobytes()
WAV = sounds.wav(TONE)
MULAW = sounds.encoded("wav, mu-law", TONE)
M4A = sounds.encoded("m4a", sounds.tone(2))

CASES = {
    "empty": (b"", "is empty"),
    "one byte": (b"\x80", "has 1 bytes"),
    "html": (b"\n<!DOCTYPE html><html><body>404</body></html>", "HTML page"),
    "json": (json.dumps({"error": "no such file"}).encode(), "is JSON"),
    "a path": (b"/tmp/question.wav", "is text"),
    "chinese text": ("小熊你好。".encode() * 400, "is text"),
    "base64": (base64.b64encode(sounds.wav(sounds.tone(1))), "base64"),
    "a data URL": (b"data:audio/wav;base64," + base64.b64encode(RAW), "base64"),
    "silk": (b"\x02#!SILK_V3" + bytes(300), "SILK"),
    "silk of qq": (b"#!SILK_V3" + bytes(300), "SILK"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(100), "PNG"),
    "pdf": (b"%PDF-1.7" + bytes(100), "PDF"),
    "zip": (b"PK\x03\x04" + bytes(100), "zip"),
    "a header of flac": (sounds.encoded("flac", TONE)[:60], "recording was lost"),
    "a header of webm": (sounds.encoded("webm", TONE)[:150], "recording was lost"),
    "raw samples": (RAW, "raw 16-bit samples"),
    "raw samples after silence": ((TONE * 8000).astype("<i2").tobytes(), "raw 16-bit samples"),
    "raw samples, high byte first": ((TONE * 8000).astype(">i2").tobytes(), "raw 16-bit samples, the high byte"),
    "raw samples of 24 bits": (
        (TONE * 2**30).astype("<i4").view(np.uint8).reshape(-1, 4)[:, 1:].tobytes(),
        "raw 24-bit",
    ),
    "raw floats": (TONE.astype("<f4").tobytes(), "raw 32-bit floats"),
    "raw bytes": ((TONE * 100 + 128).astype(np.uint8).tobytes(), "raw 8-bit samples"),
    "raw mu-law": (MULAW[100 : len(MULAW) // 100 * 100], "G.711"),
    "something before the header": (b"\r\n\r\n" + WAV, "begins at byte 4"),
    "something before an mp4": (b"\r\n" + M4A, "begins at byte 2"),
    "a WAV without channels": (WAV[:22] + b"\0\0" + WAV[24:], "says 0 channels, 16000 Hz and 16 bits"),
    "a WAV without a rate": (WAV[:24] + bytes(4) + WAV[28:], "says 1 channels, 0 Hz and 16 bits"),
    "a WAV of 0 bits": (WAV[:34] + b"\0\0" + WAV[36:], "16000 Hz and 0 bits"),
    "a WAV that says nothing": (WAV[:12] + WAV[36:], "no 'fmt '"),
    "a header only": (WAV[:44], "ends with its header"),
    "within the header": (WAV[:20], "ends with its header, or within it"),
    "a title only": (b"ID3\x04\x00\x00\x00\x00\x08\x00" + bytes(1024), "ends within its title"),
    "silk in another cover": (b"\x03#!SILK_V3" + bytes(300), "SILK"),
    "xml": (b'<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>', "XML"),
    "html after a comment": (b"<!-- 404 -->\n<html></html>", "HTML page"),
    "hexadecimal": (WAV[:2000].hex().encode(), "hexadecimal"),
    "base64 for addresses": (base64.urlsafe_b64encode(np.random.default_rng(1).bytes(3000)), "base64"),
    "base64 in quotes": (b'"' + base64.b64encode(WAV[:900]) + b'"', "base64"),
    "a piece of webm": (b"\x1fC\xb6u\x01\xff" + bytes(300), "later piece of a WebM"),
    "a picture of a telephone": (b"\x00\x00\x00\x18ftypheic" + bytes(300), "picture"),
    "webp": (b"RIFF\x24\x01\x00\x00WEBPVP8 " + bytes(300), "WebP"),
    "numpy": (b"\x93NUMPY\x01\x00" + bytes(300), "NumPy"),
    "noise": (np.random.default_rng(0).bytes(4000), "put a WAV header"),
    "cut mp4": (M4A[: len(M4A) // 2], "cut short"),
}


@pytest.mark.parametrize("case", CASES)
async def test_an_upload_that_is_no_sound_is_named_in_the_error(case: str) -> None:
    upload, words = CASES[case]
    engine = FakeEngine(*HELLO)

    response = await ask(service(engine), upload)

    error: dict[str, Any] = response.json()["error"]
    assert (response.status_code, error["param"]) == (400, "file")
    assert words in error["message"]
    assert engine.asked == []


@pytest.mark.parametrize("kind", sounds.CONTAINERS)
def test_what_is_sound_is_left_to_the_decoder(kind: str) -> None:
    assert explain(io.BytesIO(sounds.encoded(kind, sounds.tone(1)))) is None


async def test_a_recording_that_is_only_too_short_is_said_to_be_so() -> None:
    response = await ask(service(FakeEngine(*HELLO)), sounds.wav(sounds.tone(0.05)))

    assert response.json()["error"]["code"] == "audio_too_short"
