import json
from typing import Any

import msgspec
import pytest

from chassis.settings import SettingError
from llm.request.body import body_for, heard
from llm.request.providers import PROVIDERS, Mind
from llm.request.reasoning import thinks_untold
from llm.settings import OPENING, RelayOptions, fields_of
from llm.wire import Asked, ChatRequest
from unit.llm.fakes import HELLO

PLAIN = RelayOptions(max_tokens="off", temperature="off")


def asked(**changes: Any) -> Asked:
    body = json.dumps(HELLO | changes).encode()
    return Asked(msgspec.json.decode(body, type=ChatRequest), body)


def sent(name: str = "", model: str = "any", options: RelayOptions = PLAIN, **changes: Any) -> dict[str, Any]:
    mind = PROVIDERS.get(name, Mind(None))
    sent: dict[str, Any] = json.loads(body_for(asked(**changes), model, options, mind, name))
    return sent


QUIET = RelayOptions(max_tokens="off", temperature="off", thinking="off")


@pytest.mark.parametrize(
    ("name", "model", "added"),
    [
        ("deepseek", "any", {"thinking": {"type": "disabled"}}),
        ("kimi", "any", {"thinking": {"type": "disabled"}}),
        ("qwen", "any", {"enable_thinking": False}),
        ("glm", "any", {"thinking": {"type": "disabled"}}),
        ("ollama", "any", {"reasoning_effort": "none"}),
        ("vllm", "any", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("openai", "gpt-4o-mini", {}),
        ("openai", "o4-mini", {"reasoning_effort": "low"}),
        ("openai", "gpt-5-mini", {"reasoning_effort": "minimal"}),
        ("openai", "gpt-5.1", {"reasoning_effort": "none"}),
        ("mine", "any", {}),
    ],
)
def test_thinking_is_switched_off_in_the_words_of_each_provider_and_of_no_other(
    name: str, model: str, added: dict[str, Any]
) -> None:
    assert sent(name, model, QUIET) == HELLO | {"model": model} | added
    assert sent(name, model) == HELLO | {"model": model}


def test_a_caller_who_speaks_of_thinking_has_the_last_word() -> None:
    assert sent("qwen", options=QUIET, enable_thinking=True)["enable_thinking"] is True
    assert "thinking" not in sent("deepseek", options=QUIET, reasoning_effort="high")


@pytest.mark.parametrize(
    ("options", "changes", "wish"),
    [
        (RelayOptions(), {}, "aside"),
        (RelayOptions(), {"reasoning_effort": "high"}, "show"),
        (RelayOptions(for_the_ear=True), {}, "off"),
        (RelayOptions(for_the_ear=True), {"reasoning_effort": "high"}, "off"),
        (RelayOptions(for_the_ear=True, thinking="hide"), {}, "hide"),
        (RelayOptions(thinking="show"), {}, "show"),
    ],
)
def test_what_becomes_of_thoughts(options: RelayOptions, changes: dict[str, Any], wish: str) -> None:
    assert heard(asked(**changes).wanted, options) == wish


@pytest.mark.parametrize(
    ("model", "thinks"),
    [("deepseek-r1:7b", True), ("Qwen/QwQ-32B", True), ("qwen3-4b-thinking-2507", True), ("deepseek-reasoner", True),
     ("deepseek-flash", False), ("r1chard", False), ("qwen3:8b", False)],
)  # fmt: skip
def test_models_that_begin_inside_a_thought_are_known_by_name(model: str, thinks: bool) -> None:
    assert thinks_untold(model) == thinks


def test_the_limit_of_tokens_has_the_name_the_upstream_knows() -> None:
    assert sent("deepseek", max_completion_tokens=5) == HELLO | {"max_tokens": 5}
    assert sent("deepseek", max_completion_tokens=5, max_tokens=9) == HELLO | {"max_tokens": 5}
    assert sent("openai", "o3-mini", max_tokens=5) == HELLO | {"model": "o3-mini", "max_completion_tokens": 5}
    assert sent("mine", max_completion_tokens=5) == HELLO | {"max_completion_tokens": 5}


def test_a_developer_is_the_system_where_nobody_knows_that_role() -> None:
    messages = [{"role": "developer", "content": "Be brief.", "name": "x"}, *HELLO["messages"]]

    assert sent("deepseek", messages=messages)["messages"][0] == messages[0] | {"role": "system"}
    assert sent("openai", messages=messages)["messages"] == messages


def test_the_operators_lines_stand_in_the_one_system_message() -> None:
    before = RelayOptions(system_prompt="You live in Talkbox.")
    after = RelayOptions(system_prompt="You live in Talkbox.", system_prompt_place="after", for_the_ear=True)
    bear = {"role": "system", "content": "You are a bear."}

    def first(options: RelayOptions, *messages: dict[str, Any]) -> Any:
        return sent(options=options, messages=[*messages, *HELLO["messages"]])["messages"][0]["content"]

    assert first(before) == "You live in Talkbox."
    assert first(before, bear) == "You live in Talkbox.\n\nYou are a bear."
    assert first(after, bear) == f"You are a bear.\n\nYou live in Talkbox.\n\n{OPENING}"
    parts = first(before, {"role": "system", "content": [{"type": "text", "text": "You are a bear."}]})
    assert [part["text"] for part in parts] == ["You live in Talkbox.", "You are a bear."]


def test_the_line_for_the_ear_can_be_changed_or_left_out_and_is_not_for_json() -> None:
    changed = RelayOptions(for_the_ear=True, opening="Be short.")
    off = RelayOptions(for_the_ear=True, opening="off")

    assert sent(options=changed)["messages"][0] == {"role": "system", "content": "Be short."}
    assert sent(options=off)["messages"] == HELLO["messages"]
    assert sent(options=changed, response_format={"type": "json_object"})["messages"] == HELLO["messages"]


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def test_history_is_trimmed_to_its_budget_and_a_tool_call_keeps_its_answer() -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    messages = [
        {"role": "system", "content": "You are a bear."},
        user("old " * 100),
        {"role": "assistant", "content": "older"},
        user("What is the weather?"),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "rain " * 20},
        {"role": "assistant", "content": "It rains."},
        user("And now?"),
    ]

    def kept(tokens: int) -> list[int]:
        options = RelayOptions(history_tokens=tokens)
        return [messages.index(message) for message in sent(options=options, messages=messages)["messages"]]

    assert kept(1000) == list(range(8))
    assert kept(100) == [0, 3, 4, 5, 6, 7]
    assert kept(50) == [0, 7]
    assert kept(1) == [0, 7]


def test_fields_of_the_operators_own_are_sent_where_the_caller_says_nothing() -> None:
    options = RelayOptions(max_tokens="off", temperature="off", extra='{"enable_search": true, "top_p": 0.5}')

    assert sent(options=options) == HELLO | {"enable_search": True, "top_p": 0.5}
    assert sent(options=options, top_p=1) == HELLO | {"enable_search": True, "top_p": 1}
    with pytest.raises(SettingError, match="LLM_EXTRA"):
        fields_of("[1]")
