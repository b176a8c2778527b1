"""An answer on its way to a child: each clause is held until the guard has judged it, in a stream and in a whole one.

Only what can be judged goes on: words, refusals, and calls of tools by all texts in them. Thoughts, sound and the
probabilities of tokens are left out.
"""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from chassis.guard.guard import Verdict, Watch
from chassis.guard.held import Held
from chassis.sse import event
from llm.answer.encode import DONE, Reason
from llm.answer.frames import Frames
from llm.answer.letters import decoded

FRAME = ("id", "object", "created", "model", "system_fingerprint", "service_tier", "usage")
"""Fields of an answer that hold no words."""
WORDS = ("content", "refusal")
CALLS = ("tool_calls", "function_call")
_ABOUT_CALLS = ("index", "id", "type")
"""Fields of a call that hold no words."""
REASONS = frozenset(get_args(Reason)) | {"function_call"}
GUARD = "guard"
"""Field beside `choices` that says why an answer was stopped, where its headers have left."""


class Manner(NamedTuple):
    """How the guard speaks in an answer."""

    language: str
    """Text in the child's language."""
    prose: bool = True
    """The answer is words, and not JSON, in which a sentence would be a mistake: that is a refusal then."""
    begun: str = ""
    """The beginning of the answer, where the caller wrote it and the model goes on."""

    @property
    def field(self) -> str:
        """Field of a message that holds what the guard says."""
        return "content" if self.prose else "refusal"


class HeldChoice:
    """One choice of a stream, and what of it is held.

    Args:
        watch: The guard of the request.
    """

    def __init__(self, watch: Watch, manner: Manner) -> None:
        self._watch, self._manner = watch, manner
        self._held: dict[str, Held[Verdict]] = {name: watch.held("answered", manner.begun) for name in WORDS}
        self._calls: list[dict[str, Any]] = []
        self._called: dict[Any, str] = {}
        """Texts of each call, by its number."""
        self._said = ""
        self._opening: dict[str, Any] = {}
        """Who speaks, which leaves with the first words."""
        self.verdict: Verdict | None = None

    async def add(self, delta: dict[str, Any], reason: str | None) -> list[tuple[dict[str, Any], str | None]]:
        """Return deltas that may be sent, each with its reason to end."""
        out = dict[str, Any]()
        if "role" in delta:
            self._opening = {"role": "assistant"} | ({"content": ""} if isinstance(delta.get("content"), str) else {})
        for name in WORDS:
            await self._add_words(name, delta, out, last=reason is not None)
        calls = {name: delta[name] for name in CALLS if delta.get(name)}
        if calls and self.verdict is None:
            self._calls.append(calls)
            for number, text in _texts(calls):
                self._called[number] = self._called.get(number, "") + text
        if reason is not None and self._calls and self.verdict is None:
            self.verdict = await self._watch.judge("\n".join(self._called.values()), "answered")
        if out or reason is not None or self.verdict is not None:
            out, self._opening = self._opening | out, {}
        if self.verdict is not None:
            return [(out | self.farewell(self.verdict, out), None), ({}, self.verdict.finish)]
        if reason is None:
            return [(out, None)] if out else []
        reason = reason if reason in REASONS else "stop"
        if reason == "stop" and self._said and (reminder := self._watch.remind(self._manner.language)):
            out["content"] = out.get("content", "") + self._set_off(reminder)
        return [*([(out, None)] if out else []), *((each, None) for each in self._calls), ({}, reason)]

    async def _add_words(self, name: str, delta: dict[str, Any], out: dict[str, Any], *, last: bool) -> None:
        text = delta.get(name)
        if self.verdict is not None or (not isinstance(text, str) and not last):
            return
        held = self._held[name]
        passed = await held.add(text if isinstance(text, str) else "", last=last)
        self.verdict = held.verdict
        if passed:
            out[name] = passed
            self._said += passed

    def farewell(self, verdict: Verdict, last: Mapping[str, str]) -> dict[str, str]:
        """Return the sentence that ends an answer, set off from what was said before it.

        Args:
            last: The last words of the answer, by their field.
        """
        name, sentence = self._manner.field, self._watch.sentence(verdict, self._manner.language)
        return {name: last.get(name, "") + (self._set_off(sentence) if name == "content" else sentence)}

    def _set_off(self, sentence: str) -> str:
        gap = " " if self._said and not self._said[-1].isspace() and sentence.isascii() else ""
        return gap + sentence


async def guarded(
    pieces: AsyncIterator[bytes], watch: Watch, manner: Manner, usage: Callable[[], dict[str, Any] | None]
) -> AsyncIterator[bytes]:
    """Pass the events of an answer on, clause by clause, up to the first that does not pass.

    Args:
        usage: Returns the cost of an answer that ends early, where the caller wants it told.
    """
    frames, choices = Frames(), dict[int, HeldChoice]()
    async for piece in pieces:
        out = b""
        for each in frames.add(piece):
            if (chunk := decoded(each.data)) is None:
                out += DONE if each.data == b"[DONE]" else b""
                continue
            sent, verdict = await _chunk(chunk, choices, watch, manner)
            out += sent
            if verdict is not None:
                yield out + _ending(chunk, choices, verdict, usage())
                return
        if out:
            yield out


async def _chunk(
    chunk: dict[str, Any], choices: dict[int, HeldChoice], watch: Watch, manner: Manner
) -> tuple[bytes, Verdict | None]:
    """Return the events to send for a chunk, and why they are the last ones."""
    frame = {name: chunk[name] for name in FRAME if name in chunk}
    found = chunk.get("choices")
    if not isinstance(found, list) or not found:
        return event(frame | {"choices": []}), None
    out = b""
    for each in found:
        index = each.get("index", 0)
        choice = choices.setdefault(index, HeldChoice(watch, manner))
        for delta, reason in await choice.add(each.get("delta") or {}, each.get("finish_reason")):
            noted = choice.verdict or watch.noted  # the latter alone where the guard only watches
            told = {GUARD: {"kind": noted.kind}} if noted is not None and reason else {}
            sent = {"index": index, "delta": delta, "logprobs": None, "finish_reason": reason}
            out += event(frame | {"choices": [sent]} | told)
        if choice.verdict is not None:
            return out, choice.verdict
        if each.get("finish_reason") is not None:
            del choices[index]
    return out, None


def _ending(
    chunk: dict[str, Any], choices: dict[int, HeldChoice], verdict: Verdict, usage: dict[str, Any] | None
) -> bytes:
    """Return the end of every choice that is still open: what one of them said ends all."""
    frame = {name: chunk[name] for name in FRAME if name in chunk and name != "usage"}
    out = b""
    for index, choice in choices.items():
        if choice.verdict is None:
            said = {"index": index, "delta": choice.farewell(verdict, {}), "logprobs": None}
            out += event(frame | {"choices": [said | {"finish_reason": None}]})
            out += event(frame | {"choices": [said | {"delta": {}, "finish_reason": verdict.finish}]})
    return out + (event(frame | {"choices": [], "usage": usage}) if usage else b"") + DONE


async def guarded_whole(body: bytes, watch: Watch, manner: Manner) -> bytes:
    """Return a whole answer as far as it may be heard."""
    answer: dict[str, Any] = msgspec.json.decode(body)
    out = {name: answer[name] for name in FRAME if name in answer}
    shown = []
    for number, each in enumerate(answer["choices"]):
        choice, index = HeldChoice(watch, manner), each.get("index", number)
        message: dict[str, Any] = {"role": "assistant", "content": None, "refusal": None}
        reason = None
        for delta, end in await choice.add(each["message"], each.get("finish_reason") or "stop"):
            message |= {name: value for name, value in delta.items() if value or message.get(name) is None}
            reason = end or reason
        if choice.verdict is not None:
            out |= {GUARD: {"kind": choice.verdict.kind}}
            message["content"] = message["content"] if manner.prose else None
        shown.append({"index": index, "message": message, "logprobs": None, "finish_reason": reason})
    return msgspec.json.encode(out | {"choices": shown})


def _texts(calls: dict[str, Any]) -> Iterator[tuple[Any, str]]:
    """Yield all texts in calls of tools, with the number of each call: names, arguments, whatever else there is."""
    found = [*(calls.get("tool_calls") or ()), calls.get("function_call")]
    for place, each in enumerate(found):
        if isinstance(each, dict):
            parts = [value for name, value in each.items() if name not in _ABOUT_CALLS]
            words = [list(part.values()) if isinstance(part, dict) else part for part in parts]
            yield each.get("index", place), "".join(_strings(words))


def _strings(value: Any) -> Iterator[str]:
    """Yield the texts in a value of JSON, names of fields among them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in (*value, *value.values()) if isinstance(value, dict) else value:
            yield from _strings(each)
