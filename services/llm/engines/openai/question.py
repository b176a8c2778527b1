"""The question that a row is asked: a conversation, in the form that its upstream takes."""

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from chassis.upstream.question import Question
from llm.request.body import body_for, fields_sent, settings_of
from llm.request.messages import halved
from llm.request.providers import Mind
from llm.request.spare import FORMS, JSON_FORMS, STREAMS, THINKING, WHOLES, costly, dispensable, spare
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
        sent = msgspec.json.decode(self._json(frozenset()), type=dict[str, Any])
        form = self.asked.wanted.response_format
        json = [JSON_FORMS[form.type]] if form is not None and form.type in JSON_FORMS else []
        return spare([*sent, *self.extras, *json, *FORMS, STREAMS if self.asked.wanted.stream else WHOLES])

    @property
    def costly(self) -> frozenset[str]:
        return costly(self.spare)

    @property
    def dispensable(self) -> Sequence[frozenset[str]]:
        return dispensable(self.spare)

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

    def _json(self, without: frozenset[str]) -> bytes:
        return body_for(self.asked, self.model, self.options, self.mind, self.provider, without=without, room=self.room)
