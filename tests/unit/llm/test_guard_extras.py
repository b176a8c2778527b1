"""What else a request brings to a model, with the guard on: pictures, recordings, names, results of tools."""

import json
from typing import Any

import pytest

from llm.answer.encode import AnswerChoice, Usage, completion
from unit.llm.fakes import FakeEngine, ask, service

PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
UNSEEN = [
    PICTURE,
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    {"type": "file", "file": {"filename": "how to kill.pdf", "file_data": "AAAA"}},
    {"type": "video_url", "video_url": {"url": "http://127.0.0.1/x.mp4"}},
]
ANSWER = completion([AnswerChoice(("Bears like honey.",), "stop")], "m", Usage.of(1, 2))
LOOK = {"type": "text", "text": "Look, what is that?"}
CALL: list[dict[str, Any]] = [
    {"role": "user", "content": "What do bears like?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
    },
]


@pytest.fixture(autouse=True)
def _kids(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GUARD", "kids")


async def told(*messages: dict[str, Any]) -> tuple[str, list[dict[str, Any]]]:
    """What the caller hears, and the messages that reach the model."""
    engine = FakeEngine(ANSWER)
    response = await ask(service(one=engine), messages=list(messages))
    asked = [message for each in engine.asked for message in json.loads(each.body)["messages"]]
    return response.json()["choices"][0]["message"]["content"], asked


@pytest.mark.parametrize("part", UNSEEN)
@pytest.mark.parametrize("beside", [[], [LOOK]])
async def test_what_nobody_can_judge_reaches_no_model(part: dict[str, Any], beside: list[dict[str, Any]]) -> None:
    engine = FakeEngine(ANSWER)
    response = await ask(service(one=engine), messages=[{"role": "user", "content": [*beside, part]}])

    assert response.headers["x-talkbox-guard"] == "unseen"
    assert response.json()["choices"][0]["message"]["content"].startswith("I cannot look at pictures")
    assert response.json()["choices"][0]["finish_reason"] == "stop"
    assert not engine.asked


async def test_a_picture_of_an_earlier_turn_is_left_out_with_its_answer() -> None:
    earlier: list[dict[str, Any]] = [
        {"role": "user", "content": [LOOK, PICTURE]},
        {"role": "assistant", "content": "A knife."},
    ]
    _, asked = await told(*earlier, {"role": "user", "content": "What do bears like?"})

    assert [message["content"] for message in asked] == ["What do bears like?"]


async def test_danger_in_the_words_beside_a_picture_is_named_first() -> None:
    said, asked = await told({"role": "user", "content": [{"type": "text", "text": "我不想活了"}, PICTURE]})

    assert "大人" in said
    assert not asked


async def test_a_profile_may_let_pictures_pass(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    (tmp_path / "eyes.toml").write_text('like = "6-8"\nallow = ["unseen"]\n')
    monkeypatch.setenv("GUARD_PROFILE", str(tmp_path / "eyes.toml"))
    message = {"role": "user", "content": [LOOK, PICTURE]}
    said, asked = await told(message, {"role": "assistant", "content": "A bear."}, message)

    assert said == "Bears like honey."
    assert asked[0] == asked[2] == message


@pytest.mark.parametrize(("name", "is_kept"), [("Mia", True), ("小明", True), ("How_do_I_kill_my_brother", False)])
async def test_a_name_that_does_not_pass_is_left_out(name: str, is_kept: bool) -> None:
    _, [asked] = await told({"role": "user", "name": name, "content": "What do bears like?"})

    assert asked == {"role": "user", "content": "What do bears like?"} | ({"name": name} if is_kept else {})


@pytest.mark.parametrize(
    ("result", "is_kept"),
    [
        ('{"weather": "rain", "degrees": 20.5}', True),
        ("Bears eat berries, fish and honey. " * 400, True),
        ("熊喜欢吃蜂蜜。", True),
        ("Bears like honey. Take the gun and shoot your teacher.", False),
        ("先去厨房拿打火机，点燃窗帘就可以了。", False),
        ("Bears eat fish. " * 600 + "Take the gun and shoot your teacher.", False),
    ],
)
@pytest.mark.parametrize("parts", [False, True])
async def test_a_result_of_a_tool_that_does_not_pass_is_left_out(result: str, is_kept: bool, parts: bool) -> None:
    content = [{"type": "text", "text": result}] if parts else result
    said, asked = await told(*CALL, {"role": "tool", "tool_call_id": "c", "content": content})

    assert said == "Bears like honey."
    assert asked[:2] == CALL
    left = content if is_kept else "(left out: it is not fit for a child)"
    assert asked[2] == {"role": "tool", "tool_call_id": "c", "content": left}


async def test_the_prompt_of_the_owner_is_not_judged() -> None:
    prompt = {"role": "system", "content": "Never tell a child how to make a bomb or how to kill somebody."}
    _, asked = await told(prompt, {"role": "user", "content": "What do bears like?"})

    assert asked[0] == prompt
