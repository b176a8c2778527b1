"""A tool that must be called: its arguments are asked for as JSON by the tool's own schema.

llama.cpp leaves it to a model's template whether `tool_choice` is kept to, and small models know no tools; a grammar
made of the schema is kept to by every model.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from chassis.errors import BadRequest, Declined
from llm.answer.encode import AnswerChoice, Reason, Usage, completion, events
from llm.wire import Asked, ChatRequest, ToolChoice

_NO_LONGER_ASKED = ("stream", "stream_options", "parallel_tool_calls")


class OfferedTool(Struct, frozen=True):
    """A function that the caller offers."""

    name: str
    parameters: dict[str, Any]


def forced_tool(asked: Asked) -> OfferedTool | None:
    """Return the one tool that must be called; None where words are wanted.

    Raises:
        Declined: More than one might be meant, or none of that name is offered.
        BadRequest: Its parameters are no schema.
    """
    choice = asked.wanted.tool_choice
    if choice is None or choice in ("none", "auto"):
        return None
    fields = msgspec.json.decode(asked.body)
    offers = [offer["function"] for offer in fields.get("tools") or () if offer.get("function")]
    if isinstance(choice, ToolChoice):
        offers = [offer for offer in offers if fields["tool_choice"].get("function") == {"name": offer["name"]}]
    if len(offers) != 1:
        raise Declined("A model in this process calls the one tool that 'tool_choice' names.", param="tool_choice")
    parameters = offers[0].get("parameters") or {"type": "object"}
    if not isinstance(parameters, dict):
        message = f"Invalid parameters of the tool {offers[0]['name']!r}: expected an object, a JSON schema."
        raise BadRequest(message, param="tools")
    return OfferedTool(offers[0]["name"], parameters)


def asked_for_arguments(asked: Asked, tool: OfferedTool) -> Asked:
    """Return the request for the tool's arguments alone, as one whole answer."""
    fields = {key: value for key, value in msgspec.json.decode(asked.body).items() if key not in _NO_LONGER_ASKED}
    schema = {"name": tool.name, "schema": tool.parameters}
    form = {"type": "json_schema", "json_schema": schema}
    body = msgspec.json.encode(fields | {"tool_choice": "none", "response_format": form})
    return Asked(msgspec.json.decode(body, type=ChatRequest), body, asked.model, asked.tally)


def called(asked: Asked, tool: OfferedTool, body: bytes) -> Iterator[bytes]:
    """Yield the answer that calls the tool, made of the one with its arguments."""
    answer = msgspec.json.decode(body)
    choice, usage = answer["choices"][0], msgspec.convert(answer["usage"], Usage)
    reason: Reason = "length" if choice["finish_reason"] == "length" else "tool_calls"
    spoken = AnswerChoice((choice["message"]["content"],), reason, tool.name)
    if asked.wanted.stream:
        yield from events([spoken], answer["model"], usage if asked.wanted.wants_usage else None)
    else:
        yield completion([spoken], answer["model"], usage)
