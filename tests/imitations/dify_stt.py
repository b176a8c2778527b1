"""An imitation of a Dify app's audio-to-text, as docs.dify.ai documents it."""

import json
import re

from aiohttp import web

from imitations.vendor import Manner
from imitations.words import WORDS, HearingServer, hearing

KEY = "app-secret-1234567"
_TAKEN = ("audio/mp3", "audio/m4a", "audio/wav", "audio/amr", "audio/mpga")


def said(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


def refused(status: int, code: str, message: str = "Something is wrong.") -> Manner:
    return Manner(status=status, body=json.dumps({"code": code, "message": message, "status": status}).encode())


class DifySttServer(HearingServer):
    """What an app answers."""

    post_path = "/v1/audio-to-text"
    manners = hearing(KEY, said(WORDS), said("")) | {
        "busy": refused(429, "too_many_requests", "Too many requests. Please try again later."),
        "limit": refused(429, "rate_limit_error"),
        "unpaid": refused(400, "provider_quota_exceeded", "Your quota for Dify Hosted Model Provider is exceeded."),
        "within": Manner(body=refused(429, "too_many_requests").body),
        "app": refused(400, "app_unavailable", "App unavailable, please check your app configurations."),
        "disabled": refused(400, "speech_to_text_disabled", "Speech to text is disabled."),
        "unsupported": refused(400, "provider_not_support_speech_to_text"),
        "uninitialised": refused(400, "provider_not_initialize", "No valid model provider credentials found."),
        "model": refused(400, "model_currently_not_support"),
        "completion": refused(400, "completion_request_error", "Completion request failed."),
        "no-audio": refused(400, "no_audio_uploaded"),
        "too-large": refused(413, "audio_too_large", "Audio size larger than 30 mb"),
        "unlike": refused(415, "unsupported_audio_type", "Audio type not allowed."),
        "internal": refused(500, "internal_server_error"),
    }
    unknown_key = refused(401, "unauthorized", "Access token is invalid")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse a form without a user, and types that Dify does not know."""
        kinds = re.findall(rb'name="file"; filename="[^"]+\.\w+"\r\nContent-Type: (\S+)', body)
        if [kind.decode() for kind in kinds if kind.decode() in _TAKEN] and b'name="user"' in body:
            return None
        manner = self.manners["unlike"]
        return web.Response(status=manner.status, body=manner.body, content_type="application/json")
