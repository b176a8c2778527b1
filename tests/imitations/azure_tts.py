"""An imitation of Azure's synthesis, as learn.microsoft.com/…/rest-text-to-speech documents it.

It answers at `/cognitiveservices/v1` below its address; a key picks a manner by name. Every letter sounds 60 ms.
"""

from xml.etree import ElementTree

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "azure-secret-1234567"
PATH = "/cognitiveservices/v1"
PCM = "audio/basic"


class AzureTtsServer(VendorServer):
    """What a region's host answers."""

    manners = usual(KEY, PCM) | {"busy": Manner(status=429, body=b"", headers=(("retry-after", "3"),))}
    post_path = PATH

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("ocp-apim-subscription-key", "")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse as Azure does what it cannot read: its 400 has an empty body."""
        if request.headers.get("x-microsoft-outputformat") != "raw-24khz-16bit-mono-pcm":
            return web.Response(status=415)
        if "user-agent" not in request.headers:
            return web.Response(status=400)
        try:
            ElementTree.fromstring(body)
        except ElementTree.ParseError:
            return web.Response(status=400)
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        return hum(0.06 * len("".join(ElementTree.fromstring(body).itertext())))
