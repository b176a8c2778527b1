"""The question that a row is asked: a conversation, in the form that its upstream takes."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chassis.upstream.question import Question
from llm.request.body import body_for, fields_sent, settings_of
from llm.request.forms import (
    BARE,
    FORCED,
    IDS,
    JSON_FORMS,
    JSON_SCHEMA,
    OF_MESSAGES,
    STREAMS,
    SYSTEM_ROLE,
    THOUGHTS,
    TOOLS,
    WHOLES,
    naming,
)
from llm.request.messages import halved
from llm.request.providers import Mind
from llm.request.reshape import extra_fields
from llm.request.spare import THINKING, costly, dispensable, spare
from llm.request.tools import json_forms, tool_forms
from llm.settings import RelayOptions
from llm.wire import Asked


@dataclass(frozen=True, kw_only=True)
class Chat(Question):
    """A conversation that is to be continued."""

    in_a_hurry = True
    asked: Asked
    options: RelayOptions
    mind: Mind
    provider: str
    prefix: str
    room: int = 0
    """Tokens beyond the limit for thoughts that cannot be switched off."""

    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        accepted = "text/event-stream" if self.asked.wanted.stream else "application/json"
        return {"accept": accepted}, self._json(without)

    @property
    def extras(self) -> frozenset[str]:
        return frozenset({THINKING})

    @property
    def spare(self) -> Mapping[str, re.Pattern[str] | None]:
        wanted, sent = self.asked.wanted, self._sent()
        forms = [*json_forms(wanted, JSON_FORMS), *tool_forms(self.asked), *OF_MESSAGES, SYSTEM_ROLE, IDS, THOUGHTS]
        found = spare(sent, [*self.extras, *forms, STREAMS if wanted.stream else WHOLES])
        extra = extra_fields(sent["messages"])
        return found | {BARE: naming(extra)} if extra else found

    @property
    def costly(self) -> frozenset[str]:
        return costly(self._sent()) | {JSON_SCHEMA, TOOLS, FORCED}

    @property
    def dispensable(self) -> Sequence[frozenset[str]]:
        return dispensable(self.spare)

    @property
    def reforms(self) -> frozenset[str]:
        return frozenset(OF_MESSAGES)

    @property
    def callers(self) -> frozenset[str]:
        return frozenset(fields_sent(self.asked)) - {"model"}

    @property
    def settings(self) -> Mapping[str, str]:
        return settings_of(self.asked.wanted, self.model, self.options, self.prefix)

    def shorter(self) -> "Chat | None":
        limit = halved(self.asked.wanted.messages, self.options.history_tokens)
        options = msgspec.structs.replace(self.options, history_tokens=limit)
        return dataclasses.replace(self, options=options) if limit else None

    def _sent(self) -> dict[str, Any]:
        return msgspec.json.decode(self._json(frozenset()), type=dict[str, Any])

    def _json(self, without: frozenset[str]) -> bytes:
        return body_for(self.asked, self.model, self.options, self.mind, self.provider, without=without, room=self.room)
