"""Tools and schemas of a request, for an upstream that knows fewer of their fields, or no tools at all."""

from collections.abc import Mapping
from typing import Any

import msgspec

from llm.request.forms import FORCED, JSON_OBJECT, JSON_SCHEMA, STRICT, TERSE, TOOLS
from llm.wire import Asked, ChatRequest

_AN_OBJECT = {"response_format": {"type": "json_object"}}
_ANY_SCHEMA = {
    "response_format": {"type": "json_schema", "json_schema": {"name": "answer", "schema": {"type": "object"}}}
}


class _Offers(msgspec.Struct):
    """Fields of a request that hold schemas."""

    tools: list[dict[str, Any]] | None = None
    response_format: dict[str, Any] | None = None


def tool_forms(asked: Asked) -> list[str]:
    """Return the forms of tools and schemas that this request could do without.

    Tools go only where no other model would be asked: one that calls them is better than words.
    """
    forms = [STRICT] if b'"strict"' in asked.body else []
    if not asked.wanted.tools:
        return forms
    forms += [TERSE]
    if not asked.is_last:
        return forms
    is_free = asked.wanted.tool_choice in (None, "auto", "none")
    return [*forms, TOOLS if is_free else FORCED]


def json_forms(wanted: ChatRequest, forms: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return those of the `forms` of JSON that the request asks for."""
    return () if wanted.response_format is None else forms.get(wanted.response_format.type, ())


def tools_unwanted(asked: Asked, without: frozenset[str]) -> tuple[str, ...]:
    """Return the fields of tools that are left out."""
    refused = without.intersection(tool_forms(asked))
    if TOOLS in refused:
        return ("tools", "tool_choice", "parallel_tool_calls")
    return ("tool_choice",) if FORCED in refused else ()


def tool_changes(asked: Asked, without: frozenset[str]) -> dict[str, Any]:
    """Return tools and format of the answer as an upstream takes them, where it refuses the caller's."""
    refused = without & {STRICT, TERSE}
    changes = _reshaped(asked, refused) if refused else {}
    form = asked.wanted.response_format
    if form is not None and form.type == "json_schema" and JSON_SCHEMA in without:
        changes |= _AN_OBJECT
    elif form is not None and form.type == "json_object" and JSON_OBJECT in without:
        changes |= _ANY_SCHEMA
    return changes


def _reshaped(asked: Asked, refused: frozenset[str]) -> dict[str, Any]:
    sent = msgspec.json.decode(asked.body, type=_Offers)
    changes: dict[str, Any] = {}
    if sent.tools:
        changes["tools"] = [_with(tool, "function", refused) for tool in sent.tools]
    if sent.response_format and STRICT in refused:
        changes["response_format"] = _with(sent.response_format, "json_schema", refused)
    return changes


def _with(offer: dict[str, Any], name: str, refused: frozenset[str]) -> dict[str, Any]:
    """Return a tool, or the format of an answer, whose part `name` has the fields that are taken."""
    if not isinstance(part := offer.get(name), dict):
        return offer
    if STRICT in refused:
        part = {field: value for field, value in part.items() if field != "strict"}
    if TERSE in refused and not part.get("parameters"):
        part |= {"parameters": {"type": "object", "properties": {}}}
    return offer | {name: part}
