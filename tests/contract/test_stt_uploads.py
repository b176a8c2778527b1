"""Uploads that are hostile or long, sent to a real service in a process whose time and memory are counted."""

import json
import sys
import time
from collections.abc import Iterator
from functools import cache

import httpx
import numpy as np
import pytest

from fixtures import hostile, sounds, whisper_model
from fixtures.serving import Process, process

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nobody counts the memory of a process"),
    pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed"),
]
KEY = "sk-talkbox"
MOST_SECONDS, MOST_MB = 2.0, 60.0
MINUTES = 20


@pytest.fixture(scope="module")
def stt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    folder = whisper_model.make(tmp_path_factory.mktemp("whisper") / "bear", say="hello little bear")
    with process("stt", STT_ENGINES="whisper", WHISPER_MODEL=str(folder), API_KEYS=KEY) as stt:
        for _ in range(5):  # what each thread keeps after its first is nobody's cost
            ask(stt, minute())
        yield stt


def ask(stt: Process, file: bytes, **fields: str) -> httpx.Response:
    return httpx.post(
        f"{stt.base}/v1/audio/transcriptions",
        data={"model": "whisper-1", "language": "en", **fields},
        files={"file": ("song.mp3", file)},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
    )


@cache
def minute() -> bytes:
    """Of speech; several such files make a longer one."""
    sentence = np.concatenate([sounds.spoken("tell me a story about a bear"), sounds.silence(1)])
    return sounds.encoded("mp3", np.resize(sentence, 60 * sounds.RATE))


@pytest.mark.parametrize("name", hostile.UPLOADS)
def test_what_cannot_be_heard_is_refused_soon_and_in_little_memory(stt: Process, name: str) -> None:
    refuses(stt, hostile.UPLOADS[name]())


@pytest.mark.parametrize("name", hostile.TOO_LONG)
def test_ten_hours_are_refused_soon_and_in_little_memory_whatever_the_file_says(stt: Process, name: str) -> None:
    assert "longer than 10800 seconds" in refuses(stt, hostile.TOO_LONG[name]())


def refuses(stt: Process, upload: bytes) -> str:
    """In what words."""
    memory, seconds = stt.forget_peak(), stt.cpu_seconds()

    response = ask(stt, upload)

    assert response.status_code == 400
    assert response.json()["error"]["param"] == "file"
    assert stt.cpu_seconds() - seconds < MOST_SECONDS
    assert stt.peak() - memory < MOST_MB
    message: str = response.json()["error"]["message"]
    return message


def test_a_long_recording_begins_to_answer_long_before_its_end_and_in_no_more_memory_than_a_short_one(
    stt: Process,
) -> None:
    memory = stt.forget_peak()
    began, first = time.monotonic(), 0.0
    deltas, done = list[str](), ""
    with httpx.stream(
        "POST",
        f"{stt.base}/v1/audio/transcriptions",
        data={"model": "whisper-1", "language": "en", "stream": "true"},
        files={"file": ("long.mp3", MINUTES * minute())},
        headers={"authorization": f"Bearer {KEY}"},
        timeout=60,
    ) as response:
        for line in response.iter_lines():
            event = json.loads(line.removeprefix("data: ")) if line.startswith("data: ") else {}
            if event.get("type") == "transcript.text.delta":
                first = first or time.monotonic() - began
                deltas.append(event["delta"])
            done = event.get("text", done)
    whole = time.monotonic() - began

    assert done == "".join(deltas)
    assert len(deltas) >= 2 * MINUTES
    assert first < whole / 3
    assert stt.peak() - memory < MOST_MB


@pytest.mark.parametrize("response_format", ["json", "text", "verbose_json", "srt", "vtt"])
def test_a_long_recording_comes_whole_in_every_format(stt: Process, response_format: str) -> None:
    body = ask(stt, 3 * minute(), response_format=response_format).text

    assert body.count("hello little bear") >= 6
