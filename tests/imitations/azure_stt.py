"""An imitation of Azure's short-audio recognition, as learn.microsoft.com/…/rest-speech-to-text-short documents it.

It answers at `/speech/recognition/conversation/cognitiveservices/v1` below its address. A key picks a manner by name.
"""

import json

from aiohttp import web

from imitations.vendor import Manner, VendorServer, json_error

PATH = "/speech/recognition/conversation/cognitiveservices/v1"
KEY = "azure-secret-1234567"


def status(name: str, text: str = "") -> bytes:
    return json.dumps({"RecognitionStatus": name, "DisplayText": text, "Offset": 0, "Duration": 10_000_000}).encode()


MANNERS = {
    KEY: Manner(body=status("Success", "Hello little bear.")),
    "no-match": Manner(body=status("NoMatch")),
    "silence": Manner(body=status("InitialSilenceTimeout")),
    "error": Manner(body=status("Error")),
    "wrong-region": Manner(status=401, body=json_error("401", "Access denied due to invalid subscription key.")),
    "busy": Manner(status=429, headers=(("retry-after", "3"),), body=b""),
    "broken": Manner(status=500, body=b"<html>oops</html>"),
    "page": Manner(body=b"<html>Welcome</html>", claims="text/html"),
    "hangs": Manner(before_headers_seconds=30.0),
}


class AzureSttServer(VendorServer):
    """What a region's host answers."""

    manners = MANNERS
    post_path = PATH

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("ocp-apim-subscription-key", "")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse as Azure does what it cannot read."""
        if "language" not in request.query or "-" not in request.query["language"]:
            return web.Response(status=400, text="Unspecified or invalid language.")
        if not request.headers.get("content-type", "").startswith("audio/wav; codecs=audio/pcm; samplerate=16000"):
            return web.Response(status=400, text="Unsupported audio format.")
        if body[:4] != b"RIFF":
            return web.Response(status=400, text="Invalid audio.", content_type="text/plain")
        return None
