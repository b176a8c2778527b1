"""An imitation of MiniMax T2A v2: errors come under a 200, and the last event repeats the whole sound."""

import json

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "minimax-secret-1234567"
EVENTS = "text/event-stream"
PIECE = 9_600


def outcome(code: int, message: str) -> bytes:
    return json.dumps({"trace_id": "t", "base_resp": {"status_code": code, "status_msg": message}}).encode()


def event(sound: bytes, status: int) -> bytes:
    fine = {"status_code": 0, "status_msg": ""}
    data = {"data": {"audio": sound.hex(), "status": status}, "trace_id": "t", "base_resp": fine}
    return b"data: " + json.dumps(data).encode() + b"\n\n"


class MiniMaxTtsServer(VendorServer):
    """What api.minimaxi.com answers."""

    post_path = "/v1/t2a_v2"
    manners = usual(KEY, EVENTS, 40_000) | {
        "busy": Manner(body=outcome(1002, "rate limit")),
        "tokens": Manner(body=outcome(1039, "tokens per minute")),
        "unpaid": Manner(body=outcome(1008, "insufficient balance")),
        "blocked": Manner(body=outcome(1026, "input refused")),
        "internal": Manner(body=outcome(1033, "downstream error")),
        "in an event": Manner(body=b"data: " + outcome(1008, "insufficient balance") + b"\n\n", claims=EVENTS),
        "no end": Manner(body=event(hum(0.5), 1), claims=EVENTS),
        "only the end": Manner(body=event(hum(0.5), 2), claims=EVENTS),
        "no digits": Manner(body=event(hum(0.5), 1).replace(b'"audio": "', b'"audio": "xyz'), claims=EVENTS),
    }
    unknown_key = Manner(body=outcome(1004, "login fail: Please carry the API secret key"))

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        setting = json.loads(body)["voice_setting"]
        if not (0.5 <= setting["speed"] <= 2 and 0.1 <= setting["vol"] <= 10 and -12 <= setting["pitch"] <= 12):
            return web.Response(body=outcome(2013, "invalid params"), content_type="application/json")
        return None

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        sound = hum(0.06 * len(json.loads(body)["text"]))
        pieces = [event(sound[at : at + PIECE], 1) for at in range(0, len(sound), PIECE)]
        return b"".join([*pieces, event(sound, 2)])
