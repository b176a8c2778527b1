"""An imitation of Inworld's voice:stream: one JSON object a line, with a WAV's header in front of each piece."""

import json
import struct
from base64 import b64encode

from aiohttp import web

from imitations.vendor import Manner, VendorServer, json_error, usual
from unit.tts.fakes import hum

KEY = "inworld-secret-1234567"
PIECE = 72_000


def wav(samples: bytes, rate: int = 24_000) -> bytes:
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16)
    return b"RIFF" + struct.pack("<I", 36 + len(samples)) + b"WAVE" + form + b"data" + _sized(samples)


def _sized(samples: bytes) -> bytes:
    return struct.pack("<I", len(samples)) + samples


class InworldTtsServer(VendorServer):
    """What api.inworld.ai answers."""

    post_path = "/tts/v1/voice:stream"
    manners = usual(KEY, "application/json", 110_000) | {
        "busy": Manner(status=429, body=json_error("8", "RESOURCE_EXHAUSTED"), headers=(("retry-after", "3"),)),
        "within": Manner(body=b'{"error":{"code":3,"message":"Unknown voice: Nobody"}}'),
        "unpaid": Manner(status=402, body=b'{"code":9,"message":"no credits left"}'),
    }

    def key_of(self, request: web.Request) -> str:
        return request.headers.get("authorization", "").removeprefix("Basic ")

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        if 0.5 <= json.loads(body)["audioConfig"]["speakingRate"] <= 1.5:
            return None
        return web.Response(status=400, body=b'{"code":3,"message":"speakingRate out of range"}')

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        sound = hum(0.12 * len(json.loads(body)["text"]))
        pieces = (wav(sound[at : at + PIECE]) for at in range(0, len(sound), PIECE))
        lines = ({"result": {"audioContent": b64encode(piece).decode(), "usage": {}}} for piece in pieces)
        return b"".join(json.dumps(line).encode() + b"\n" for line in lines)
