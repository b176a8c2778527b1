"""Judge a chat before any model is asked: the last message in the light of the talk.

What was stopped before is kept from the model.
"""

from collections.abc import AsyncIterator
from typing import Any, get_args

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from chassis.errors import ApiError
from chassis.guard.guard import UNSEEN, Said, Verdict, Watch
from chassis.guard.held import SENTENCE_END, clauses
from chassis.guard.rules import Side
from chassis.sse import close
from llm.answer.encode import AnswerChoice, Usage, completion, events
from llm.answer.guarded import Manner, guarded, guarded_whole
from llm.answer.usage import Tally, shown
from llm.request.messages import estimated
from llm.wire import Asked, Assistant, Function, Message, Tool, User, said_by, text_of

_UNFIT_ERROR = "failed with a message whose words did not pass the guard"
_LEFT_OUT = "(left out: it is not fit for a child)"
"""A model reads this in place of a tool's result that does not pass the guard."""
NAME = "guard"
"""Name of who answers instead of an engine."""


class _Messages(Struct):
    messages: list[Raw]


class Watched:
    """One request under the guard.

    Args:
        watch: The guard of its key.
        asked: The request; from `answer` on without the exchanges that were stopped before.
    """

    def __init__(self, watch: Watch, asked: Asked) -> None:
        self._watch, self.asked = watch, asked

    @property
    def kind(self) -> str | None:
        """Kind of risk that was found by now."""
        return None if self._watch.noted is None else self._watch.noted.kind

    async def answer(self) -> bytes | None:
        """Judge what is asked; return the answer where no model is to be asked."""
        messages = self.asked.wanted.messages
        verdict = await self._watch.asked(_talk(messages)) or self._unseen(messages)
        if verdict is not None:
            return self._stopped(verdict)
        if not self.asked.wanted.is_prose:
            self._watch.reminder = None
        if self._watch.stops:
            self.asked = _fit(self._watch, self.asked)
        return None

    def _unseen(self, messages: list[Message]) -> Verdict | None:
        last = next((each for each in reversed(messages) if isinstance(each, User)), None)
        return self._watch.unseen() if last is not None and _shows(last) else None

    async def asked_of(self, engine: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """Yield the pieces of an engine; its error may quote what was said, in a log too, and is left out then."""
        try:
            async for piece in engine:
                yield piece
        except ApiError as exc:
            if self._watch.stops and not all(map(self._is_fit, clauses(str(exc)))):
                exc.args, exc.body["message"] = (_UNFIT_ERROR,), _UNFIT_ERROR
            raise
        finally:
            await close(engine)

    def _is_fit(self, clause: str) -> bool:
        return all(self._watch.harmless(clause, side) for side in get_args(Side))

    def heard(self, pieces: AsyncIterator[bytes], tally: Tally) -> AsyncIterator[bytes]:
        """Return the events of an answer as far as they may be heard."""
        return guarded(pieces, self._watch, self._manner, lambda: self._usage(tally))

    async def whole(self, body: bytes) -> bytes:
        """Return a whole answer as far as it may be heard."""
        return await guarded_whole(body, self._watch, self._manner)

    @property
    def _manner(self) -> Manner:
        last = self.asked.wanted.messages[-1]
        begun = text_of(last.content) if isinstance(last, Assistant) else ""
        return Manner(self._words, self.asked.wanted.is_prose, begun)

    @property
    def _words(self) -> str:
        """The child's last words."""
        return next((text for text in reversed(said_by(User, self.asked.wanted.messages)) if text.strip()), "")

    def _usage(self, tally: Tally) -> dict[str, Any] | None:
        if not self.asked.wanted.wants_usage:
            return None
        counts = tally.counts(lambda: estimated(self.asked.wanted.messages))
        return shown(counts, estimated=tally.told is None)

    def _stopped(self, verdict: Verdict) -> bytes:
        """Encode the sentence that a child hears instead; who wants JSON gets a refusal, as OpenAI's models refuse."""
        choices = [AnswerChoice((self._watch.sentence(verdict, self._words),), verdict.finish)]
        wanted, usage = self.asked.wanted, Usage.of(0, 0)
        if not wanted.stream:
            return _refused(completion(choices, NAME, usage), verdict, prose=wanted.is_prose)
        made = b"".join(events(choices, NAME, usage if wanted.wants_usage else None))
        return made if wanted.is_prose else made.replace(b'"content":', b'"refusal":')


def _talk(messages: list[Message]) -> list[Said]:
    """Return what was said up to the child's last words, without the system's and the tools'."""
    talk: list[Said] = [
        ("child" if isinstance(message, User) else "toy", text_of(message.content))
        for message in messages
        if isinstance(message, User | Assistant)
    ]
    return talk[: max((at for at, (who, _) in enumerate(talk, start=1) if who == "child"), default=0)]


def _refused(body: bytes, verdict: Verdict, *, prose: bool) -> bytes:
    answer: dict[str, Any] = msgspec.json.decode(body)
    message = answer["choices"][0]["message"]
    if not prose:
        message["refusal"], message["content"] = message["content"], None
    return msgspec.json.encode(answer | {"guard": {"kind": verdict.kind}})


def _shows(message: User) -> bool:
    """Tell whether a message has parts that are no words: nobody here judges a picture, a recording or a file."""
    return isinstance(message.content, list) and any(part.type not in ("text", "refusal") for part in message.content)


def _fit(watch: Watch, asked: Asked) -> Asked:
    """Return the request as a model may see it."""
    messages = asked.wanted.messages
    kept = _kept(watch, messages)
    mended = {at: fields for at in kept if (fields := _mended(watch, messages[at])) is not None}
    return asked if len(kept) == len(messages) and not mended else _with(asked, kept, mended)


def _kept(watch: Watch, messages: list[Message]) -> list[int]:
    """Return the places of the messages that a model may see: not what was stopped, nor the answer to it."""
    kept: list[int] = []
    is_out = False
    last = max(at for at, message in enumerate(messages) if not isinstance(message, Assistant))
    for at, message in enumerate(messages):
        if isinstance(message, User):
            is_out = at < last and not _may_be_repeated(watch, message)
        if not is_out or not isinstance(message, User | Assistant):
            kept.append(at)
    return kept


def _may_be_repeated(watch: Watch, message: User) -> bool:
    return watch.harmless(text_of(message.content)) and not (_shows(message) and watch.is_stopped(UNSEEN))


def _mended(watch: Watch, message: Message) -> dict[str, str | None] | None:
    """Return what of a message is put otherwise: a result of a tool, or a child's name, that does not pass."""
    if isinstance(message, Tool | Function):
        sentences = SENTENCE_END.split(text_of(message.content))
        return None if all(watch.harmless(each, "answered") for each in sentences) else {"content": _LEFT_OUT}
    if isinstance(message, User) and message.name and not watch.harmless(message.name.replace("_", " ")):
        return {"name": None}
    return None


def _with(asked: Asked, kept: list[int], mended: dict[int, dict[str, str | None]]) -> Asked:
    """Return the request with these of its messages, and with other fields in some of them; None: without the field."""
    fields = msgspec.json.decode(asked.body, type=dict[str, Raw])
    raw = msgspec.json.decode(asked.body, type=_Messages).messages
    messages = list(asked.wanted.messages)
    for at, changes in mended.items():
        told = msgspec.json.decode(raw[at], type=dict[str, Raw])
        kept_fields = {name: value for name, value in told.items() if name not in changes}
        raw[at] = Raw(msgspec.json.encode(kept_fields | {name: value for name, value in changes.items() if value}))
        messages[at] = replace(messages[at], **changes)
    fields["messages"] = Raw(msgspec.json.encode([raw[at] for at in kept]))
    wanted = replace(asked.wanted, messages=[messages[at] for at in kept])
    return replace(asked, body=msgspec.json.encode(fields), wanted=wanted)
