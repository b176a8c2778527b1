"""An imitation of Alibaba Cloud's short-sentence recognition, as help.aliyun.com/zh/isi documents it."""

import json

from aiohttp import web

from imitations.aliyun import TokenDesk
from imitations.vendor import Manner
from imitations.words import WORDS, HearingServer, hearing

KEY = "aliyun-id-1234567"
APP_KEY = "aliyun-app-1234567"


def said(status: int, message: str = "SUCCESS", result: str = "") -> bytes:
    return json.dumps({"task_id": "t", "result": result, "status": status, "message": message}).encode()


class AliyunAsrServer(HearingServer):
    """What the token service and a region's gateway answer."""

    post_path = "/stream/v1/asr"
    manners = hearing(KEY, said(20000000, result=WORDS), said(20000000)) | {
        "busy": Manner(status=429, body=said(40000005, "Too many concurrent requests!")),
        "unpaid": Manner(status=403, body=said(40000010, "FREE_TRIAL_EXPIRED")),
        "within": Manner(body=said(40000005, "Too many concurrent requests!")),
        "client": Manner(status=400, body=said(40000000, "Gateway:CLIENT_ERROR")),
        "message": Manner(status=400, body=said(40000002, "Gateway:MESSAGE_INVALID")),
        "parameter": Manner(status=400, body=said(40000003, "Gateway:PARAMETER_INVALID")),
        "account": Manner(status=403, body=said(40020105, "Meta:APPKEY_NOT_EXIST")),
        "server": Manner(status=500, body=said(50000000, "Gateway:SERVER_ERROR")),
    }
    unknown_key = Manner(status=403, body=said(40000001, "Gateway:ACCESS_DENIED:The token is invalid!"))

    def __init__(self, prefix: str = "/aliyun") -> None:
        super().__init__(prefix)
        self.desk = TokenDesk(frozenset(self.manners))

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{self.prefix}/", self.desk.answer)]

    def key_of(self, request: web.Request) -> str:
        return self.desk.account(request.headers.get("x-nls-token", "")) or ""

    def complains(self, request: web.Request, body: bytes) -> web.Response | None:
        """Refuse another project's appkey, and sound in another format than it is said to be."""
        query = request.query
        if not query.get("appkey", "").startswith(APP_KEY):
            return web.Response(status=403, body=said(40020105, "Meta:APPKEY_NOT_EXIST"))
        if (query.get("format"), query.get("sample_rate")) != ("pcm", "16000") or body[:4] == b"RIFF":
            return web.Response(status=400, body=said(40000003, "Gateway:PARAMETER_INVALID"))
        if len(body) > 60 * 32_000:
            return web.Response(status=400, body=said(40000004, "Gateway:IDLE_TIMEOUT"))
        return None
