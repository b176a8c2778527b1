"""A question to an upstream, as a value."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

NamedBy = Literal["pick", "request", "row"]
"""The source of a model's name: the caller's `engine/model`; the name in the caller's request, passed on since the
row has none; or the row, that is a setting or a default."""


@dataclass(frozen=True, kw_only=True)
class Question(ABC):
    """One question to a server, made for one request and handed to `Remote.ask`.

    A subclass says what is sent, and nothing else: keys in turn, refusals and asking again are the work of `Remote`.

        @dataclass(frozen=True, kw_only=True)
        class Sentence(Question):
            text: str

            def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
                fields = {"model": self.model, "input": self.text, "speed": 1.2}
                kept = {name: value for name, value in fields.items() if name not in without}
                return {"content-type": "application/json"}, msgspec.json.encode(kept)

        reply = await self._remote.ask(Sentence(model="tts-1", text="Hello."))
        try:
            ...  # reply is a 200; read it with `Remote.pieces`, and close it
        finally:
            await reply.aclose()
    """

    in_a_hurry: ClassVar[bool] = False
    """A tenth of a millisecond matters: the question goes to the transport without httpx's client."""
    model: str
    """Name of the model that is asked; what a server refuses is remembered for it."""
    named_by: NamedBy = "row"
    """Decides whose mistake a model is that the server does not have."""
    begin_seconds: float | None = None
    """The longest wait for the answer to begin; None: as long as the chain has patience."""
    silence_seconds: float | None = None
    """The longest gap between two pieces of the answer; None: any."""

    @property
    def extras(self) -> frozenset[str]:
        """Return those fields of this question that only some servers know.

        They are all left out where a server refuses the question and does not say why.
        """
        return frozenset()

    @property
    def spare(self) -> Mapping[str, re.Pattern[str] | None]:
        """Return the fields that `body` can leave out or send in another form, those first that are missed least.

        One goes where a refusal names it, or where its pattern is found in the refusal's message.
        """
        return {}

    @property
    def dispensable(self) -> Sequence[frozenset[str]]:
        """Return groups of `spare` that are given up, one after the other, where a refusal names no field."""
        return ()

    @property
    def reforms(self) -> frozenset[str]:
        """Return those of `spare` that put the same conversation otherwise.

        They are tried together where a refusal is about messages, or names nothing.
        """
        return frozenset()

    @property
    def costly(self) -> frozenset[str]:
        """Return those of `spare` that change what the answer is.

        They go only where a server does not know them, not where it finds their value wrong.
        """
        return frozenset()

    @property
    def callers(self) -> frozenset[str]:
        """Return the fields that the caller sent as they are; a refusal of another one is not the caller's mistake."""
        return frozenset()

    @property
    def settings(self) -> Mapping[str, str]:
        """Return the fields that are sent because of a setting, each with the name of that setting."""
        return {}

    def shorter(self) -> "Question | None":
        """Return this question with half of its history; None where there is none to leave out."""
        return None

    @abstractmethod
    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        """Return headers and body. The keys' headers and the request's id are added by `Remote`.

        Args:
            without: Fields that the server is known to refuse for this model: leave them out, or send them in
                another form. Empty for the first question to a server.
        """
