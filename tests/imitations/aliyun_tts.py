"""An imitation of NLS: tokens for signed requests at `/`, and speech for tokens, whose errors may come under a 200."""

import json

from aiohttp import web

from imitations.aliyun import SECRET as SECRET
from imitations.aliyun import TokenDesk
from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "LTAI-hush-1234567"
PCM = "audio/pcm"


def status(code: int, message: str) -> bytes:
    return json.dumps({"task_id": "t", "result": "", "status": code, "message": message}).encode()


class AliyunServer(VendorServer):
    """What nls-meta and nls-gateway answer; a token names its AccessKey, which picks the manner."""

    post_path = "/stream/v1/tts"
    manners = usual(KEY, PCM) | {
        "busy": Manner(body=status(40000005, "TOO_MANY_REQUESTS")),
        "unpaid": Manner(body=status(40000010, "FREE_TRIAL_EXPIRED")),
        "foreign": Manner(status=403, body=status(40020105, "appkey not exist")),
        "internal": Manner(body=status(50000000, "GRPC_ERROR")),
        "short-lived": Manner(claims=PCM),
    }
    unknown_key = Manner(status=403, body=status(40000001, "The token 'x' is invalid!"))

    def __init__(self, prefix: str = "/vendor") -> None:
        super().__init__(prefix)
        self.desk = TokenDesk(frozenset(self.manners))

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{self.prefix}/", self.desk.answer)]

    def key_of(self, request: web.Request) -> str:
        return self.desk.account(request.headers.get("x-nls-token", "")) or ""

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        asked = json.loads(body)
        if asked["appkey"] == "app-7" and -500 <= asked["speech_rate"] <= 500 and asked["format"] == "pcm":
            return None
        return web.Response(status=400, body=status(40000003, "parameters"), content_type="application/json")

    def answer(self, request: web.Request, body: bytes, manner: Manner) -> bytes:
        if manner.body != Manner().body:
            return manner.body
        asked = json.loads(body)
        return hum(0.06 * len(asked["text"][:300]), rate=asked["sample_rate"])
