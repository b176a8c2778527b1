"""An imitation of Dify's chat-messages: events, a ping between them, and a conversation that is kept."""

import json
from typing import Any

from aiohttp import web

from imitations.vendor import Manner, Seen, VendorServer, usual

KEY = "app-secret-1234567"
CONVERSATION = "conversation-1"
TASK = "task-1"


def refused(code: str, status: int) -> Manner:
    return Manner(status=status, body=json.dumps({"code": code, "message": "as documented", "status": status}).encode())


def events(*told: dict[str, Any]) -> bytes:
    ids = {"task_id": TASK, "conversation_id": CONVERSATION}
    return b"event: ping\n\n".join(b"data: " + json.dumps(ids | each).encode() + b"\n\n" for each in told)


def message(words: str, event: str = "message") -> dict[str, Any]:
    return {"event": event, "answer": words}


END = {"event": "message_end", "metadata": {"usage": {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}}}
THOUGHT = {"event": "agent_thought", "thought": "hm, a bear", "observation": ""}
ANSWER = events(THOUGHT, message("Hello "), message("little bear."), END)
STREAM = "text/event-stream"


def streamed(*told: dict[str, Any]) -> Manner:
    return Manner(body=events(*told), claims=STREAM)


class DifyServer(VendorServer):
    """What api.dify.ai answers."""

    post_path = "/v1/chat-messages"
    manners = usual(KEY, STREAM, 400) | {
        "repeats": streamed(message("Hello ", "agent_message"), message("bear."), message("Hello bear."), END),
        "echo": streamed(message("ha"), message("ha"), message("!"), END),
        "replaced": streamed({"event": "message_replace", "answer": "Let us talk of bears."}, END),
        "late": streamed(message("Hello "), {"event": "message_replace", "answer": "No."}, END),
        "within": streamed({"event": "error", "status": 400, "code": "provider_quota_exceeded", "message": "empty"}),
        "endless": streamed(message("Hello ")),
        "busy": refused("too_many_requests", 429),
        "quota": refused("rate_limit_error", 429),
        "unpaid": refused("provider_quota_exceeded", 400),
        "off": refused("app_unavailable", 400),
    }
    unknown_key = refused("unauthorized", 401)

    def __init__(self, prefix: str = "/vendor") -> None:
        super().__init__(prefix)
        self.stopped: list[Seen] = []
        self.forgets = False

    def routes(self) -> list[web.RouteDef]:
        return [web.post(self.prefix + "/v1/chat-messages/{task}/stop", self._stop)]

    async def _stop(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.stopped.append(Seen("POST", request.path, {}, dict(request.headers), body))
        return web.json_response({"result": "success"})

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        if not (asked.get("user") and asked.get("query") and "inputs" in asked):
            return web.Response(status=400)
        if self.forgets and asked["conversation_id"]:
            gone = {"code": "not_found", "message": "Conversation Not Exists.", "status": 404}
            return web.json_response(gone, status=404)
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        return ANSWER if manner.body == Manner().body else manner.body
