import json
from pathlib import Path
from typing import Any

import pytest
from deploy import warm
from deploy.folotoy_environment import compose_settings
from deploy.folotoy_files import BrokenFile
from deploy.folotoy_roles import roles
from deploy.talk import TurnFailed
from deploy.warm import Greeting, greetings, say

from unit.deploy.fakes import Answer, proxy

BEAR = {"start_text": "你好，我是小熊。", "tts_config": {"model": "tts-1", "voice_name": "bunny", "speed": 0.9}}


def saved(path: Path, value: Any) -> Path:
    (path / "roles.json").write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path / "roles.json"


def test_a_greeting_is_said_as_its_role_says_it_whole_and_in_pieces() -> None:
    assert list(greetings(BEAR)) == [
        Greeting("你好，我是小熊。", "tts-1", "bunny", 0.9),
        Greeting("你好，", "tts-1", "bunny", 0.9),
        Greeting("我是小熊。", "tts-1", "bunny", 0.9),
    ]


def test_what_a_role_leaves_out_is_what_folotoy_server_would_send() -> None:
    assert list(greetings({"start_text": "Hello!"})) == [Greeting("Hello!", "tts-1", "alloy", 1.0)]


@pytest.mark.parametrize("role", [{}, {"start_text": " "}, {"start_text": "Hi", "tts_type": "edge-tts"}])
def test_a_role_without_words_or_with_another_mouth_is_left_alone(role: dict[str, Any]) -> None:
    assert list(greetings(role)) == []


@pytest.mark.parametrize("config", [None, "nova", ["nova"], {"speed": "fast"}, {"speed": [1]}, {"speed": 10**400}])
def test_a_role_with_a_slip_in_its_mouth_is_said_as_usual(config: Any) -> None:
    assert list(greetings({"start_text": "Hi", "tts_config": config})) == [Greeting("Hi", "tts-1", "alloy", 1.0)]


def test_a_toy_of_its_own_has_its_role_with_what_differs(tmp_path: Path) -> None:
    path = saved(tmp_path, {"1": BEAR, "toys": {"SN1": {"1": {"start_text": "嗨！"}, "2": {"start_text": "Hey!"}}}})

    assert [greeting.body for role in roles(path)[1:] for greeting in greetings(role)] == [
        {"model": "tts-1", "voice": "bunny", "input": "嗨！", "speed": 0.9},
        {"model": "tts-1", "voice": "alloy", "input": "Hey!", "speed": 1.0},
    ]


def test_the_roles_that_come_with_talkbox_are_roles() -> None:
    assert len([greeting for role in roles(warm.EXAMPLE) for greeting in greetings(role)]) >= 7


@pytest.mark.parametrize("value", [[], 3, {"toys": 3}])
def test_a_file_that_is_none_is_said(value: Any, tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match=r"roles\.json"):
        roles(saved(tmp_path, value))
    with pytest.raises(BrokenFile, match="cannot be read"):
        roles(tmp_path / "nowhere.json")


BROKEN = [
    ('{\n  "1": {"start_text": "Hi",}\n}', 2, "comma"),
    ('{\n  "1": {\n    "start_text": "Hi",\n  }\n}', 3, "one too many"),
    ('{\n  // the bear\n  "1": {}\n}', 2, "no comments"),
    ('{\n  "1": {},  // the bear\n  "2": {}\n}', 2, "no comments"),
    ("{\n  “1”: {}\n}", 2, "straight quotes"),
    ("{\n  '1': {}\n}", 2, "double quotes"),
    ('{\n  "1"： {}\n}', 2, "English keyboard"),
    ('{\n  "1": {}，\n  "2": {}\n}', 2, "English keyboard"),
    ('{\n  "1": {}\n  "2": {}\n}', 2, "comma is missing"),
    ("", 1, "empty"),
]


@pytest.mark.parametrize(("text", "line", "cure"), BROKEN)
def test_a_file_that_json_refuses_is_named_with_line_and_cure(text: str, line: int, cure: str, tmp_path: Path) -> None:
    (tmp_path / "roles.json").write_text(text, encoding="utf-8")

    with pytest.raises(BrokenFile, match=rf"roles\.json:{line}: .*{cure}"):
        roles(tmp_path / "roles.json")


def test_a_file_in_gbk_says_so_and_a_byte_order_mark_is_none_of_its_faults(tmp_path: Path) -> None:
    (tmp_path / "roles.json").write_bytes('{\n"1": {"start_text": "你好"}}'.encode("gbk"))
    with pytest.raises(BrokenFile, match=":2: it is not UTF-8"):
        roles(tmp_path / "roles.json")

    (tmp_path / "roles.json").write_bytes('\ufeff{"1": {"start_text": "你好"}}'.encode())
    assert len(roles(tmp_path / "roles.json")) == 1


def test_a_single_role_without_a_number_is_no_file_of_roles(tmp_path: Path) -> None:
    with pytest.raises(BrokenFile, match="single role"):
        roles(saved(tmp_path, BEAR))


def test_the_older_form_says_voice_and_speed_on_the_role_itself() -> None:
    old = {"start_text": "Hi", "voice_name": "zh-CN-XiaoxiaoNeural", "model": "tts-1-hd", "speed": 1.2}

    assert list(greetings(old)) == [Greeting("Hi", "tts-1-hd", "zh-CN-XiaoxiaoNeural", 1.2)]
    assert next(greetings(old | {"tts_config": {"voice_name": "nova"}})).voice == "nova"


IN_FORM_OF_A_MAP = """
services:
  folotoy:
    environment:
      OPENAI_TTS_VOICE_NAME: nova  # hers
      OPENAI_TTS_MODEL: 'kokoro'
      SENTENCE_SEPARATORS: "。;"
      TTS_TYPE: openai-tts
"""
IN_FORM_OF_A_LIST = """
services:
  folotoy:
    environment:
      - OPENAI_TTS_VOICE_NAME=${VOICE:-nova}
      - OPENAI_TTS_MODEL=kokoro
      - SENTENCE_SEPARATORS=。;
      - TTS_TYPE=openai-tts
"""


@pytest.mark.parametrize("compose", [IN_FORM_OF_A_MAP, IN_FORM_OF_A_LIST])
@pytest.mark.parametrize("folder", [".", "config"])
def test_what_a_role_does_not_say_the_compose_file_says(compose: str, folder: str, tmp_path: Path) -> None:
    (tmp_path / "docker-compose.yml").write_text(compose, encoding="utf-8")
    (tmp_path / folder).mkdir(exist_ok=True)
    path = saved(tmp_path / folder, {"1": {"start_text": "你好，熊。再见;"}})

    said = [greeting for role in roles(path) for greeting in greetings(role, compose_settings(path))]

    assert [greeting.text for greeting in said] == ["你好，熊。再见;", "你好，熊。", "再见;"]
    assert {(greeting.model, greeting.voice) for greeting in said} == {("kokoro", "nova")}


def test_where_the_compose_file_says_edge_tts_the_roles_do_not_speak_by_talkbox() -> None:
    assert list(greetings({"start_text": "Hi"}, {"TTS_TYPE": "edge-tts"})) == []
    assert list(greetings({"start_text": "Hi", "tts_type": "openai-tts"}, {"TTS_TYPE": "edge-tts"}))


def test_a_file_without_a_word_to_say_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ROLES", str(saved(tmp_path, {})))

    assert warm.main() == 1
    assert "nothing to say" in capsys.readouterr().err


def speaking(status: int = 200, body: bytes = b"1234567890") -> Answer:
    def answer(number: int) -> tuple[int, dict[str, str], bytes]:
        kept = "hit" if number > 1 else "miss"
        return status, {"content-length": "10", "x-talkbox-engine": "edge", "x-talkbox-cache": kept}, body

    return answer


def test_who_spoke_and_whether_it_was_kept_is_told() -> None:
    with proxy(speaking()) as (talkbox, seen):
        told = [say(talkbox, Greeting("Hi", "tts-1", "alloy", 1.0)) for _ in range(2)]

    assert [line.split(maxsplit=1) for line in told] == [["edge", "is kept"], ["edge", "was there"]]
    assert json.loads(seen[0]) == {"model": "tts-1", "voice": "alloy", "input": "Hi", "speed": 1.0}


def test_an_answer_that_breaks_off_or_fails_is_a_failure() -> None:
    for answer in (speaking(body=b"12345"), speaking(503)):
        with proxy(answer) as (talkbox, _), pytest.raises(TurnFailed):
            say(talkbox, Greeting("Hi", "tts-1", "alloy", 1.0))
