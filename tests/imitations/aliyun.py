"""The token service of Alibaba Cloud's NLS, imitated: signatures are checked, tokens end when a test says so."""

import json
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import formatdate
from hashlib import sha1
from hmac import new
from time import time
from urllib.parse import parse_qsl, quote

from aiohttp import web

SECRET = "aliyun-secret-1234567"
_ALLOWED_SKEW_SECONDS = 900


class TokenDesk:
    """Gives tokens for a signed request; the AccessKey id is the name of a manner."""

    def __init__(self, known: frozenset[str]) -> None:
        self.known = known
        self.given = 0
        self.ended: set[str] = set()
        self.clock_ahead_seconds = 0.0
        self.tells_time = True
        """Its answers hold the time, as those of most servers do."""

    def account(self, token: str) -> str | None:
        """Return the AccessKey id of a token that is good."""
        return token.split("/")[1] if token.count("/") == 2 and token not in self.ended else None

    def end_all(self) -> None:
        """Refuse each token made so far."""
        self.ended |= {f"token/{key_id}/{number}" for key_id in self.known for number in range(1, self.given + 1)}

    async def answer(self, request: web.Request) -> web.Response:
        """Return a token, or say as the gateway does what is wrong."""
        response = self._answered(request)
        now = formatdate(time() + self.clock_ahead_seconds, usegmt=True)
        response.headers["date"] = now if self.tells_time else ""
        return response

    def _answered(self, request: web.Request) -> web.Response:
        asked = dict(parse_qsl(request.query_string, keep_blank_values=True))
        key_id = asked.get("AccessKeyId", "")
        when = datetime.strptime(asked["Timestamp"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if abs(when.timestamp() - time() - self.clock_ahead_seconds) > _ALLOWED_SKEW_SECONDS:
            return _refused(400, "InvalidTimeStamp.Expired", "Specified time stamp or date value is expired.")
        if key_id not in self.known:
            return _refused(404, "InvalidAccessKeyId.NotFound", "Specified access key is not found.")
        if asked.pop("Signature") != self._signature(asked):
            return _refused(400, "SignatureDoesNotMatch", "Specified signature is not matched with our calculation.")
        self.given += 1
        life = 1 if key_id == "short-lived" else 86_400
        token = {
            "Id": f"token/{key_id}/{self.given}",
            "ExpireTime": int(time() + self.clock_ahead_seconds) + life,
            "UserId": "1",
        }
        return web.json_response({"ErrMsg": "", "Token": token})

    def _signature(self, asked: dict[str, str]) -> str:
        joined = "&".join(f"{quote(name, safe='')}={quote(asked[name], safe='')}" for name in sorted(asked))
        text = f"GET&%2F&{quote(joined, safe='')}"
        return b64encode(new(f"{SECRET}&".encode(), text.encode(), sha1).digest()).decode()


def _refused(status: int, code: str, message: str) -> web.Response:
    body = {"RequestId": "1", "Message": message, "HostId": "nls-meta", "Code": code}
    return web.Response(status=status, text=json.dumps(body), content_type="application/json")
