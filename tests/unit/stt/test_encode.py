import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from stt.encode import Transcript, encode, events
from stt.hearing import Heard, Hints, Segment
from stt.wire import TranscriptionRequest
from unit.stt.fakes import HELLO

TRANSCRIPT = Transcript(language="zh", seconds=2.34567, segments=HELLO)


def written(transcript: Transcript = TRANSCRIPT, **fields: Any) -> str:
    return encode(transcript, TranscriptionRequest(model="m", **fields))[0].decode()


def test_text_ends_in_a_newline_and_has_no_quotes() -> None:
    body, media_type = encode(TRANSCRIPT, TranscriptionRequest(model="m", response_format="text"))

    assert body == b"hello little bear\n"
    assert media_type == "text/plain; charset=utf-8"


def test_srt_numbers_its_cues_from_one_and_has_commas() -> None:
    assert written(response_format="srt") == (
        "1\n00:00:00,100 --> 00:00:00,900\nhello little\n\n2\n00:00:00,900 --> 00:00:01,500\nbear\n\n"
    )


def test_vtt_has_its_header_and_dots() -> None:
    assert written(response_format="vtt") == (
        "WEBVTT\n\n00:00:00.100 --> 00:00:00.900\nhello little\n\n00:00:00.900 --> 00:00:01.500\nbear\n\n"
    )


def test_a_text_cannot_break_out_of_its_cue() -> None:
    odd = Transcript(language="en", seconds=1, segments=(Segment(start=0, end=1, text=" a --> b\n\n<c> & d"),))

    assert written(odd, response_format="srt").endswith("\na -> b <c> & d\n\n")
    assert written(odd, response_format="vtt").endswith("\na -> b &lt;c> &amp; d\n\n")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "00:00:00,000"), (59.9996, "00:01:00,000"), (3599.9999, "01:00:00,000"), (36_061.5, "10:01:01,500")],
)
def test_clocks_carry_over(seconds: float, shown: str) -> None:
    late = Transcript(language="en", seconds=1, segments=(Segment(start=seconds, end=seconds, text=" a"),))

    assert written(late, response_format="srt").splitlines()[1] == f"{shown} --> {shown}"


def test_verbose_json_names_the_language_and_has_every_key_of_a_segment() -> None:
    body = json.loads(written(response_format="verbose_json"))

    assert body["task"] == "transcribe"
    assert body["language"] == "chinese"
    assert body["duration"] == 2.346
    assert body["text"] == "hello little bear"
    assert body["usage"] == {"type": "duration", "seconds": 3}
    assert "words" not in body
    assert body["segments"][0] == {
        "id": 0,
        "seek": 10,
        "start": 0.1,
        "end": 0.9,
        "text": " hello little",
        "tokens": [1, 2],
        "temperature": 0.0,
        "avg_logprob": -0.5,
        "compression_ratio": 1.0,
        "no_speech_prob": 0.0,
    }
    assert [segment["id"] for segment in body["segments"]] == [0, 1]


def test_words_alone_come_without_segments_and_both_with_both() -> None:
    words = json.loads(written(response_format="verbose_json", timestamp_granularities=("word",)))
    both = json.loads(written(response_format="verbose_json", timestamp_granularities=("word", "segment")))

    assert "segments" not in words
    assert words["words"][0] == {"word": "hello", "start": 0.1, "end": 0.4}
    assert [word["word"] for word in both["words"]] == ["hello", "little", "bear"]
    assert len(both["segments"]) == 2


async def usage_of(text: str, prompt: str | None = None) -> dict[str, int]:
    async def pieces() -> AsyncIterator[Heard]:
        yield Heard(language="zh", segments=(Segment(start=0, end=1, text=text),))

    told = [json.loads(event.partition(b"data: ")[2]) async for event in events(pieces(), 1.0, Hints(prompt=prompt))]
    usage: dict[str, int] = told[-1]["usage"]
    return usage


@pytest.mark.parametrize(
    ("text", "tokens"), [("你好小熊，今天的天气 bear", 11), (" hello little bear", 3), ("こんにちは", 5), ("", 0)]
)
async def test_ten_chinese_characters_were_counted_as_one_token(text: str, tokens: int) -> None:
    assert (await usage_of(text))["output_tokens"] == tokens


async def test_the_tokens_of_a_chinese_prompt_are_counted_too() -> None:
    assert (await usage_of("a", prompt="小熊"))["input_tokens"] == 12
