"""An imitation of Dify's text-to-audio: the format is the provider's behind it, and the label is not always right."""

import json

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import encoded, hum

KEY = "app-secret-1234567"


def refused(code: str, status: int) -> Manner:
    return Manner(status=status, body=json.dumps({"code": code, "message": "as documented", "status": status}).encode())


class DifyTtsServer(VendorServer):
    """What api.dify.ai answers."""

    post_path = "/v1/text-to-audio"
    manners = usual(KEY, "audio/mpeg", 4_000) | {
        "slow": Manner(claims="audio/mpeg", slice_bytes=800, slice_seconds=0.1),
        "busy": refused("too_many_requests", 429),
        "quota": refused("rate_limit_error", 429),
        "unpaid": refused("provider_quota_exceeded", 400),
        "off": refused("app_unavailable", 400),
    }
    unknown_key = refused("unauthorized", 401)

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        return None if asked.get("user") and asked.get("text") else web.Response(status=400)

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        return encoded(hum(0.12 * len(json.loads(body)["text"])))
