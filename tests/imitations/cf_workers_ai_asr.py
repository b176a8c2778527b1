"""An imitation of Whisper on Cloudflare's Workers AI."""

import json
from base64 import b64decode

from aiohttp import web

from imitations.vendor import Manner
from imitations.words import WORDS, HearingServer, hearing

KEY = "cloudflare-secret-1234567"
ACCOUNT = "a1b2c3"


def said(text: str) -> bytes:
    return json.dumps({"result": {"text": text}, "success": True, "errors": [], "messages": []}).encode()


def refused(status: int, code: int, message: str) -> Manner:
    body = {"result": None, "success": False, "errors": [{"code": code, "message": message}], "messages": []}
    return Manner(status=status, body=json.dumps(body).encode())


class CfWorkersAiAsrServer(HearingServer):
    """What api.cloudflare.com answers."""

    post_path = f"/client/v4/accounts/{ACCOUNT}/ai/run/@cf/openai/{{model}}"
    manners = hearing(KEY, said(WORDS), said("")) | {
        "unpaid": refused(429, 3036, "You have used up your daily free allocation of 10,000 neurons."),
        "capacity": refused(429, 3040, "Capacity temporarily exceeded, please try again."),
        "model": refused(400, 5007, "No such model @cf/openai/whisper or task"),
        "within": Manner(body=refused(200, 3040, "Too many requests").body),
        "internal": refused(500, 3026, "Internal error"),
    }
    unknown_key = refused(401, 10000, "Authentication error")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse what is no recording in the form that the model takes."""
        turbo = request.match_info["model"].endswith("turbo")
        sound = b64decode(json.loads(body)["audio"]) if turbo else body
        manner = refused(400, 5006, "Error: required properties are missing at '/': 'audio'")
        right = sound.startswith(b"ID3") or sound[:1] == b"\xff"
        return None if right else web.Response(status=manner.status, body=manner.body)
