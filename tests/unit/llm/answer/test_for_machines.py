"""What is for machines is not said aloud, wherever its marks are cut."""

import pytest

from llm.answer.for_machines import ForMachines, without_marks
from unit.llm.answer.streams import BEGIN, DONE, END, Relay, chunk, chunks_of, strainer

CALLS = [
    '<tool_call>\n{"name": "f", "arguments": {"a": 1}}\n</tool_call>',
    "<tool_call>f\n<arg_key>a</arg_key>\n<arg_value>1</arg_value>\n</tool_call>",
    "<function=f>\n<parameter=a>1</parameter>\n</function>",
    '[TOOL_CALLS][{"name":"f","arguments":{}}]',
    '<|python_tag|>{"name":"f","parameters":{}}',
    "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>",
    '<｜DSML｜function_calls><｜DSML｜invoke name="f"></｜DSML｜invoke></｜DSML｜function_calls>',
    '<function_calls><invoke name="f"></invoke></function_calls>',
    '<minimax:tool_call><invoke name="f"></invoke></minimax:tool_call>',
    "<|tool_calls_section_begin|><|tool_call_begin|>functions.f:0<|tool_call_argument_begin|>{}<|tool_call_end|>",
    '{"name": "f", "arguments": {"a": 1}}',
    '[{"name": "f"}]',
]
TOKENS = [
    "<|im_end|>",
    "<|eot_id|>",
    "</s>",
    "<|endoftext|>",
    "<end_of_turn>",
    "<｜end▁of▁sentence｜>",
    "[/INST]",
    "<eos>",
]
PROSE = [
    "3 < 5 and 7 > 2.",
    "A [quiet] {odd} line.",
    'She wrote "<tool_call>" on it.',
    "I <3 you.",
    "<",
    "[",
    "{",
    "a\n{b",
]


def heard(text: str, size: int) -> str:
    stage = ForMachines()
    return "".join(stage.add(text[at : at + size]) for at in range(0, len(text), size)) + stage.rest()


@pytest.mark.parametrize("size", [1, 2, 5, 1000])
@pytest.mark.parametrize("call", CALLS)
def test_a_call_of_a_tool_is_not_said(call: str, size: int) -> None:
    assert heard(call, size) == ""
    assert heard(f"Hello there.\n{call}", size).strip() == "Hello there."


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize("token", TOKENS)
def test_the_end_of_a_turn_ends_it(token: str, size: int) -> None:
    assert heard(f"Hello there.{token}user\nGo on", size) == "Hello there."
    assert heard(f"{token}Hello there.", size) == "Hello there."


@pytest.mark.parametrize("size", [1, 2, 1000])
@pytest.mark.parametrize("text", PROSE)
def test_what_only_looks_like_it_is_said(text: str, size: int) -> None:
    assert heard(text, size) == text == without_marks(text)


async def test_a_call_that_nobody_offered_is_no_answer_for_an_ear_and_a_refusal_is_said_aloud() -> None:
    call = {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    relay = Relay(strainer(heard=True))
    await relay.run(BEGIN, chunk(tool_calls=[call]), chunk(refusal="I must not say that."), END, DONE)

    deltas = [choice["delta"] for each in chunks_of(b"".join(relay.out)) for choice in each["choices"]]
    assert not any("tool_calls" in delta for delta in deltas)
    assert "".join(delta.get("content") or "" for delta in deltas) == "I must not say that."


async def test_a_caller_who_offers_tools_gets_calls_however_they_come() -> None:
    call = {"index": 0, "id": "x", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    relay = Relay(strainer(heard=True, tools=True))
    await relay.run(BEGIN, chunk(content=CALLS[0]), chunk(tool_calls=[call]), END, DONE)

    out = b"".join(relay.out)
    assert b"<tool_call>" in out
    assert b'"tool_calls":[' in out
