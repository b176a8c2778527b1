"""Engine `dify`: a Dify app, which remembers each user's conversation itself.

Source: docs.dify.ai (chat-messages, stop).
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Self

import msgspec
from msgspec import Struct, field

from chassis.chain.seat import Report
from chassis.errors import ApiError, BadRequest, EngineBusy, EngineRefused, EngineTimeout, EngineUnpaid
from chassis.settings import Options, read
from chassis.upstream.dify import DifyApp
from chassis.upstream.json_objects import messages
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.reply import Reply
from chassis.upstream.vendor import Call
from llm.answer.usage import Counts
from llm.chat_service import ChatService, Finish
from llm.settings import RelayOptions
from llm.wire import Assistant, ChatRequest, Developer, System, User, said_by, text_of

_USER = "talkbox"
_MOST_CONVERSATIONS = 10_000
_NOT_OF_THE_CONVERSATION = (BadRequest, EngineBusy, EngineRefused, EngineUnpaid, EngineTimeout)


class DifyOptions(Options, frozen=True, kw_only=True):
    """The engine `dify`: a Dify app that converses."""

    prefix = "DIFY_"
    key: tuple[str, ...] = ()
    """Key of the app (`app-…`), or several."""
    api_base: str = "https://api.dify.ai/v1"
    """Address of the API: `http://my-dify/v1`."""
    system_input: str = ""
    """Input variable of the app that takes the role's system prompt; unset: the app's own prompt alone."""


class _Metadata(Struct):
    usage: Counts | None = None


class _Event(Struct):
    event: str = ""
    task_id: str = ""
    conversation_id: str = ""
    answer: str = ""
    metadata: _Metadata = field(default_factory=_Metadata)
    code: str | int | None = None
    message: str = ""
    status: int | str | None = None


class Dify(ChatService):
    """One app; its conversations are kept by key and user."""

    def __init__(self, options: DifyOptions, app: DifyApp, relay: RelayOptions) -> None:
        super().__init__(app, relay)
        self._system_input = options.system_input
        self.url = app.url("chat-messages")
        self._conversations: OrderedDict[tuple[str, str], str] = OrderedDict()

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(DifyOptions)
        app = DifyApp(name, "LLM_DIFY_", options.key, "DIFY_KEY", options.api_base)
        return cls(options, app, read(RelayOptions, own="LLM_DIFY_"))

    async def attempt(self, key: str, wanted: ChatRequest) -> AsyncGenerator[str | Finish, None]:
        reply = await self._begun(key, wanted)
        task = ""
        try:
            said = _Said()
            pieces = reply.in_time(self.options.silence_seconds, self.options.silence_seconds)
            async with aclosing(messages(pieces, _Event)) as events:
                async for event in events:
                    task = event.task_id or task
                    self._remember(key, wanted, event.conversation_id)
                    if event.event in ("error", ""):
                        task = ""
                        raise self.vendor.meant(_complaint(event))
                    for piece in said.add(event):
                        task = "" if isinstance(piece, Finish) and event.event == "message_end" else task
                        yield piece
                    if said.finished:
                        return
        finally:
            await reply.aclose()
            if task:
                self._stop_task(key, wanted, task)

    async def _begun(self, key: str, wanted: ChatRequest) -> Reply:
        """Return an answer that has begun; a conversation that Dify no longer has is begun anew."""
        conversation = self._conversations.get((key, wanted.user or ""), "")
        try:
            return await self.vendor.send(self._call(key, wanted, conversation))
        except ApiError as exc:
            if not conversation or isinstance(exc, _NOT_OF_THE_CONVERSATION):
                raise
            self._conversations.pop((key, wanted.user or ""), None)
            return await self.vendor.send(self._call(key, wanted, ""))

    def _call(self, key: str, wanted: ChatRequest, conversation: str) -> Call:
        system = "\n".join(said_by((System, Developer), wanted.messages))
        body = {
            "inputs": {self._system_input: system} if self._system_input else {},
            "query": _last(wanted) if conversation else _history(wanted),
            "user": wanted.user or _USER,
            "response_mode": "streaming",
            "conversation_id": conversation,
            "auto_generate_name": False,
        }
        return Call(self.url, _headers(key), msgspec.json.encode(body))

    def _remember(self, key: str, wanted: ChatRequest, conversation: str) -> None:
        """Keep a user's conversation; callers who do not say who they are share none."""
        if wanted.user and conversation:
            self._conversations[key, wanted.user] = conversation
            self._conversations.move_to_end((key, wanted.user))
            if len(self._conversations) > _MOST_CONVERSATIONS:
                self._conversations.popitem(last=False)

    def _stop_task(self, key: str, wanted: ChatRequest, task: str) -> None:
        body = msgspec.json.encode({"user": wanted.user or _USER})
        self.stop_soon(Call(f"{self.url}/{task}/stop", _headers(key), body))


class _Said:
    """Words of one answer so far; a closing message that repeats them all is held back and dropped."""

    def __init__(self) -> None:
        self.finished = False
        self._text = self._held = ""

    def add(self, event: _Event) -> list[str | Finish]:
        """Return what an event adds to the answer; other events than these hold no speech."""
        match event.event:
            case "message" | "agent_message" if event.answer:
                return self._words(event.answer)
            case "message_replace":
                return self._replaced(event.answer)
            case "message_end":
                self.finished = True
                return [Finish("stop", event.metadata.usage)]
        return []

    def _words(self, words: str) -> list[str | Finish]:
        if words == self._text and not self._held:
            self._held = words
            return []
        said, self._held = self._held + words, ""
        self._text += said
        return [said]

    def _replaced(self, words: str) -> list[str | Finish]:
        """Say what moderation put in place of the answer, if nothing was said yet; else stop."""
        self.finished = True
        return [Finish("content_filter")] if self._text or not words else [words, Finish("stop")]


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "content-type": "application/json"}


def _complaint(event: _Event) -> Complaint:
    told = {"code": event.code, "message": event.message, "status": event.status}
    return Complaint.within({"error": told}) or Complaint()


def _last(wanted: ChatRequest) -> str:
    return next(iter(said_by(User, wanted.messages)[::-1]), "")


def _history(wanted: ChatRequest) -> str:
    """Return the conversation as one text, where Dify does not have it yet."""
    said = [each for each in wanted.messages if isinstance(each, User | Assistant) and text_of(each.content)]
    if len(said) < 2:
        return _last(wanted)
    return "\n".join(f"{'User' if isinstance(each, User) else 'You'}: {text_of(each.content)}" for each in said)
