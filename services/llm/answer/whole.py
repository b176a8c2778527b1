"""Whole answers: mended, strained, and turned into a stream or made of one where an upstream sent the other."""

from collections.abc import Iterator
from typing import Any

import msgspec

from chassis.errors import EngineFailed
from llm.answer.filter import Strainer
from llm.answer.frames import Event, Frames
from llm.answer.letters import decoded, whole
from llm.answer.mend import MendedChoice, check_whole, frame_of, mended_calls, reason_of
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
    answer = decoded(body.strip().removeprefix(b"\xef\xbb\xbf"))
    if answer is None:
        return _rolled(body, judge, model)
    if (complaint := complaint_of(answer)) is not None:
        raise judge(complaint)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not all(isinstance(_message_of(each), dict) for each in choices):
        raise NoAnswer
    return answer


def begins_like_json(piece: bytes) -> bool:
    """Tell by its first bytes whether an answer is one JSON value or a page, and no event stream."""
    return piece.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"[", b"<"))


def mended(body: bytes, answer: dict[str, Any], strainer: Strainer, model: str) -> bytes:
    """Return the answer as every client understands it, without what is not to be said.

    Raises:
        EngineFailed: It says itself that it is not whole.
        Wordless: For an ear, there is no word in it.
    """
    choices = [_choice(index, each, strainer) for index, each in enumerate(answer["choices"])]
    if strainer.heard and not any(_says_something(each["message"]) for each in choices):
        raise Wordless(choices[0]["finish_reason"])
    out = answer | frame_of(answer, model, _KIND) | {"choices": choices}
    return body if out == answer and _is_json(body) else msgspec.json.encode(whole(out))


def unrolled(answer: dict[str, Any]) -> Iterator[Event]:
    """Yield a whole answer as the events of a stream."""
    shared = {key: value for key, value in answer.items() if key not in ("choices", "usage", "object")}
    for index, choice in enumerate(answer["choices"]):
        own = {key: value for key, value in choice.items() if key not in ("message", "delta", "text", "finish_reason")}
        own = {"index": index} | own
        delta = {key: value for key, value in _message_of(choice).items() if value is not None}
        yield _event(shared | {"choices": [own | {"delta": delta, "finish_reason": None}]})
        ending = {"index": own["index"], "delta": {}, "finish_reason": reason_of(choice) or "stop"}
        yield _event(shared | {"choices": [ending]})
    if isinstance(answer.get("usage"), dict):
        yield _event(shared | {"choices": [], "usage": answer["usage"]})


def _event(chunk: dict[str, Any]) -> Event:
    return Event(msgspec.json.encode(whole(chunk)))


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
    whole["finish_reason"] = part["finish_reason"] or whole.get("finish_reason")
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


def _message_of(choice: Any) -> Any:
    if not isinstance(choice, dict):
        return None
    for name in ("message", "delta"):
        if isinstance(choice.get(name), dict):
            return choice[name]
    return {"role": "assistant", "content": choice["text"]} if isinstance(choice.get("text"), str) else None


def _choice(index: int, choice: dict[str, Any], strainer: Strainer) -> dict[str, Any]:
    check_whole(choice)
    message = strainer.whole(_message_of(choice))
    if isinstance(calls := message.get("tool_calls"), list):
        mended = mended_calls(calls, MendedChoice())
        message["tool_calls"] = [{key: value for key, value in call.items() if key != "index"} for call in mended]
    reason = reason_of(choice) or ("tool_calls" if message.get("tool_calls") else "stop")
    shown = {key: value for key, value in choice.items() if key not in ("delta", "text")}
    at = choice.get("index")
    return shown | {
        "index": at if type(at) is int else index,
        "message": message | {"role": "assistant", "content": message.get("content")},
        "finish_reason": reason,
    }


def _says_something(message: dict[str, Any]) -> bool:
    content = message.get("content")
    return bool(content and content.strip()) or any(
        message.get(name) for name in ("tool_calls", "function_call", "refusal", "audio")
    )


def _is_json(body: bytes) -> bool:
    """Tell whether a body can be passed on as it is: its letters are whole."""
    try:
        msgspec.json.decode(body)
        body.decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
