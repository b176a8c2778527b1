"""An imitation of NLS: tokens for signed requests at `/`, and speech for tokens, whose errors may come under a 200."""

import hashlib
import hmac
import json
from base64 import b64encode
from datetime import UTC, datetime
from time import time
from urllib.parse import quote

from aiohttp import web

from imitations.vendor import Manner, VendorServer, usual
from unit.tts.fakes import hum

KEY = "LTAI-hush-1234567"
SECRET = "aliyun-secret-1234567"
PCM = "audio/pcm"
MOST_SKEW_SECONDS = 900


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
        self.tokens = 0
        self.expired: set[str] = set()

    def routes(self) -> list[web.RouteDef]:
        return [web.get(f"{self.prefix}/", self._token)]

    def expire_all(self) -> None:
        """Refuse each token made so far."""
        self.expired |= {f"{name}#{number}" for name in self.manners for number in range(1, self.tokens + 1)}

    def key_of(self, request: web.Request) -> str:
        token = request.headers.get("x-nls-token", "")
        return "" if token in self.expired else token.partition("#")[0]

    async def _token(self, request: web.Request) -> web.Response:
        query = dict(request.query)
        given, key_id = query.pop("Signature", ""), query.get("AccessKeyId", "")
        if key_id not in self.manners:
            return _refused("InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        asked_at = datetime.strptime(query["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
        if abs(asked_at - time()) > MOST_SKEW_SECONDS:
            return _refused("InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        if given != _signature(query):
            return _refused("SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
        self.tokens += 1
        life = 1 if key_id == "short-lived" else 86_400
        made = {"Id": f"{key_id}#{self.tokens}", "ExpireTime": int(time()) + life, "UserId": "u"}
        return web.json_response({"ErrMsg": "", "Token": made})

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


def _signature(query: dict[str, str]) -> str:
    parts = sorted(f"{quote(name, safe='~')}={quote(value, safe='~')}" for name, value in query.items())
    text = "GET&%2F&" + quote("&".join(parts), safe="~")
    return b64encode(hmac.new(f"{SECRET}&".encode(), text.encode(), hashlib.sha1).digest()).decode()


def _refused(code: str, message: str) -> web.Response:
    body = {"RequestId": "r", "Code": code, "Message": message}
    return web.json_response(body, status=404 if "NotFound" in code else 400)
