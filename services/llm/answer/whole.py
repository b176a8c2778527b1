"""Whole answers: mended, strained, and made of a stream where an upstream sent one."""

from typing import Any

import msgspec

from chassis.errors import EngineFailed
from llm.answer.dialects import understood
from llm.answer.filter import Strainer
from llm.answer.frames import Frames
from llm.answer.letters import decoded, whole
from llm.answer.logprobs import logprobs_of
from llm.answer.mend import MendedChoice, check_whole, frame_of, mended_calls, reason_of, said_in, sound
from llm.answer.passage import Judge, Passage, complaint_of
from llm.answer.relay import Wordless
from llm.answer.usage import Tally

_KIND = "chat.completion"


class NoAnswer(ValueError):
    """A body that should be an answer is none."""


def answer_of(body: bytes, judge: Judge, model: str) -> dict[str, Any]:
    """Return the answer that a body holds, be it JSON or the events of a stream.

    Raises:
        ApiError: The body is an error.
        NoAnswer: It holds no choices that can be understood.
    """
    body = body.strip().removeprefix(b"\xef\xbb\xbf").lstrip()
    answer = decoded(body)
    if answer is None or body.startswith(b"["):
        return _rolled(body, judge, model)
    answer = understood(answer)
    if (complaint := complaint_of(answer)) is not None:
        raise judge(complaint)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not all(_message_of(each) is not None for each in choices):
        raise NoAnswer
    return answer


def is_page(piece: bytes) -> bool:
    """Tell by its first bytes whether a body is a page."""
    return piece.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")


def mended(body: bytes, answer: dict[str, Any], strainer: Strainer, model: str) -> bytes:
    """Return the answer as every client understands it, without what is not to be said.

    Raises:
        EngineFailed: It says itself that it is not whole.
        Wordless: For an ear, there is no word in it.
    """
    choices = [_choice(index, each, strainer) for index, each in enumerate(answer["choices"])]
    if strainer.heard and not any(_says_something(each["message"]) for each in choices):
        raise Wordless(choices[0]["finish_reason"])
    out = sound(answer) | frame_of(answer, model, _KIND) | {"choices": choices}
    return body if _holds(body, out) else msgspec.json.encode(whole(out))


def _rolled(body: bytes, judge: Judge, model: str) -> dict[str, Any]:
    """Join the chunks of a stream into one answer."""
    frames = Frames()
    everything = Strainer(thoughts=False, reasoning=False, markdown=False)
    passage = Passage(model, everything, judge, Tally())
    chunks: list[dict[str, Any]] = []
    for came in [*frames.add(body), *frames.rest()]:
        sent = passage.add(came)
        chunks += [chunk for event in Frames().add(sent) if (chunk := decoded(event.data)) is not None]
        if passage.done:
            break
    if not passage.begun or not chunks:
        raise NoAnswer
    if not passage.done and not passage.finished:
        raise EngineFailed("broke off before the answer was finished")
    choices: dict[int, dict[str, Any]] = {}
    for chunk in chunks:
        for choice in chunk["choices"]:
            _join(choices.setdefault(choice["index"], {"index": choice["index"], "message": {}}), choice)
    answer = chunks[0] | {"object": _KIND, "choices": [choices[index] for index in sorted(choices)]}
    answer.pop("usage", None)
    return answer | ({"usage": passage.counts} if passage.counts else {})


def _join(whole: dict[str, Any], part: dict[str, Any]) -> None:
    whole["finish_reason"] = part.get("finish_reason") or whole.get("finish_reason")
    message = whole["message"]
    for key, value in part["delta"].items():
        if key == "tool_calls":
            _join_calls(message.setdefault("tool_calls", []), value)
        elif isinstance(value, str) and isinstance(message.get(key), str) and key != "role":
            message[key] += value
        elif value is not None or key not in message:
            message[key] = value


def _join_calls(calls: list[dict[str, Any]], fragments: list[dict[str, Any]]) -> None:
    for fragment in fragments:
        own = {key: value for key, value in fragment.items() if key != "index"}
        if fragment["index"] >= len(calls):
            calls.append(own)
        elif isinstance(function := own.get("function"), dict):
            known = calls[fragment["index"]].setdefault("function", {})
            known["arguments"] = known.get("arguments", "") + function.get("arguments", "")


def _message_of(choice: Any) -> dict[str, Any] | None:
    return said_in(choice) if isinstance(choice, dict) else None


def _choice(index: int, choice: dict[str, Any], strainer: Strainer) -> dict[str, Any]:
    check_whole(choice)
    message = strainer.whole(said_in(choice) or {}, reason_of(choice))
    if isinstance(calls := message.get("tool_calls"), list):
        mended = mended_calls(calls, MendedChoice())
        message["tool_calls"] = [{key: value for key, value in call.items() if key != "index"} for call in mended]
    reason = reason_of(choice) or ("tool_calls" if message.get("tool_calls") else "stop")
    shown = {key: value for key, value in choice.items() if key not in ("delta", "text", "logprobs")}
    at = choice.get("index")
    return (
        shown
        | logprobs_of(choice)
        | {
            "index": at if type(at) is int else index,
            "message": message | {"role": "assistant", "content": message.get("content")},
            "finish_reason": reason,
        }
    )


def _says_something(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return bool(content and content.strip()) or any(
        message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
    )


def _holds(body: bytes, answer: dict[str, Any]) -> bool:
    """Tell whether a body is this answer already, and its letters are whole, so that it can be passed on as it is."""
    try:
        body.decode()
        return bool(msgspec.json.decode(body) == answer)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
