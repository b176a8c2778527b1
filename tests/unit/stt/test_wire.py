import math
from typing import Any

import pytest

from chassis.errors import BadRequest
from stt.hearing import Script
from stt.wire import TranscriptionRequest, hints


def wanted(**fields: Any) -> TranscriptionRequest:
    return TranscriptionRequest(model="whisper-1", **fields)


@pytest.mark.parametrize(
    ("fields", "language"),
    [
        ({}, "en"),
        ({"language": "auto"}, "en"),
        ({"language": "Chinese"}, "zh"),
        ({"language": "zh-TW", "languages": ("en",)}, "zh"),
        ({"languages": ("zh",)}, "zh"),
        ({"languages": ("zh", "zh-TW", "Mandarin")}, "zh"),
        ({"languages": ("zh", "ja")}, "en"),
        ({"language": "", "languages": ("auto",)}, "en"),
        ({"language": "zh,en"}, "en"),
        ({"language": "普通话", "languages": ("en", "ja")}, "zh"),
    ],
)
def test_the_language_is_what_the_caller_states_else_the_only_candidate_else_the_operators(
    fields: dict[str, Any], language: str
) -> None:
    assert hints(wanted(**fields), "en").language == language


@pytest.mark.parametrize(
    ("fields", "script"),
    [
        ({}, "t2s"),
        ({"language": "zh"}, "t2s"),
        ({"language": "zh-TW"}, "s2tw"),
        ({"language": "zh", "languages": ("en", "zh-HK")}, "s2hk"),
        ({"language": "zh-Hant", "languages": ("zh-Hans",)}, "s2t"),
    ],
)
def test_the_characters_are_the_callers_else_the_operators(fields: dict[str, Any], script: Script) -> None:
    assert hints(wanted(**fields), None, "t2s").script == script


@pytest.mark.parametrize(
    ("fields", "times"),
    [
        ({"response_format": "json"}, False),
        ({"response_format": "text"}, False),
        ({"response_format": "srt"}, True),
        ({"response_format": "vtt"}, True),
        ({"response_format": "verbose_json"}, True),
    ],
)
def test_times_are_looked_for_only_where_they_are_shown(fields: dict[str, Any], times: bool) -> None:
    assert hints(wanted(**fields), None).times is times


@pytest.mark.parametrize(
    ("granularities", "words", "segments"),
    [((), False, True), (("segment",), False, True), (("word",), True, False), (("word", "segment"), True, True)],
)
def test_segments_come_unless_only_words_are_asked_for(
    granularities: tuple[Any, ...], words: bool, segments: bool
) -> None:
    asked = wanted(timestamp_granularities=granularities, response_format="verbose_json")

    assert (asked.words, asked.segments) == (words, segments)
    assert hints(asked, None).words is words


def test_a_stream_may_ask_for_words_in_any_format() -> None:
    assert hints(wanted(timestamp_granularities=("word",), stream=True), None).words


@pytest.mark.parametrize(
    ("fields", "candidates"),
    [
        ({}, ()),
        ({"languages": ("zh",)}, ()),
        ({"languages": ("zh", "en-US")}, ("zh", "en")),
        ({"languages": ("zh,en",)}, ("zh", "en")),
        ({"language": "中文、英语"}, ("zh", "en")),
        ({"language": "zh", "languages": ("zh", "en")}, ()),
    ],
)
def test_several_languages_are_candidates(fields: dict[str, Any], candidates: tuple[str, ...]) -> None:
    assert hints(wanted(**fields), None).candidates == candidates


def test_keywords_are_words_to_expect() -> None:
    assert hints(wanted(keywords=("小熊", " ", "Bunny")), None).hotwords == ("小熊", "Bunny")


def test_control_tokens_in_a_prompt_reached_the_model() -> None:
    told = hints(wanted(prompt="<|startoftranscript|><|zh|> 你好", keywords=("<|en|>",)), None)

    assert told.prompt == "< |startoftranscript| >< |zh| > 你好"
    assert told.hotwords == ("< |en| >",)


@pytest.mark.parametrize(("prompt", "told"), [("", None), (" \n", None), (" 小熊 bear ", "小熊 bear")])
def test_a_prompt_of_spaces_is_none(prompt: str, told: str | None) -> None:
    assert hints(wanted(prompt=prompt), None).prompt == told


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"temperature": math.nan}, "temperature", None),
        ({"timestamp_granularities": ("word",), "response_format": "srt"}, "timestamp_granularities", None),
        ({"include": ("logprobs",), "response_format": "vtt"}, "include", None),
        ({"language": "klingon"}, "language", "invalid_language_format"),
        ({"languages": ("en", "klingon")}, "languages", "invalid_language_format"),
        ({"language": "en", "languages": ("klingon",)}, "languages", "invalid_language_format"),
        ({"chunking_strategy": ""}, "chunking_strategy", None),
        ({"chunking_strategy": "{}"}, "chunking_strategy", None),
        ({"chunking_strategy": "[]"}, "chunking_strategy", None),
        ({"chunking_strategy": "\ud800"}, "chunking_strategy", None),
        ({"chunking_strategy": '{"type":"server_vad","threshold":1.1}'}, "chunking_strategy", None),
        ({"chunking_strategy": '{"type":"server_vad","silence_duration_ms":-1}'}, "chunking_strategy", None),
    ],
)
def test_what_cannot_be_served_is_refused_by_its_field(fields: dict[str, Any], param: str, code: str | None) -> None:
    with pytest.raises(BadRequest) as caught:
        hints(wanted(**fields), "en")

    assert (caught.value.body["param"], caught.value.body["code"]) == (param, code)
