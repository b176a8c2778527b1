import base64
import io
import json
from typing import Any

import numpy as np
import pytest

from fixtures import sounds
from stt.sound.unreadable import explain
from unit.stt.fakes import HELLO, FakeEngine, ask, service

RAW = (sounds.tone(1) * 8000).astype("<i2").tobytes()
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
    "raw samples": (RAW, "raw 16-bit samples"),
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
