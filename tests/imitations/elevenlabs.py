"""An imitation of ElevenLabs' streamed speech, as elevenlabs.io/docs/api-reference documents it."""

import json

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "elevenlabs-secret-1234567"
PCM = "audio/pcm"


def detail(status: str, message: str = "as documented") -> bytes:
    return json.dumps({"detail": {"status": status, "message": message}}).encode()


class ElevenLabsServer(VendorServer):
    """What api.elevenlabs.io answers."""

    post_path = "/v1/text-to-speech/{voice}/stream"
    manners = usual(KEY, PCM) | {
        "busy": Manner(status=429, body=detail("too_many_concurrent_requests")),
        "overloaded": Manner(status=429, body=detail("system_busy")),
        "unpaid": Manner(status=401, body=detail("quota_exceeded")),
        "blocked": Manner(status=400, body=detail("detected_unusual_content")),
    }
    unknown_key = Manner(status=401, body=detail("invalid_api_key", "Invalid API key"))

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("xi-api-key", "")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        if request.query.get("output_format") != "pcm_24000":
            return _refused(400, detail("invalid_output_format"))
        if not 0.7 <= asked.get("voice_settings", {}).get("speed", 1) <= 1.2:
            return _refused(422, b'{"detail":[{"loc":["body","voice_settings","speed"],"msg":"range","type":"v"}]}')
        if request.match_info["voice"] == "00000000000000000000":
            return _refused(400, detail("voice_not_found"))
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        return hum(0.06 * len(json.loads(body)["text"])) if manner.body == Manner().body else manner.body


def _refused(status: int, body: bytes) -> web.Response:
    return web.Response(status=status, body=body, content_type="application/json")
