"""An imitation of Volcengine's speech: V3 over HTTP, a row of JSON objects without line ends, and V1, a single one."""

import json
from base64 import b64encode
from typing import Any

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "volcengine-secret-1234567"
APP = "1234567890"
PIECE = 9_600
V1 = "/api/v1/tts"


def code(number: int, message: str) -> bytes:
    return json.dumps({"reqid": "r", "code": number, "message": message}).encode()


class VolcengineTtsServer(VendorServer):
    """What openspeech.bytedance.com answers."""

    post_path = "/api/v3/tts/unidirectional"
    manners = usual(KEY, "application/json", 40_000) | {
        "busy": Manner(status=429, body=code(55000031, "server busy")),
        "concurrency": Manner(status=400, body=code(45000000, "quota exceeded for types: concurrency")),
        "unpaid": Manner(status=400, body=code(45000000, "quota exceeded for types: text_words_lifetime")),
        "within": Manner(body=code(45000001, "parameters")),
        "late": Manner(body=b"", claims="application/json"),
    }
    unknown_key = Manner(
        status=401, body=json.dumps({"header": {"code": 45000010, "message": "requested grant not found"}}).encode()
    )

    def routes(self) -> list[web.RouteDef]:
        return [web.post(self.prefix + V1, self._asked)]

    def key_of(self, request: web.Request) -> str:
        headers = request.headers
        if request.path.endswith(V1):
            return headers.get("authorization", "").removeprefix("Bearer;")
        if "x-api-key" in headers:
            return headers["x-api-key"]
        return headers.get("x-api-access-key", "") if headers.get("x-api-app-id") == APP else ""

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        if request.path.endswith(V1):
            right = len(asked["request"]["text"].encode()) <= 1024 and 0.2 <= asked["audio"]["speed_ratio"] <= 3
        else:
            audio = asked["req_params"]["audio_params"]
            second = "uranus" in asked["req_params"]["speaker"]
            right = -50 <= audio["speech_rate"] <= 100 and second == (
                request.headers["x-api-resource-id"] == "seed-tts-2.0"
            )
        return None if right else web.Response(status=400, body=code(45000001, "parameters"))

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        asked: dict[str, Any] = json.loads(body)
        if request.path.endswith(V1):
            return _object(3000, hum(0.06 * len(asked["request"]["text"])))
        sound = hum(0.06 * len(asked["req_params"]["text"]))
        pieces = [_object(0, sound[at : at + PIECE]) for at in range(0, len(sound), PIECE)]
        return b"".join([*pieces, json.dumps({"code": 20000000, "message": "ok", "data": None}).encode()])


def _object(number: int, sound: bytes) -> bytes:
    return json.dumps({"code": number, "message": "", "data": b64encode(sound).decode()}).encode()
