"""Answers to a chat as vendors, gateways and small servers really send them: every one says the same.

`READABLE` has those whose words can be known, by name: the body, and its label where that is none of an event stream.
`BROKEN` has bodies that are no answer at all, or one that says itself that it failed.
"""

import base64
import json
import struct
import zlib
from collections.abc import Callable, Iterable
from typing import Any

from imitations.upstream import Manner

WORDS = ("Hello", " there", ", friend", ".")
TEXT = "".join(WORDS)
SECRET = "SECRET"
"""A thought, which nobody may hear."""
FRAME = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "m"}


def packed(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def chunk(delta: Any, reason: Any = None, **choice: Any) -> dict[str, Any]:
    return FRAME | {"choices": [{"index": 0, "delta": delta, "finish_reason": reason} | choice]}


ROLE, END = chunk({"role": "assistant", "content": ""}), chunk({}, "stop")
CHUNKS = [ROLE, *(chunk({"content": word}) for word in WORDS), END]
WHOLE = FRAME | {
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": TEXT}, "finish_reason": "stop"}],
}


def stream(
    chunks: Iterable[Any] = CHUNKS, begin: bytes = b"data: ", end: bytes = b"\n\n", done: bytes = b"[DONE]"
) -> bytes:
    return b"".join(begin + packed(each) + end for each in chunks) + (begin + done + end if done else b"")


def _lines(values: Iterable[Any]) -> bytes:
    return b"".join(packed(value) + b"\n" for value in values)


def _words(say: Callable[[str], Any]) -> bytes:
    return stream([ROLE, *map(say, WORDS), END])


def _each(**fields: Any) -> bytes:
    return stream([each | fields for each in CHUNKS])


def _choices(change: Callable[[dict[str, Any]], Any]) -> bytes:
    return stream([each | {"choices": change(each["choices"][0])} for each in CHUNKS])


def _last(**fields: Any) -> bytes:
    return stream([*CHUNKS, FRAME | {"choices": []} | fields])


def _chunked(body: bytes, extension: bytes = b"") -> bytes:
    parts = [body[at : at + 50] for at in range(0, len(body), 50)]
    return b"".join(b"%x%b\r\n%b\r\n" % (len(part), extension, part) for part in [*parts, b""])


def _amazons(payload: bytes) -> bytes:
    pairs = ((b":event-type", b"chunk"), (b":message-type", b"event"))
    headers = b"".join(bytes([len(name)]) + name + b"\7" + struct.pack(">H", len(told)) + told for name, told in pairs)
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _named(*events: dict[str, Any]) -> bytes:
    return b"".join(b"event: %b\ndata: %b\n\n" % (each["type"].encode(), packed(each)) for each in events)


def _ollama(text: str, done: bool = False, **more: Any) -> dict[str, Any]:
    reason = {"done_reason": "stop", "prompt_eval_count": 3, "eval_count": 4} if done else {}
    return {"model": "m", "message": {"role": "assistant", "content": text} | more, "done": done} | reason


def _gemini(text: str, reason: str | None = None, **part: Any) -> dict[str, Any]:
    candidate = {"content": {"parts": [{"text": text} | part], "role": "model"}, "index": 0}
    return {"candidates": [candidate | ({"finishReason": reason} if reason else {})], "modelVersion": "g"}


OLLAMA = [*map(_ollama, WORDS), _ollama("", done=True)]
GEMINI = [_gemini(SECRET, thought=True), *map(_gemini, WORDS[:-1]), _gemini(WORDS[-1], "STOP")]
ANTHROPIC = _named(
    {"type": "message_start", "message": {"id": "m", "role": "assistant", "content": [], "usage": {"input_tokens": 3}}},
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": SECRET}},
    {"type": "content_block_stop", "index": 0},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "ping"},
    *({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": word}} for word in WORDS),
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 4}},
    {"type": "message_stop"},
)
RESPONSES = _named(
    {"type": "response.created", "response": {"object": "response", "status": "in_progress", "output": []}},
    {"type": "response.reasoning_summary_text.delta", "delta": SECRET},
    *({"type": "response.output_text.delta", "delta": word, "output_index": 0} for word in WORDS),
    {"type": "response.completed", "response": {"object": "response", "status": "completed", "output": []}},
)
COHERE = _named(
    {"type": "message-start", "delta": {"message": {"role": "assistant"}}},
    *({"type": "content-delta", "delta": {"message": {"content": {"text": word}}}} for word in WORDS),
    {"type": "message-end", "delta": {"finish_reason": "COMPLETE"}},
)
DASHSCOPE = [{"output": {"choices": [{"message": {"content": word}, "finish_reason": "null"}]}} for word in WORDS]
DASHSCOPE += [{"output": {"choices": [{"message": {"content": ""}, "finish_reason": "stop"}]}}]
_PRETTY = [json.dumps(each, indent=1).encode() for each in CHUNKS]

_STREAMS: dict[str, bytes] = {
    "good": stream(),
    # lines
    "blanks before data": stream(begin=b"  data: "),
    "tabs before data": stream(begin=b"\tdata: "),
    "a blank after data": stream(begin=b"data : "),
    "no blank": stream(begin=b"data:"),
    "capitals": stream(begin=b"DATA: "),
    "data twice": stream(begin=b"data: data: "),
    "CR alone": stream(end=b"\r\r"),
    "LF, CR, LF": stream(end=b"\n\r\n"),
    "byte order marks": stream(begin=b"\xef\xbb\xbfdata: "),
    "NUL between": stream(end=b"\n\n\0"),
    "NUL in words": _words(lambda word: chunk({"content": word + "\0"})),
    "indented JSON": b"".join(b"data: " + each + b"\n\n" for each in _PRETTY) + b"data: [DONE]\n\n",
    "all in a line": b"".join(b"data: " + packed(each) for each in CHUNKS) + b"\n\n",
    "two objects in a line": b"data: " + packed(CHUNKS[0]) + packed(CHUNKS[1]) + b"\n\n" + stream(CHUNKS[2:]),
    "an array in a line": b"data: " + packed(CHUNKS[:3]) + b"\n\n" + stream(CHUNKS[3:]),
    "strings of JSON": stream([json.dumps(each) for each in CHUNKS]),
    "words that are no JSON": b"data: ping\n\ndata: null\n\ndata: 1\n\n" + stream(),
    "no end but a reason": stream(done=b""),
    "chunks once more": _chunked(stream()),
    "signed chunks": _chunked(stream(), b";chunk-signature=" + b"0" * 64),
    # other APIs
    "lines of JSON": _lines(CHUNKS),
    "an array": packed(CHUNKS),
    "Ollama's lines": _lines([_ollama("", thinking=SECRET), *OLLAMA]),
    "Ollama's lines of generate": _lines([{"response": word, "done": False} for word in WORDS] + [OLLAMA[-1]]),
    "Gemini's array": b"[" + b",\r\n".join(map(packed, GEMINI)) + b"]",
    "Gemini's events": stream(GEMINI, end=b"\r\n\r\n", done=b""),
    "Anthropic's events": ANTHROPIC,
    "Responses": RESPONSES,
    "Cohere's events": COHERE,
    "DashScope's events": b"".join(b"id:1\nevent:result\ndata:" + packed(each) + b"\n\n" for each in DASHSCOPE),
    "Amazon's messages": b"".join(map(_amazons, map(packed, CHUNKS))),
    "Bedrock's messages": b"".join(
        _amazons(packed({"bytes": base64.b64encode(packed(each)).decode()})) for each in CHUNKS
    ),
    "chunks in data": stream([{"code": 0, "data": each} for each in CHUNKS]),
    # contents
    "parts": _words(lambda word: chunk({"content": [{"type": "text", "text": word}]})),
    "parts with values": _words(lambda word: chunk({"content": [{"type": "text", "text": {"value": word}}]})),
    "deltas that are texts": _words(chunk),
    "content null, true, an object": stream(
        [ROLE, *(chunk({"content": odd}) for odd in (None, True, {"a": 1})), *CHUNKS[1:]]
    ),
    # frames
    "usage in texts": _last(usage={"prompt_tokens": "3", "completion_tokens": "4", "total_tokens": "7"}),
    "usage null": _last(usage={"prompt_tokens": None, "completion_tokens": None, "total_tokens": None}),
    "usage a list": _each(usage=[]),
    "created in seconds and a half": _each(created=1.5),
    "created a text": _each(created="2026-01-01T00:00:00Z"),
    "no id": _each(id=""),
    "a number for an id": _each(id=7),
    "fingerprint a number": _each(system_fingerprint=7, service_tier={}),
    "choices an object": _choices(lambda choice: choice),
    "choices numbered": _choices(lambda choice: {"0": choice}),
    "index a text": _choices(lambda choice: [choice | {"index": "0"}]),
    "index null": _choices(lambda choice: [choice | {"index": None}]),
    "no reason anywhere": stream([FRAME | {"choices": [{"index": 0, "delta": {"content": word}}]} for word in WORDS]),
    "an unknown reason": stream([*CHUNKS[:-1], chunk({}, "banana")]),
    "a reason that is true": stream([*CHUNKS[:-1], chunk({}, True), END]),
    "logprobs a text": _choices(lambda choice: [choice | {"logprobs": "x"}]),
    "logprobs of texts": _choices(lambda choice: [choice | {"logprobs": {"content": "x"}}]),
    "logprobs infinite": _choices(
        lambda choice: [choice | {"logprobs": {"content": [{"token": "a", "logprob": float("-inf")}]}}]
    ),
    "an error that is null": _each(error=None),
    "an error that is empty": _each(error={}),
    "an error that is false": _each(error=False),
    "a tab within a text": _each(own="X").replace(b"X", b"\t"),
    "refusal a list": stream([chunk({"role": "assistant", "content": "", "refusal": []}), *CHUNKS[1:]]),
    "all once more in the end": stream([*CHUNKS[:-1], chunk(None, "stop", message={"content": TEXT})]),
    "all once more after the end": stream([*CHUNKS, WHOLE]),
    "all once more beside the end": stream([*CHUNKS[:-1], chunk({}, "stop", message={"content": TEXT})]),
    "a whole answer": packed(WHOLE),
    "a whole answer as an event": stream([WHOLE]),
    "a whole answer in an array": packed([WHOLE]),
    "a whole answer in data": packed({"code": 0, "data": WHOLE}),
    "Ollama's whole answer": packed(_ollama(TEXT, done=True)),
    "Gemini's whole answer": packed(_gemini(TEXT, "STOP")),
    "Anthropic's whole answer": packed(
        {"type": "message", "role": "assistant", "content": [{"type": "text", "text": TEXT}], "stop_reason": "end_turn"}
    ),
    "Responses' whole answer": packed(
        {
            "object": "response",
            "output": [{"type": "message", "content": [{"type": "output_text", "text": TEXT}]}],
        }
    ),
}
_FAILURES: dict[str, Any] = {
    "a text": {"error": "boom"},
    "a number": {"error": 500},
    "a list": {"error": ["boom"]},
    "errors": {"errors": [{"message": "boom"}]},
    "vLLM's": {"object": "error", "message": "boom", "code": 500},
    "no success": {"success": False, "reason": "boom"},
    "a status": {"status": "error", "reason": "boom"},
}


def _manner(body: bytes) -> Manner:
    return Manner(body=body, media_type="text/event-stream")


READABLE = {name: _manner(body) for name, body in _STREAMS.items()}
BROKEN = {
    **{f"an error, {name}": _manner(stream([failure])) for name, failure in _FAILURES.items()},
    **{f"an error whole, {name}": _manner(packed(failure)) for name, failure in _FAILURES.items()},
    "Anthropic's error": _manner(_named({"type": "error", "error": {"type": "overloaded_error", "message": "boom"}})),
    "Ollama's error": _manner(packed({"error": "boom"}) + b"\n"),
    "a page": _manner(b"<!DOCTYPE html><html><title>Sign in</title></html>"),
    "nothing": _manner(b""),
    "an empty object": _manner(b"{}"),
    "an empty array": _manner(b"[]"),
    "null": _manner(b"null"),
}
