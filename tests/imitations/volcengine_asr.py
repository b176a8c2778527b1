"""An imitation of Doubao's flash recognition: what went wrong is in its headers, under whatever status of HTTP."""

import json
from base64 import b64decode

from aiohttp import web

from imitations.vendor import Manner
from imitations.words import WORDS, HearingServer, hearing

KEY = "volcengine-secret-1234567"
APP = "1234567890"


def said(text: str) -> bytes:
    return json.dumps({"audio_info": {"duration": 2499}, "result": {"text": text, "utterances": []}}).encode()


def code(number: int, message: str, status: int = 200, body: bytes = b"{}") -> Manner:
    return Manner(status=status, body=body, headers=(("x-api-status-code", str(number)), ("x-api-message", message)))


class VolcengineAsrServer(HearingServer):
    """What openspeech.bytedance.com answers."""

    post_path = "/api/v3/auc/bigmodel/recognize/flash"
    manners = hearing(KEY, said(WORDS), said("")) | {
        KEY: code(20000000, "OK", body=said(WORDS)),
        "silent": code(20000003, "no valid speech in audio"),
        "empty": code(45000002, "Empty audio"),
        "empty-400": code(45000002, "Empty audio", 400),
        "no-speech": Manner(body=b'{"code": 1013, "message": "no speech"}'),
        "busy": code(55000031, "server busy", 503),
        "within": code(55000031, "server busy"),
        "concurrency": code(45000292, "quota exceeded for types: concurrency", 429),
        "unpaid": code(45000292, "quota exceeded for types: audio_duration_lifetime"),
        "parameters": code(45000001, "invalid parameters"),
        "parameters-400": code(45000001, "invalid parameters", 400),
        "audio": code(45000151, "invalid audio format"),
        "audio-400": code(45000151, "invalid audio format", 400),
        "internal": code(55000000, "internal error"),
        "internal-500": code(55000000, "internal error", 500),
        "resource": code(45000030, "requested resource not granted", 403),
    }
    no_words = frozenset({"no-words", "silent", "empty", "empty-400", "no-speech"})
    unknown_key = code(45000010, "requested grant not found", 401)

    def key_of(self, request: web.Request) -> str:
        headers = request.headers
        if "x-api-key" in headers:
            return headers["x-api-key"]
        right = headers.get("x-api-app-key") == APP == headers.get("x-api-app-id")
        return headers.get("x-api-access-key", "") if right else ""

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse what is no recording, and a request without its headers."""
        headers, asked = request.headers, json.loads(body)
        sound = b64decode(asked["audio"]["data"], validate=True)
        right = (
            headers.get("x-api-resource-id") == "volc.bigasr.auc_turbo"
            and headers.get("x-api-sequence") == "-1"
            and len(headers.get("x-api-request-id", "")) == 36
            and asked["request"]["model_name"] == "bigmodel"
            and (sound.startswith(b"ID3") or sound[:1] == b"\xff")
        )
        return None if right else web.Response(headers={"x-api-status-code": "45000001"}, text="{}")
