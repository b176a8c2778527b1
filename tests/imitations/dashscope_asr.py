"""An imitation of Qwen3-ASR-Flash at Model Studio."""

import json
from base64 import b64decode

from aiohttp import web

from imitations.vendor import Manner, json_error
from imitations.words import WORDS, HearingServer, hearing

KEY = "sk-dashscope-secret-1234567"


def said(text: str) -> bytes:
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
    return json.dumps({"id": "c", "object": "chat.completion", "choices": [choice]}).encode()


class DashscopeAsrServer(HearingServer):
    """What dashscope.aliyuncs.com answers."""

    post_path = "/compatible-mode/v1/chat/completions"
    manners = hearing(KEY, said(WORDS), said("")) | {
        "busy": Manner(status=429, body=json_error("Throttling.RateQuota", "Requests rate limit exceeded.")),
        "within": Manner(body=json_error("Throttling", "Requests rate limit exceeded, please try again later.")),
        "unpaid": Manner(status=400, body=json_error("Arrearage", "Access denied, account is not in good standing.")),
        "blocked": Manner(
            status=400, body=json_error("data_inspection_failed", "It may contain inappropriate content.")
        ),
        "model": Manner(status=404, body=json_error("model_not_found", "The model does not exist.")),
        "internal": Manner(status=500, body=json_error("InternalError", "Something is wrong.")),
    }
    unknown_key = Manner(status=401, body=json_error("invalid_api_key", "Incorrect API key provided."))

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse what is no recording in a data URL."""
        asked = json.loads(body)
        head, _, data = asked["messages"][-1]["content"][0]["input_audio"]["data"].partition(",")
        right = asked["model"] == "qwen3-asr-flash" and head == "data:audio/mpeg;base64" and b64decode(data)
        return None if right else web.Response(status=400, body=json_error("InvalidParameter", "audio"))
