"""Answers in another API's words, put into those of chat completions.

A base URL that is meant to be OpenAI's may lead to Ollama's own API, Gemini's, Anthropic's, Cohere's or DashScope's, or
to OpenAI's Responses; gateways wrap chunks once more, or write `choices` as an object.

Sources: github.com/ollama/ollama/blob/main/docs/api.md, ai.google.dev/api/generate-content,
platform.claude.com/docs/en/build-with-claude/streaming, docs.cohere.com/v2/docs/streaming,
platform.openai.com/docs/api-reference/responses-streaming, help.aliyun.com (DashScope's own API).
"""

from collections.abc import Iterable
from typing import Any

_WRAPPERS = ("data", "output", "result", "response", "body", "completion")
_NOTHING: dict[str, Any] = {"choices": []}
_ANTHROPIC = ("message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta")


def understood(raw: dict[str, Any]) -> dict[str, Any]:
    """Return a chunk, or a whole answer, with a list of `choices`; `raw` itself where it is of no known dialect."""
    if isinstance(raw.get("choices"), list) or raw.get("error"):
        return raw
    readings = (read(raw) for read in (_wrapped, _ollama, _gemini, _anthropic, _responses, _cohere))
    return next((reading for reading in readings if reading is not None), raw)


def _said(delta: dict[str, Any], reason: object = None, usage: dict[str, Any] | None = None) -> dict[str, Any]:
    chunk: dict[str, Any] = {"choices": [{"index": 0, "delta": delta, "finish_reason": reason}]}
    return chunk | ({"usage": usage} if usage else {})


def _usage(asked: object, answered: object) -> dict[str, Any] | None:
    if type(asked) is not int or type(answered) is not int:
        return None
    return {"prompt_tokens": asked, "completion_tokens": answered, "total_tokens": asked + answered}


def _wrapped(raw: dict[str, Any]) -> dict[str, Any] | None:
    choices = raw.get("choices")
    if isinstance(choices, dict):
        single = any(name in choices for name in ("delta", "message", "text", "finish_reason"))
        return raw | {"choices": [choices] if single else list(choices.values())}
    for name in _WRAPPERS:
        if isinstance(inner := raw.get(name), dict) and isinstance(inner.get("choices"), list | dict):
            return understood(inner)
    return None


def _ollama(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Read a line of `/api/chat` or `/api/generate`."""
    done, message, text = raw.get("done"), raw.get("message"), raw.get("response")
    if not isinstance(done, bool) or (not isinstance(message, dict) and not isinstance(text, str)):
        return None
    delta = message if isinstance(message, dict) else {"content": text, "thinking": raw.get("thinking")}
    usage = _usage(raw.get("prompt_eval_count"), raw.get("eval_count"))
    return {"model": raw.get("model")} | _said(delta, (raw.get("done_reason") or "stop") if done else None, usage)


def _gemini(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Read an answer of `generateContent`, or a piece of one."""
    candidates, feedback, counts = raw.get("candidates"), raw.get("promptFeedback"), raw.get("usageMetadata")
    if isinstance(feedback, dict) and feedback.get("blockReason"):
        return _said({}, "content_filter")
    if not isinstance(candidates, list):
        return None
    found = [each for each in candidates if isinstance(each, dict)]
    choices = [
        {"index": at, "delta": _gemini_delta(each), "finish_reason": each.get("finishReason")}
        for at, each in enumerate(found)
    ]
    counts = counts if isinstance(counts, dict) else {}
    usage = _usage(counts.get("promptTokenCount"), counts.get("candidatesTokenCount"))
    return {"model": raw.get("modelVersion"), "choices": choices} | ({"usage": usage} if usage else {})


def _gemini_delta(candidate: dict[str, Any]) -> dict[str, Any]:
    content = candidate.get("content")
    parts = _dicts(content.get("parts") if isinstance(content, dict) else None)
    calls = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
    delta: dict[str, Any] = {
        "content": _joined(part.get("text") for part in parts if not part.get("thought")),
        "reasoning_content": _joined(part.get("text") for part in parts if part.get("thought")),
    }
    functions = [{"function": {"name": call.get("name"), "arguments": call.get("args") or {}}} for call in calls]
    return delta | ({"tool_calls": functions} if functions else {})


def _anthropic(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Read an event of `/v1/messages`, or a whole answer."""
    kind, delta = raw.get("type"), raw.get("delta")
    if kind == "message" and isinstance(raw.get("content"), list):
        blocks = _dicts(raw["content"])
        calls = [call for block in blocks for call in _anthropic_block(block, None).get("tool_calls", ())]
        words = {"content": blocks} | ({"tool_calls": calls} if calls else {})
        return {"id": raw.get("id"), "model": raw.get("model")} | _said(words, raw.get("stop_reason"))
    if kind not in _ANTHROPIC:
        return None
    if kind == "content_block_start" and isinstance(block := raw.get("content_block"), dict):
        return _said(_anthropic_block(block, raw.get("index")))
    if not isinstance(delta, dict):
        return _NOTHING
    if kind == "message_delta":
        return _said({}, delta.get("stop_reason"))
    if isinstance(arguments := delta.get("partial_json"), str):
        return _said({"tool_calls": [{"index": raw.get("index"), "function": {"arguments": arguments}}]})
    return _said({"content": delta.get("text"), "reasoning_content": delta.get("thinking")})


def _anthropic_block(block: dict[str, Any], index: object) -> dict[str, Any]:
    if block.get("type") != "tool_use":
        return {"content": block.get("text"), "reasoning_content": block.get("thinking")}
    function = {"name": block.get("name"), "arguments": block.get("input") or ""}
    return {"tool_calls": [{"index": index, "id": block.get("id"), "type": "function", "function": function}]}


def _responses(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Read an event of `/v1/responses`, or a whole answer."""
    kind, delta = raw.get("type"), raw.get("delta")
    if raw.get("object") == "response" and isinstance(raw.get("output"), list):
        items = _dicts(raw["output"])
        parts = [part for item in items if item.get("type") == "message" for part in _dicts(item.get("content"))]
        return {"id": raw.get("id"), "model": raw.get("model")} | _said({"content": parts}, _responses_end(raw))
    if not isinstance(kind, str) or not kind.startswith("response."):
        return None
    if kind in ("response.completed", "response.incomplete"):
        return _said({}, _responses_end(raw.get("response")))
    if kind == "response.failed" and isinstance(response := raw.get("response"), dict):
        return {"error": response.get("error") or {"message": kind}}
    if kind == "response.output_text.delta":
        return _said({"content": delta})
    if kind == "response.refusal.delta":
        return _said({"refusal": delta})
    if kind.startswith("response.reasoning") and kind.endswith("delta"):
        return _said({"reasoning_content": delta})
    return _responses_call(raw) or _NOTHING


def _responses_end(response: object) -> str:
    details = response.get("incomplete_details") if isinstance(response, dict) else None
    return str(details.get("reason")) if isinstance(details, dict) else "stop"


def _responses_call(raw: dict[str, Any]) -> dict[str, Any] | None:
    item, at = raw.get("item"), raw.get("output_index")
    if raw["type"] == "response.output_item.added" and isinstance(item, dict) and item.get("type") == "function_call":
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        call = {"index": at, "id": item.get("call_id"), "type": "function", "function": function}
        return _said({"tool_calls": [call]})
    if raw["type"] == "response.function_call_arguments.delta":
        return _said({"tool_calls": [{"index": at, "function": {"arguments": raw.get("delta")}}]})
    return None


def _cohere(raw: dict[str, Any]) -> dict[str, Any] | None:
    """Read an event of Cohere's `/v2/chat`."""
    kind, delta = raw.get("type"), raw.get("delta")
    if kind == "message-end" and isinstance(delta, dict):
        return _said({}, delta.get("finish_reason"))
    if kind != "content-delta" or not isinstance(delta, dict):
        return None
    message = delta.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    content = content if isinstance(content, dict) else {}
    return _said({"content": content.get("text"), "reasoning_content": content.get("thinking")})


def _dicts(values: object) -> list[dict[str, Any]]:
    return [each for each in values if isinstance(each, dict)] if isinstance(values, list) else []


def _joined(texts: Iterable[object]) -> str:
    return "".join(text for text in texts if isinstance(text, str))
