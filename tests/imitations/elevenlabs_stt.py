"""An imitation of ElevenLabs' Scribe."""

import json

from aiohttp import web

from imitations.vendor import Manner
from imitations.words import WORDS, HearingServer, hearing

KEY = "xi-secret-1234567"


def said(text: str) -> bytes:
    return json.dumps({"language_code": "eng", "language_probability": 0.98, "text": text, "words": []}).encode()


def refused(status: int, code: str, message: str = "Something is wrong.") -> Manner:
    return Manner(status=status, body=json.dumps({"detail": {"status": code, "message": message}}).encode())


class ElevenLabsSttServer(HearingServer):
    """What api.elevenlabs.io answers."""

    post_path = "/v1/speech-to-text"
    manners = hearing(KEY, said(WORDS), said("")) | {
        "busy": refused(429, "too_many_concurrent_requests"),
        "system": refused(429, "system_busy"),
        "unpaid": refused(401, "quota_exceeded", "This request exceeds your quota."),
        "within": Manner(body=refused(200, "system_busy").body),
    }
    unknown_key = refused(401, "invalid_api_key", "Invalid API key")

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("xi-api-key", "")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse a form without a model, and events of sound among the words."""
        right = b"scribe_v2" in body and b'name="tag_audio_events"\r\n\r\nfalse' in body and b'name="file"' in body
        return None if right else web.Response(status=422, text='{"detail": [{"loc": ["body"], "msg": "missing"}]}')
