"""An imitation of a deployment of Azure OpenAI that hears, as learn.microsoft.com/azure/ai-foundry documents it."""

import json
import re

from aiohttp import web

from imitations.vendor import Manner, json_error
from imitations.words import WORDS, HearingServer, hearing

KEY = "azure-openai-secret-1234567"
DEPLOYMENT = "whisper-of-mine"


def said(text: str) -> bytes:
    return json.dumps({"text": text}).encode()


class AzureWhisperServer(HearingServer):
    """What a resource answers."""

    post_path = f"/openai/deployments/{DEPLOYMENT}/audio/transcriptions"
    manners = hearing(KEY, said(WORDS), said("")) | {
        "eyJ-entra": Manner(body=said(WORDS)),
        "busy": Manner(
            status=429,
            headers=(("retry-after", "3"),),
            body=json_error("429", "Requests to the Transcription Operation have exceeded call rate limit."),
        ),
        "deployment": Manner(
            status=404,
            body=json_error("DeploymentNotFound", "The API deployment for this resource does not exist."),
        ),
        "blocked": Manner(
            status=400,
            body=json_error("content_filter", "The prompt was filtered by Azure OpenAI's content management policy."),
        ),
        "internal": Manner(status=500, body=json_error("InternalServerError", "The server had an error.")),
    }
    unknown_key = Manner(
        status=401, body=json_error("401", "Access denied due to invalid subscription key or wrong API endpoint.")
    )

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("api-key") or super().key_of(request)

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse a request without a version, and files that Whisper at Azure does not read."""
        if not re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", request.query.get("api-version", "")):
            return web.Response(status=404, body=json_error("404", "Resource not found"))
        if not re.search(rb'filename="[^"]+\.(mp3|mp4|mpeg|mpga|m4a|wav|webm)"', body):
            return web.Response(status=400, body=json_error("400", "Unrecognized file format."))
        return None
