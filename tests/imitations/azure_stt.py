"""An imitation of Azure's short-audio recognition, as learn.microsoft.com/…/rest-speech-to-text-short documents it.

It answers at `/speech/recognition/conversation/cognitiveservices/v1` below its address. A key picks a manner by name.
"""

import json

from aiohttp import web

from imitations.vendor import Manner, json_error
from imitations.words import WORDS, HearingServer, hearing

PATH = "/speech/recognition/conversation/cognitiveservices/v1"
FAST_PATH = "/speechtotext/transcriptions:transcribe"
FAST = json.dumps({"combinedPhrases": [{"text": WORDS}], "phrases": [{"text": WORDS, "locale": "en-US"}]}).encode()
KEY = "azure-secret-1234567"


def status(name: str, text: str = "") -> bytes:
    return json.dumps({"RecognitionStatus": name, "DisplayText": text, "Offset": 0, "Duration": 10_000_000}).encode()


MANNERS = hearing(KEY, status("Success", WORDS), status("NoMatch")) | {
    "no-match": Manner(body=status("NoMatch")),
    "silence": Manner(body=status("InitialSilenceTimeout")),
    "babble": Manner(body=status("BabbleTimeout")),
    "error": Manner(body=status("Error")),
    "wrong-region": Manner(status=401, body=json_error("401", "Access denied due to invalid subscription key.")),
    "no-key": Manner(status=403, body=b""),
    "away-for-now": Manner(status=503, headers=(("retry-after", "7"),), body=b""),
}


class AzureSttServer(HearingServer):
    """What a region's host answers."""

    manners = MANNERS
    no_words = frozenset({"no-words", "no-match", "silence", "babble"})
    post_path = PATH

    def routes(self) -> list[web.RouteDef]:
        return [web.post(self.prefix + FAST_PATH, self._asked)]

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        fast = request.path.endswith(FAST_PATH)
        return FAST if fast and manner is MANNERS[KEY] else super().answer(request, body, manner)

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("ocp-apim-subscription-key", "")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse as Azure does what it cannot read."""
        if request.path.endswith(FAST_PATH):
            right = b'name="definition"' in body and b'name="audio"' in body and "api-version" in request.query
            return None if right else web.Response(status=400, body=json_error("InvalidArgument", "definition"))
        if "language" not in request.query or "-" not in request.query["language"]:
            return web.Response(status=400, text="Unspecified or invalid language.")
        if not request.headers.get("content-type", "").startswith("audio/wav; codecs=audio/pcm; samplerate=16000"):
            return web.Response(status=400, text="Unsupported audio format.")
        if body[:4] != b"RIFF":
            return web.Response(status=400, text="Invalid audio.", content_type="text/plain")
        return None
