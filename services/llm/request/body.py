"""The body for an upstream: the caller's bytes, but for what the operator or the upstream wants otherwise."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from msgspec import Raw

from llm.request.forms import STREAMS, WHOLES
from llm.request.messages import messages_for
from llm.request.providers import Mind, unthinking
from llm.request.reasoning import reasons
from llm.request.spare import THINKING
from llm.request.tools import tool_changes, tools_unwanted
from llm.settings import RelayOptions, fields_of
from llm.wire import Asked, ChatRequest

_LIMITS = ("max_completion_tokens", "max_tokens")
_THINKING_FIELDS = (
    "reasoning_effort",
    "thinking",
    "enable_thinking",
    "reasoning",
    "reasoning_format",
    "chat_template_kwargs",
)


def body_for(
    asked: Asked,
    model: str,
    options: RelayOptions,
    mind: Mind,
    name: str = "",
    *,
    without: frozenset[str] = frozenset(),
    room: int = 0,
) -> bytes:
    """Return the body as it came, with what must change; every other value byte for byte.

    Args:
        mind: What the upstream wants.
        name: The provider's.
        without: Fields and forms that the upstream refuses for this model, see `spare.py`.
        room: Tokens beyond the limit for thoughts that cannot be switched off.
    """
    limit = _limit_with(room, asked.wanted, model, options, mind, name, without)
    changes = _changed(asked, model, options, mind, without)
    added = _added(asked.wanted, model, options, name, without)
    if not changes and not limit and not added and not without:
        return asked.body
    unwanted = _unwanted(asked, without) | (set() if limit is None else {*_LIMITS})
    sent = added | fields_sent(asked) | changes
    return msgspec.json.encode({name: value for name, value in sent.items() if name not in unwanted} | (limit or {}))


def _changed(asked: Asked, model: str, options: RelayOptions, mind: Mind, without: frozenset[str]) -> dict[str, Any]:
    """Return the fields that are sent with another value than the caller's."""
    changes: dict[str, Any] = {} if model == asked.wanted.model else {"model": model}
    if _adds_temperature(asked.wanted, model, options) and "temperature" not in without:
        changes["temperature"] = options.temperature
    messages = messages_for(asked, options, knows_developer=mind.knows_developer, without=without)
    if messages is not None:
        changes["messages"] = messages
    changes |= tool_changes(asked, without)
    if (is_stream := _is_stream(asked.wanted, without)) != bool(asked.wanted.stream):
        changes["stream"] = is_stream
    return changes


def _is_stream(wanted: ChatRequest, without: frozenset[str]) -> bool:
    """Return whether a stream is asked for: what comes is turned into what the caller wants."""
    return STREAMS not in without if wanted.stream else WHOLES in without


def _unwanted(asked: Asked, without: frozenset[str]) -> set[str]:
    """Return the fields that are left out, and those that make no sense without them."""
    thinking = _THINKING_FIELDS if THINKING in without else ()
    streaming = ("stream_options",) if STREAMS in without else ()
    logprobs = ("top_logprobs",) if "logprobs" in without else ()
    return {*without, *thinking, *streaming, *logprobs, *tools_unwanted(asked, without)}


def fields_sent(asked: Asked) -> dict[str, Raw]:
    """Return the fields of a request as its caller wrote them."""
    return msgspec.json.decode(asked.body, type=dict[str, Raw])


def _added(
    wanted: ChatRequest, model: str, options: RelayOptions, name: str, without: frozenset[str]
) -> dict[str, Any]:
    """Return what is sent where the caller says nothing of it: thinking switched off, and the operator's extra."""
    silent = _switches_off(wanted, options) and THINKING not in without
    extra = fields_of(options.extra)
    return unthinking(name, model) | extra if silent else dict(extra)


def _adds_temperature(wanted: ChatRequest, model: str, options: RelayOptions) -> bool:
    """Return whether the default is sent: many refuse it beside `top_p`, and reasoning models refuse it at all."""
    unsaid = wanted.temperature is None and wanted.top_p is None
    return unsaid and options.temperature != "off" and not reasons(model)


def settings_of(wanted: ChatRequest, model: str, options: RelayOptions, prefix: str) -> Mapping[str, str]:
    """Return which setting decided on a field that the caller did not send."""
    found = dict.fromkeys(fields_of(options.extra), f"{prefix}EXTRA")
    if _adds_temperature(wanted, model, options):
        found["temperature"] = f"{prefix}TEMPERATURE"
    if wanted.token_limit is None:
        found |= dict.fromkeys(_LIMITS, f"{prefix}MAX_TOKENS")
    return found


def _switches_off(wanted: ChatRequest, options: RelayOptions) -> bool:
    """Return whether thinking is to be switched off upstream."""
    return options.thoughts == "off" and not wanted.asks_for_thoughts


def heard(wanted: ChatRequest, options: RelayOptions) -> Literal["show", "aside", "hide", "off"]:
    """Return what becomes of thoughts: a caller who asks for them gets them, unless the answer is to be heard."""
    return "show" if wanted.asks_for_thoughts and not options.for_the_ear else options.thoughts


def _limit_with(
    room: int,
    wanted: ChatRequest,
    model: str,
    options: RelayOptions,
    mind: Mind,
    name: str,
    without: frozenset[str],
) -> dict[str, int] | None:
    """Return the limit of tokens with `room` for thoughts; None to leave it as the caller has it."""
    limit = _limit(wanted, model, options, mind, name, without)
    if not room:
        return limit
    if limit is None:
        limit = {key: value for key in _LIMITS if (value := getattr(wanted, key)) is not None}
    return {key: value + room for key, value in limit.items()} or None


def _limit(
    wanted: ChatRequest, model: str, options: RelayOptions, mind: Mind, name: str, without: frozenset[str]
) -> dict[str, int] | None:
    """Return the limit of tokens under the name this upstream knows; None to leave it as the caller has it."""
    given = wanted.token_limit
    if not without.isdisjoint(_LIMITS):
        limit = options.max_tokens if given is None and not reasons(model) else given
        known = [name for name in _LIMITS if name not in without]
        return {known[0]: limit} if known and isinstance(limit, int) else {}
    if reasons(model):
        if name != "openai" or wanted.max_tokens is None or given is None:
            return None
        return {"max_completion_tokens": given}
    if given is None:
        return None if options.max_tokens == "off" else {"max_tokens": options.max_tokens}
    if mind.limit is not None and wanted.max_completion_tokens is not None:
        return {mind.limit: given}
    return None
