"""The way of one stream's events to the caller: judged, mended, strained, and counted.

Most events of a stream differ in their words alone. Once one of them was read and found to be in order, those cast in
the same mould are not decoded any more, and several that came together are one piece of work.
"""

import re
from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import UNSET

from chassis.errors import ApiError
from chassis.upstream.refusals.complaints import Complaint
from llm.answer.dialects import understood
from llm.answer.filter import Strainer
from llm.answer.frames import DONE, Event, Objects
from llm.answer.letters import decoded, is_strict, whole
from llm.answer.mend import REASONING, ChunkMender, check_whole
from llm.answer.mould import BEGIN, END, PADDED, PADDING, Mould, are_whole, text_of
from llm.answer.plain_chunk import PlainChunk, plain_chunk
from llm.answer.usage import Tally, usage_of

Judge = Callable[[Complaint], ApiError]
"""Tells what an error object of an upstream means."""

_LINE_ENDS = re.compile("[\u2028\u2029\x85]")
"""Characters at which some clients cut lines."""
_COMPLAINTS = ("errors", "message", "msg", "error_msg", "errorMessage", "detail", "error_code")
_FAILED = ("error", "failed", "fail")
_SPOKEN = ("tool_calls", "function_call", "refusal", "audio")


class Passage:
    """Turns the events of one upstream's stream into those for the caller.

    Args:
        model: The model that was asked.
        judge: Tells what an error object inside the stream means.
        usage: Called for the counts to show where the upstream sends none; None: the caller wants no usage.
    """

    def __init__(
        self,
        model: str,
        strainer: Strainer,
        judge: Judge,
        tally: Tally,
        usage: Callable[[], dict[str, Any]] | None = None,
    ) -> None:
        self.strainer, self.done = strainer, False
        self.spoken = False
        """Something was said that the caller waited for."""
        self.reason: str | None = None
        """The reason to end that came last."""
        self._mender, self._judge, self._tally, self._usage = ChunkMender(model), judge, tally, usage
        self._mould: Mould | None = None
        self._shows_usage = False
        self.counts: dict[str, Any] | None = None
        """The usage that the upstream sent last."""

    @property
    def begun(self) -> bool:
        """True once a chunk of an answer came."""
        return bool(self._mender.choices)

    @property
    def finished(self) -> bool:
        """True once each choice has its reason to end."""
        return self.begun and all(choice.finished for choice in self._mender.choices.values())

    def cast(self, events: bytes) -> bytes | None:
        """Return what to send for events that differ from the one before in their words alone; None for any others.

        Args:
            events: The bytes of one or more whole events.
        """
        mould = self._mould
        if mould is None or not events.startswith(mould.before):
            return None
        end = events.rfind(PADDING) if mould.is_padded else len(events)
        if not events.endswith(mould.after, len(mould.before), max(end, 0)):
            return None
        words, padding = events[len(mould.before) : end - len(mould.after)], events[end:]
        parts = words.split(mould.after + mould.before)
        if len(parts) > 1:
            words = b"".join(parts)
        text = text_of(words)
        if text is None or (padding and not PADDED.fullmatch(padding)):
            return None
        self._tally.pieces += len(parts)
        said = text if self.strainer.idle else self.strainer.text(mould.choice, text)
        if not said:
            self._note_thoughts()
            return b""
        self.spoken = self.spoken or not said.isspace()
        if said == text and (text.isascii() or not _LINE_ENDS.search(text)):
            if mould.is_whole and (len(parts) == 1 or are_whole(parts)):
                return events
            return b"%b%b%b%b" % (mould.out_before, words, mould.out_after, padding)
        return b"%b%b%b%b" % (mould.out_before, _literal(said), mould.out_after, padding)

    def add(self, came: Event) -> bytes:
        """Return what to send for an event, if anything.

        Raises:
            ApiError: The event is an error.
        """
        if came.data == DONE:
            self.done = True
            return b""
        if self._mould is not None and (out := self.cast(BEGIN + came.data + END)) is not None:
            return out
        return self._read(came)

    def end(self) -> bytes:
        """Return the end of the stream: what was held back, reasons to end that are missing, usage, `[DONE]`."""
        out = []
        for index, choice in self._mender.choices.items():
            if not choice.finished:
                reason = "tool_calls" if choice.calls else "stop"
                ending = self.strainer.choice({"index": index, "delta": {}, "finish_reason": reason})
                self._note(ending)
                out.append(_event(self._mender.single(ending)))
        if self._usage is not None and not self._shows_usage:
            usage = self.counts or self._usage()
            out.append(_event(self._mender.frame | {"choices": [], "usage": usage}))
        return b"".join(out) + BEGIN + DONE + END

    def _read(self, came: Event) -> bytes:
        if not came.is_error and (chunk := plain_chunk(came.data)) is not None and self._mender.takes(chunk):
            return self._read_plain(chunk, came.data)
        sent = decoded(came.data) if came.data else {}
        if sent is None or came.data.startswith(b"["):
            return self._read_apart(came)
        raw = understood(sent)
        is_own = raw is sent and came.data.startswith(b"{") and is_strict(came.data)
        self._look_for_error(raw, came)
        self._tally.chunk(raw)
        begun = {index for index, choice in self._mender.choices.items() if choice.begun and not choice.finished}
        chunks = self._mender.chunk(raw)
        if usage := usage_of(raw.get("usage")):
            self.counts = usage
            self._shows_usage = self._shows_usage or bool(chunks)
        as_it_came = raw if is_own else {}
        out = [event for chunk in chunks if (event := self._strained(chunk, as_it_came, came.data))]
        self._mould = self._mould_of(came.data, raw, chunks, begun) if is_own else None
        self._note_thoughts()
        return b"".join(out)

    def _read_apart(self, came: Event) -> bytes:
        """Read the objects in data that is more than one, or has something beside it."""
        if objects := [each for each in Objects().add(came.data) if decoded(each) is not None]:
            ended = [Event(DONE)] if came.data.endswith(DONE) else []
            return b"".join(map(self.add, [*(Event(each, came.is_error) for each in objects), *ended]))
        if came.is_error:
            raise self._judge(Complaint(came.data.decode("utf-8", "replace")))
        return b""

    def _read_plain(self, chunk: PlainChunk, data: bytes) -> bytes:
        """Read a chunk that needs no mending, but perhaps to be told who speaks."""
        choice, state = chunk.choices[0], self._mender.choices[0]
        delta, ended, was_begun = choice.delta, choice.finish_reason is not None, state.begun
        self._tally.pieces += bool(delta.content)
        text = said = delta.content or ""
        if not self.strainer.idle and (ended or delta.content is not UNSET):
            said = self.strainer.text(0, text)
            said += self.strainer.rest(0, choice.finish_reason) if choice.finish_reason else ""
        is_words = delta.role is UNSET and delta.refusal is UNSET and bool(text)
        is_changed = said != text or was_begun != (delta.role is UNSET)
        if said != text:
            delta.content = said
        delta.role = UNSET if was_begun else "assistant"
        state.begun, state.finished = True, ended
        self.reason = choice.finish_reason or self.reason
        self.spoken = self.spoken or bool(said and not said.isspace())
        self._note_thoughts()
        if was_begun and is_words and not ended:
            self._mould = Mould.around(data, 0)
        if was_begun and not said and not ended:
            return b""
        return _event(chunk) if is_changed or not (data.isascii() or _is_sound(data)) else BEGIN + data + END

    def _look_for_error(self, raw: dict[str, Any], came: Event) -> None:
        complaint = complaint_of(raw)
        if complaint is None and came.is_error:
            complaint = Complaint.within(raw) or Complaint()
        if complaint is not None:
            raise self._judge(complaint)
        choices = raw.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                check_whole(choice)

    def _strained(self, chunk: dict[str, Any], raw: dict[str, Any], data: bytes) -> bytes:
        choices = [each if self.strainer.idle else self.strainer.choice(each) for each in chunk["choices"]]
        kept = []
        for choice in choices:
            self._note(choice)
            if choice["finish_reason"] is not None or any(choice["delta"].values()) or choice.get("logprobs"):
                kept.append(choice)
        if not kept and not chunk.get("usage"):
            return b""
        chunk = chunk | {"choices": kept}
        if chunk == raw and (data.isascii() or _is_sound(data)):
            return BEGIN + data + END
        return _event(chunk)

    def _note(self, choice: dict[str, Any]) -> None:
        delta = choice["delta"]
        self.reason = choice["finish_reason"] or self.reason
        said = delta.get("content")
        self.spoken = self.spoken or bool(said and not said.isspace()) or any(delta.get(name) for name in _SPOKEN)
        if not self.strainer.heard:
            self.spoken = self.spoken or any(delta.get(name) for name in REASONING)

    def _note_thoughts(self) -> None:
        """Take a thought for an answer where the caller is no ear: it shows that somebody is there."""
        self.spoken = self.spoken or (self.strainer.thought and not self.strainer.heard)

    def _mould_of(
        self, data: bytes, raw: dict[str, Any], chunks: list[dict[str, Any]], begun: set[int]
    ) -> Mould | None:
        """Learn from a chunk with nothing but words what surrounds them."""
        if len(chunks) != 1 or len(chunks[0]["choices"]) != 1 or chunks[0].get("usage"):
            return None
        choice = chunks[0]["choices"][0]
        plain = choice["finish_reason"] is None and choice["delta"].keys() == {"content"} and not choice.get("logprobs")
        letters = self._mender.choices[choice["index"]].letters.get("content")
        if letters is not None and not letters.empty:
            return None  # the rest of a letter must come first
        if not plain or choice["index"] not in begun or data.count(b'"content"') != 1:
            return None
        empty = None if chunks[0] == raw else _event(chunks[0] | {"choices": [choice | {"delta": {"content": ""}}]})
        return Mould.around(data, choice["index"], empty)


def _event(value: object) -> bytes:
    """Encode one event, on one line for clients that cut at other line ends too."""
    try:
        data = msgspec.json.encode(value)
    except UnicodeEncodeError:  # half a letter
        data = msgspec.json.encode(whole(value))
    if not data.isascii():
        data = _LINE_ENDS.sub(lambda found: f"\\u{ord(found[0]):04x}", data.decode()).encode()
    return BEGIN + data + END


def _literal(text: str) -> bytes:
    """Encode the inside of a JSON string."""
    return _event(text)[len(BEGIN) + 1 : -len(END) - 1]


def _is_sound(data: bytes) -> bool:
    """Tell whether these bytes are letters, and no line of them is cut by a client."""
    try:
        return _LINE_ENDS.search(data.decode()) is None
    except UnicodeDecodeError:
        return False


def complaint_of(raw: dict[str, Any]) -> Complaint | None:
    """Return the error that a chunk or an answer is, in any of the shapes there are; None where it is none."""
    base = raw.get("base_resp")  # MiniMax's way
    if raw.get("error") or (isinstance(base, dict) and base.get("status_code") not in (None, "", "0", 0)):
        return Complaint.within(raw) or Complaint()
    if isinstance(raw.get("choices"), list) or isinstance(raw.get("usage"), dict) or raw.get("type") == "ping":
        return None
    if raw.get("success") is False or raw.get("status") in _FAILED:
        return Complaint.within(raw) or Complaint()
    return Complaint.within(raw) if any(raw.get(name) for name in _COMPLAINTS) else None
