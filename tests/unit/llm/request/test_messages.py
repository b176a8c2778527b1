from typing import Any

import msgspec
import pytest

from llm.request.messages import TOKENS_A_MESSAGE, TOKENS_A_PICTURE, estimated, messages_for
from llm.settings import RelayOptions
from llm.wire import Assistant, Called, Part, System, ToolCall, User
from unit.llm.request.test_body import asked

BEAR = {"role": "system", "content": "You are a bear."}
LINE = "You live in Talkbox."


def said(role: str, content: Any = "x" * 64, **more: Any) -> dict[str, Any]:  # 20 tokens: 16, and 4 for a message
    return {"role": role, "content": content} | more


def calls(*names: str) -> dict[str, Any]:
    made = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in names]
    return said("assistant", None, tool_calls=made)


def told(*messages: dict[str, Any], knows_developer: bool = True, **options: Any) -> Any:
    sent = messages_for(asked(messages=messages), RelayOptions(**options), knows_developer=knows_developer)
    return None if sent is None else [msgspec.json.decode(message) for message in sent]


def test_what_needs_no_change_is_left_to_the_callers_own_bytes() -> None:
    assert told(BEAR, said("user"), history_tokens=1000) is None
    assert told(said("developer"), said("user")) is None


@pytest.mark.parametrize("tokens", range(1, 140, 6))
def test_whatever_the_budget_no_answer_of_a_tool_is_sent_without_its_call(tokens: int) -> None:
    messages = [
        said("user"),
        calls("rain", "wind"),
        said("tool", "wet", tool_call_id="rain"),
        said("tool", "calm", tool_call_id="wind"),
        said("assistant", "It rains."),
        said("user"),
        calls("time"),
        said("tool", "noon", tool_call_id="time"),
    ]
    kept = told(*messages, history_tokens=tokens) or messages

    called = {call["id"] for message in kept for call in message.get("tool_calls", ())}
    assert kept[0]["role"] == "user"
    assert {message["tool_call_id"] for message in kept if message["role"] == "tool"} == called
    assert kept == messages[-len(kept) :]


def test_exactly_what_fits_is_kept_and_the_systems_words_are_paid_for_first() -> None:
    older, newer = said("user", "a" * 64), said("user", "b" * 64)

    assert told(older, newer, history_tokens=40) is None
    assert told(older, newer, history_tokens=39) == [newer]
    assert told(said("system"), older, newer, history_tokens=59) == [said("system"), newer]


def test_nothing_older_is_kept_behind_a_gap() -> None:
    short, long, last = said("user", "hi"), said("user", "y" * 400), said("user")

    assert told(short, long, last, history_tokens=60) == [last]


def test_a_systems_word_in_the_middle_stays_in_its_place() -> None:
    old, last = said("user", "y" * 400), said("user")

    assert told(old, BEAR, last, history_tokens=30) == [BEAR, last]


@pytest.mark.parametrize(
    ("place", "text"), [("before", f"{LINE}\n\nYou are a bear."), ("after", f"You are a bear.\n\n{LINE}")]
)
def test_the_operators_line_stands_where_it_should(place: str, text: str) -> None:
    parts = [{"type": "text", "text": BEAR["content"]}]
    whole = told(BEAR, said("user"), system_prompt=LINE, system_prompt_place=place)
    pieces = told(said("system", parts), said("user"), system_prompt=LINE, system_prompt_place=place)

    assert whole == [said("system", text), said("user")]
    assert "\n\n".join(part["text"] for part in pieces[0]["content"]) == text
    assert told(said("user"), system_prompt=LINE, system_prompt_place=place) == [said("system", LINE), said("user")]


def test_a_developers_words_become_the_systems_and_take_the_operators_line() -> None:
    sent = told(said("developer", "Be brief."), said("user"), knows_developer=False, system_prompt=LINE)

    assert sent == [said("system", f"{LINE}\n\nBe brief."), said("user")]


def test_fields_nobody_here_knows_pass_a_trimmed_conversation() -> None:
    last = said("user", name="Mia", cache_control={"type": "ephemeral"})

    assert told(said("user"), last, history_tokens=1) == [last]


def test_pictures_and_calls_of_tools_count_in_the_estimate() -> None:
    picture = User([Part("text", text="x" * 8), Part("image_url", image_url=msgspec.Raw(b"{}"))])
    call = Assistant(tool_calls=[ToolCall("1", function=Called("f", "x" * 8))])

    assert estimated([picture]) == TOKENS_A_MESSAGE + 2 + TOKENS_A_PICTURE
    assert estimated([call]) == TOKENS_A_MESSAGE + 2 + 8
    assert estimated([System("x" * 8), picture, call]) == sum(
        estimated([each]) for each in (System("x" * 8), picture, call)
    )
