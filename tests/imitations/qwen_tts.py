"""An imitation of Qwen-TTS at DashScope: events with sound in Base64; the last has none, and an address instead."""

import base64
import json

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "sk-qwen-0123456789"
EVENTS = "text/event-stream"
PIECE = 9_600
VOICES = ("Cherry", "Serena", "Jennifer", "Katerina", "Ethan", "Ryan")


def failed(code: str, message: str) -> bytes:
    return json.dumps({"request_id": "r", "code": code, "message": message}).encode()


def event(sound: bytes, reason: str = "null") -> bytes:
    url = "http://dashscope-result.example/a.wav" if reason == "stop" else ""
    audio = {"data": base64.b64encode(sound).decode(), "expires_at": 1, "id": "a", "url": url}
    said = {"output": {"finish_reason": reason, "audio": audio}, "usage": {"characters": 1}, "request_id": "r"}
    return b"id:1\nevent:result\n:HTTP_STATUS/200\ndata:" + json.dumps(said).encode() + b"\n\n"


class QwenTtsServer(VendorServer):
    """What dashscope.aliyuncs.com answers to a question for speech that shall come as events."""

    post_path = "/api/v1/services/aigc/multimodal-generation/generation"
    manners = usual(KEY, EVENTS, 40_000) | {
        "busy": Manner(status=429, body=failed("Throttling.RateQuota", "Requests rate limit exceeded.")),
        "unpaid": Manner(status=400, body=failed("Arrearage", "Access denied, please check your account.")),
        "blocked": Manner(status=400, body=failed("DataInspectionFailed", "Input may be inappropriate content.")),
        "within": Manner(body=b"event:error\ndata:" + failed("Arrearage", "Access denied.") + b"\n\n", claims=EVENTS),
        "no end": Manner(body=event(hum(0.5)), claims=EVENTS),
        "no letters": Manner(body=event(hum(0.5)).replace(b'"data": "', b'"data": "!'), claims=EVENTS),
    }
    unknown_key = Manner(status=401, body=failed("InvalidApiKey", "Invalid API-key provided."))

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        right = request.headers.get("x-dashscope-sse") == "enable" and len(asked["input"]["text"]) <= 600
        if right and asked["model"].startswith("qwen") and asked["input"]["voice"] in VOICES:
            return None
        return web.Response(status=400, body=failed("InvalidParameter", "url error, please check url!"))

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        sound = hum(0.06 * len(json.loads(body)["input"]["text"]))
        pieces = [event(sound[at : at + PIECE]) for at in range(0, len(sound), PIECE)]
        return b"".join([*pieces, event(b"", "stop")])
