"""Engine `coze`: a bot of Coze, over version 3 of its chat API.

Source: coze.cn/open/docs/developer_guides (chat_v3, chat_cancel, coze_error_codes).
"""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Self

import msgspec
from msgspec import Struct

from chassis.chain.seat import Report
from chassis.errors import ApiError, EngineFailed, EngineUnavailable
from chassis.settings import Options, SettingError, read
from chassis.upstream.json_objects import messages
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.vendor import Call, Vendor
from llm.answer.usage import Counts
from llm.chat_service import ChatService, Finish
from llm.settings import RelayOptions
from llm.wire import Assistant, ChatRequest, Developer, System, User, said_by, text_of

_USER = "talkbox"
_PATH = re.compile(r"(?:/open_api)?/v\d(?:/chat)?$")
"""Path that FoloToy's examples leave at the end of the address, of version 2 too."""


class CozeOptions(Options, frozen=True, kw_only=True):
    """The engine `coze`: a bot of Coze."""

    prefix = "COZE_"
    personal_access_token: tuple[str, ...] = ()
    """Access token (`pat_…`, or one of a service), or several."""
    bot_id: str = ""
    """Bot, published to the API: the number at the end of its page's address."""
    api_base: str = "https://api.coze.cn"
    """Address of the API: `https://api.coze.com` outside China."""
    custom_variables: str = "{}"
    """JSON object with variables of the bot's prompt and their values."""
    system_variable: str = ""
    """Variable of the bot's prompt that takes the role's system prompt; unset: the bot's own prompt alone."""


class _Usage(Struct):
    input_count: int = 0
    output_count: int = 0


class _Error(Struct):
    code: int | str | None = None
    msg: str = ""


class _Event(Struct):
    event: str = ""
    id: str = ""
    conversation_id: str = ""
    type: str | None = None
    content: str | None = None
    content_type: str | None = None
    usage: _Usage | None = None
    last_error: _Error | None = None
    code: int | str | None = None
    msg: str = ""


class Coze(ChatService):
    """One bot; it is sent the whole conversation each time, and keeps none."""

    def __init__(self, options: CozeOptions, vendor: Vendor, relay: RelayOptions) -> None:
        """Raises:
        EngineUnavailable: No bot is named.
        SettingError: The variables are no JSON object.
        """
        super().__init__(vendor, relay)
        if not options.bot_id:
            raise EngineUnavailable("Set COZE_BOT_ID.")
        self._options, self._variables = options, _object(options.custom_variables)
        self.url = _PATH.sub("", options.api_base.rstrip("/")) + "/v3/chat"

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(CozeOptions)
        token = "COZE_PERSONAL_ACCESS_TOKEN"
        vendor = Vendor(name, "LLM_COZE_", options.personal_access_token, token, model_variable="COZE_BOT_ID")
        return cls(options, vendor, read(RelayOptions, own="LLM_COZE_"))

    async def attempt(self, key: str, wanted: ChatRequest) -> AsyncGenerator[str | Finish, None]:
        reply = await self.vendor.send(self._call(key, wanted))
        chat: dict[str, str] = {}
        said: set[str] = set()
        try:
            pieces = reply.in_time(self.options.silence_seconds, self.options.silence_seconds)
            async with aclosing(messages(pieces, _Event)) as events:
                async for event in events:
                    match event.event:
                        case "conversation.chat.created" | "conversation.chat.in_progress":
                            chat = {"chat_id": event.id, "conversation_id": event.conversation_id}
                        case "conversation.message.delta" if words := _words(event):
                            said.add(event.id)
                            yield words
                        case "conversation.message.completed" if event.id not in said and (words := _words(event)):
                            yield words
                        case "conversation.chat.completed":
                            chat = {}
                            yield Finish("stop", _counts(event.usage))
                            return
                        case "conversation.chat.failed" | "conversation.chat.requires_action" | "error" | "":
                            chat = {}
                            raise self._failure(event)
        finally:
            await reply.aclose()
            if chat:
                self.stop_soon(Call(f"{self.url}/cancel", _headers(key), msgspec.json.encode(chat)))

    def _failure(self, event: _Event) -> ApiError:
        if event.event == "conversation.chat.requires_action":
            return EngineFailed("waits for a tool that only its caller could run: take it out of the bot")
        error = event.last_error or _Error(event.code, event.msg)
        return self.vendor.meant(Complaint.within({"error": {"code": error.code, "message": error.msg}}) or Complaint())

    def _call(self, key: str, wanted: ChatRequest) -> Call:
        options = self._options
        system = "\n".join(said_by((System, Developer), wanted.messages))
        variables = self._variables | ({options.system_variable: system} if options.system_variable else {})
        body = {
            "bot_id": options.bot_id,
            "user_id": wanted.user or _USER,
            "stream": True,
            "auto_save_history": False,
            "additional_messages": _conversation(wanted),
        }
        body |= {"custom_variables": variables} if variables else {}
        return Call(self.url, _headers(key), msgspec.json.encode(body))


def _conversation(wanted: ChatRequest) -> list[dict[str, str]]:
    """Return what was said, the oldest first; the last is what the bot answers."""
    kinds = {User: ("user", "question"), Assistant: ("assistant", "answer")}
    said = [(kinds[type(each)], text_of(each.content)) for each in wanted.messages if type(each) in kinds]
    return [
        {"role": role, "type": kind, "content": text, "content_type": "text"} for (role, kind), text in said if text
    ]


def _words(event: _Event) -> str:
    """Return what a message holds to be spoken: thoughts, tools, cards and follow-up questions are not."""
    spoken = event.type == "answer" and event.content_type in (None, "", "text")
    return event.content or "" if spoken else ""


def _counts(usage: _Usage | None) -> Counts | None:
    """Return the tokens; the field is reserved, and may hold noughts."""
    if usage is None or not (usage.input_count or usage.output_count):
        return None
    return Counts(usage.input_count, usage.output_count)


def _headers(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}", "content-type": "application/json"}


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeEncodeError) as exc:
        raise SettingError('COZE_CUSTOM_VARIABLES: it takes a JSON object: {"name": "value"}.') from exc
