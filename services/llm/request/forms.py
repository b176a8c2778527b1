"""Forms of a request that an upstream may refuse, and how its refusal words it.

A form is no field: it is another way to put the same conversation. `messages.py`, `tools.py` and `body.py` know how.
"""

import re
from collections.abc import Iterable, Mapping

DEVELOPER, SYSTEM_ROLE, TURNS = "developer role", "system role", "free order"
"""Called `system` instead; put into the first message; user and assistant in turns, and nobody empty."""
PARTS, BARE, TRAILING = "text parts", "fields of messages", "trailing spaces"
"""Strings instead of lists of text and of null; messages without `name` and other fields; the last one trimmed."""
THOUGHTS, IDS = "turns without thoughts", "long ids"
"""An empty thought in each message of the assistant's; ids of calls that every upstream takes."""
JSON_SCHEMA, JSON_OBJECT, SILENT_JSON = "json_schema", "any JSON object", "JSON without the word"
"""`json_object` instead of a schema, and the reverse; the word JSON said to a model that shall write it."""
STRICT, TERSE, TOOLS, FORCED = "strict schemas", "tools without parameters", "any tools", "forced tool"
"""Schemas that need not be followed to the letter; parameters of a tool that has none; no tools; a choice of tools that
is the model's."""
STREAMS, WHOLES = "streams", "answers in one piece"
"""An answer in one piece where a stream was wanted, and the reverse."""

JSON_FORMS = {"json_schema": (JSON_SCHEMA,), "json_object": (SILENT_JSON, JSON_OBJECT)}
"""Forms by the type of `response_format` that can do without it."""
OF_MESSAGES = (DEVELOPER, PARTS, BARE, TRAILING, TURNS)
"""Forms that a conversation can do without, and lose nothing."""


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_STREAM = _any(r"\bstream(?:ing|ed)?\b", "流式")
_ROLES = r"(?:role|message|user|turn)s?\b"

PATTERNS: Mapping[str, re.Pattern[str]] = {
    STREAMS: _STREAM,
    WHOLES: _STREAM,
    SILENT_JSON: _any(
        r"(?:\bword|mention|contain|includ|keyword|string|包含|出现|提及|提到|要求).{0,40}json",
        r"json.{0,12}(?:字样|关键字|in (?:the |your )?(?:prompt|messages?|some form))",
    ),
    STRICT: _any(r"\bstrict\b", "is required to be supplied"),
    TERSE: _any(r"function\W{0,2}parameters.{0,30}(?:empty|required)|missing field .parameters"),
    IDS: _any(
        r"invalid tool_call_?id",
        r"tool[ _]?calls?[ _\]\d.\[]*id\b.{0,60}(?:must be|length|too long|invalid|format|match|pattern)",
    ),
    DEVELOPER: _any(r"\bdeveloper\b", r"\brole\b.{0,80}'system'", "unexpected message role"),
    PARTS: _any(
        r"invalid type: (?:sequence|null)",
        r"expected (?:a |str\w* )?(?:valid )?str(?:ing)?\b",
        r"(?:should|must) be (?:a |of type )?(?:valid )?str",
        r"not a string|str type|cache_control|java\.lang\.string|'list' object|type list|\"list\"|必须是字符串",
        r"unmarshal (?:array|null)|received (?:array|null)|got (?:null|none)",
        r"content\W.{0,30}(?:required|类型错误|格式错误)|missing field .content",
    ),
    BARE: _any(
        r"tool_calls\W.{0,20}(?:empty|at least 1|too short)|too short .{0,20}tool_calls|content and thinking",
        r"messages?\b.*\bname\b",
        r"(?:unknown|unrecogni[sz]ed|extra|additional|propert|unsupported|not permitted).{0,60}\bmessages?\b",
        r"\bmessages?\W.{0,60}(?:unknown|unrecogni[sz]ed|extra|additional|propert|unsupported|not permitted)",
    ),
    TRAILING: _any(r"trailing (?:white)?spaces?", r"ends? (?:with|in) (?:white)?spaces?"),
    THOUGHTS: _any(r"reasoning_content.{0,60}(?:missing|passed back|required)", "missing.{0,20}reasoning_content"),
    SYSTEM_ROLE: _any(
        r"(?:\bsystem\b|developer).{0,60}(?:support|allow|permit|enabled|valid|one of|不支持)",
        r"(?:support|allow|unknown|invalid|unexpected|不支持|不能包含).{0,40}\bsystem\b",
        r"\brole\b.{0,40}'?user'?,? (?:or|and|或) '?assistant'?",
        r"\brole\b.{0,20}one of.{0,12}user|valid role: user",
    ),
    TURNS: _any(
        r"alternat|consecutive|in a row|prefill|successive|interleav|in turn|message order",
        rf"(?:first|last|final|end|start|begin|begun)\w* .{{0,30}}\b{_ROLES}",
        rf"{_ROLES}.{{0,30}} (?:first|last|end|start|begin|odd)|preceding user|\bodd\b",
        r"non-?empty|(?:not|cannot|can't) be (?:null or )?(?:empty|blank)|is (?:empty|blank)|non-whitespace text",
        r"empty (?:\w+ )?(?:content|message|text)|has no content|either content or tool_calls|length 0",
        r"expected role|messages?\[?\d*\]? role should|content field is|text parameter",
        r"角色|交替|奇数|不能为空|为空|第一条|最后一条",
    ),
    JSON_OBJECT: _any("response_format.{0,20} must be .{0,20}json_schema"),  # LM Studio
    JSON_SCHEMA: _any(r"response_format|schema|structured output|grammar|guided|output_config"),
    FORCED: _any(r"tool_?choice|forces? tool|[`']required[`']"),
    TOOLS: _any(r"\btools?\b|tool_?choice|function.?call", "工具|函数"),
}


def naming(fields: Iterable[str]) -> re.Pattern[str]:
    """Return the pattern of a refusal that is about one of these fields of a message."""
    return _any(PATTERNS[BARE].pattern, rf"(?:^|[`'\"“.\]])(?:{'|'.join(map(re.escape, fields))})\b")
