"""An imitation of Coze's chat, version 3: named events, the answer repeated at its end, errors under 200."""

import json
from typing import Any

from aiohttp import web

from imitations.vendor import Manner, Seen, VendorServer, usual

KEY = "pat_secret1234567"
BOT = "7379462189365198898"
CHAT = "7382158397837344768"
CONVERSATION = "7381473525342978089"
STREAM = "text/event-stream"


def error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "msg": message, "detail": {"logid": "20241210152726467C48D89D6DB2F37A23"}}


def refused(code: int, message: str, status: int = 200) -> Manner:
    return Manner(status=status, body=json.dumps(error(code, message)).encode())


def event(name: str, data: Any) -> bytes:
    return f"event:{name}\ndata:{json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chat(name: str, **more: Any) -> bytes:
    status = {"status": name, "last_error": {"code": 0, "msg": ""}, "usage": {"token_count": 0}}
    return event(
        f"conversation.chat.{name}", {"id": CHAT, "conversation_id": CONVERSATION, "bot_id": BOT, **status, **more}
    )


def message(name: str, content: str, kind: str = "answer", number: str = "m1", **more: Any) -> bytes:
    said = {"id": number, "role": "assistant", "type": kind, "content": content, "content_type": "text"}
    return event(f"conversation.message.{name}", said | {"chat_id": CHAT, "conversation_id": CONVERSATION} | more)


BEGUN = chat("created") + chat("in_progress")
TOLD = (
    message("completed", '{"name":"weather"}', "function_call", "m0")
    + message("delta", "", reasoning_content="hm, a bear")
    + message("delta", "Hello ")
    + message("delta", "little bear.")
    + message("completed", "Hello little bear.")
    + message("completed", '{"msg_type":"generate_answer_finish"}', "verbose", "m2")
    + message("completed", "Shall I sing?", "follow_up", "m3")
)
USAGE = {"token_count": 10, "output_count": 3, "input_count": 7}
DONE = event("done", "[DONE]")
ANSWER = BEGUN + TOLD + chat("completed", usage=USAGE) + DONE


def streamed(*told: bytes) -> Manner:
    return Manner(body=BEGUN + b"".join(told), claims=STREAM)


class CozeServer(VendorServer):
    """What api.coze.cn answers."""

    post_path = "/v3/chat"
    manners = usual(KEY, STREAM, 1900) | {
        "busy": refused(4009, "System request limit reached, please try again later"),
        "unpaid": refused(4011, "The Coze Token balance of the current account is insufficient"),
        "unpublished": refused(4015, "The bot_id is not published to the API channel"),
        "overloaded": refused(4009, "System request limit reached", 429),
        "failed": streamed(chat("failed", last_error={"code": 4019, "msg": "account in arrears"})),
        "within": streamed(event("error", error(5000, "server error"))),
        "blocked": streamed(chat("failed", last_error={"code": 4105, "msg": "内容包含敏感信息"})),
        "tool": streamed(chat("requires_action")),
        "card": streamed(message("delta", "{}", content_type="card"), message("delta", "Hi."), chat("completed"), DONE),
        "undivided": streamed(message("completed", "Hello."), chat("completed"), DONE),
        "twice": streamed(message("delta", "One. "), message("delta", "Two.", number="m9"), chat("completed"), DONE),
        "endless": streamed(message("delta", "Hello ")),
    }
    unknown_key = refused(4100, "authentication is invalid")

    def __init__(self, prefix: str = "/vendor") -> None:
        super().__init__(prefix)
        self.stopped: list[Seen] = []

    def routes(self) -> list[web.RouteDef]:
        return [web.post(self.prefix + "/v3/chat/cancel", self._cancel)]

    async def _cancel(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.stopped.append(Seen("POST", request.path, {}, dict(request.headers), body))
        return web.json_response({"code": 0, "msg": ""})

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        said = asked.get("additional_messages")
        wrong = not said or any(each["role"] not in ("user", "assistant") or not each["content"] for each in said)
        if wrong or asked.get("bot_id") != BOT or not asked.get("user_id") or asked.get("stream") is not True:
            return web.json_response(error(4000, "The parameters are invalid"))
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        return ANSWER if manner.body == Manner().body else manner.body
