"""What is sent to an upstream: the caller's bytes, but for what the operator or the upstream wants otherwise."""

from typing import Any, Literal

import msgspec
from msgspec import Raw

from chassis.settings import SettingError
from llm.request.messages import messages_for
from llm.request.providers import REASONS, Mind, unthinking
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest

LIMITS = ("max_tokens", "max_completion_tokens")


def body_for(
    asked: Asked, model: str, options: RelayOptions, mind: Mind, name: str = "", *, think: bool = False
) -> bytes:
    """The body as it came, with what must change; every other value byte for byte.

    Args:
        mind: What the upstream wants.
        name: The provider's.
        think: Leave its thinking alone, whatever the options say.
    """
    wanted = asked.wanted
    changes: dict[str, Any] = {} if model == wanted.model else {"model": model}
    unwanted: tuple[str, ...] = ()
    if (limit := _limit(wanted, model, options, mind, name)) is not None:
        changes |= limit
        unwanted = LIMITS
    if wanted.temperature is None and options.temperature != "off" and not REASONS.match(model):
        changes["temperature"] = options.temperature
    messages = messages_for(asked, options, knows_developer=mind.knows_developer)
    if messages is not None:
        changes["messages"] = messages
    added = {} if think or not switches_off(wanted, options) else unthinking(name, model)
    if options.extra:
        added = added | fields_of(options.extra)
    if not changes and not added:
        return asked.body
    fields: dict[str, Any] = msgspec.json.decode(asked.body, type=dict[str, Raw])
    own = {key: value for key, value in fields.items() if key not in unwanted}
    return msgspec.json.encode(added | own | changes)


def switches_off(wanted: ChatRequest, options: RelayOptions) -> bool:
    """Whether thinking is to be switched off upstream."""
    return options.thoughts == "off" and not wanted.asks_for_thoughts


def heard(wanted: ChatRequest, options: RelayOptions) -> Literal["show", "aside", "hide", "off"]:
    """What becomes of thoughts in the answer: who asks for them gets them, unless it is to be heard."""
    return "show" if wanted.asks_for_thoughts and not options.for_the_ear else options.thoughts


def fields_of(extra: str) -> dict[str, Any]:
    """Raises:
    SettingError: It is no JSON object.
    """
    try:
        return msgspec.json.decode(extra, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise SettingError(f"LLM_EXTRA: not a JSON object ({exc}).") from exc


def _limit(wanted: ChatRequest, model: str, options: RelayOptions, mind: Mind, name: str) -> dict[str, int] | None:
    """The limit of tokens under the name this upstream knows; None: as the caller has it."""
    given = wanted.token_limit
    if REASONS.match(model):
        if name != "openai" or wanted.max_tokens is None or given is None:
            return None
        return {"max_completion_tokens": given}
    if given is None:
        return None if options.max_tokens == "off" else {"max_tokens": options.max_tokens}
    if mind.limit is not None and wanted.max_completion_tokens is not None:
        return {mind.limit: given}
    return None
