import json
from typing import Any

from llm.answer.encode import AnswerChoice, Usage, completion, events

HI = AnswerChoice(("你好", "!"), "stop")
CUT = AnswerChoice(("one",), "length")


def chunks(*choices: AnswerChoice, usage: Usage | None = None) -> list[Any]:
    sent = list(events(choices, "m", usage))
    assert sent.pop() == b"data: [DONE]\n\n"
    assert all(event.startswith(b"data: ") and event.endswith(b"\n\n") and event.count(b"\n") == 2 for event in sent)
    return [json.loads(event.removeprefix(b"data: ")) for event in sent]


def test_a_whole_answer_has_every_required_key() -> None:
    whole = json.loads(completion([HI, CUT], "m", Usage.of(2, 3)))

    assert whole["object"] == "chat.completion"
    assert whole["id"].startswith("chatcmpl-")
    assert whole["usage"] == {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}
    assert whole["choices"] == [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "你好!", "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
        },
        {
            "index": 1,
            "message": {"role": "assistant", "content": "one", "refusal": None},
            "logprobs": None,
            "finish_reason": "length",
        },
    ]


def test_a_stream_gives_role_words_and_reason_in_this_order() -> None:
    sent = chunks(HI)

    assert [chunk["choices"][0]["delta"] for chunk in sent] == [
        {"role": "assistant", "content": ""},
        {"content": "你好"},
        {"content": "!"},
        {},
    ]
    assert [chunk["choices"][0]["finish_reason"] for chunk in sent] == [None, None, None, "stop"]
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in sent}) == 1
    assert not any("usage" in chunk for chunk in sent)


def test_no_choice_begins_before_the_one_ahead_of_it() -> None:
    indexes = [chunk["choices"][0]["index"] for chunk in chunks(HI, CUT)]

    assert indexes == [0, 1, 0, 0, 0, 1, 1]


def test_usage_is_a_chunk_of_its_own_and_null_before() -> None:
    *before, last = chunks(HI, usage=Usage.of(1, 2))

    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 3
    assert all(chunk["usage"] is None for chunk in before)


def test_events_are_plain_ascii() -> None:
    assert b"".join(events([HI], "m", None)).isascii()
