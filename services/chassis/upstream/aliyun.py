"""Alibaba Cloud's speech services (NLS): requests signed with an AccessKey, and the token that is made with them.

Source: help.aliyun.com/zh/isi (token by OpenAPI, document_detail/113251).
"""

import hmac
import logging
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from time import time
from urllib.parse import quote, urlencode
from uuid import uuid4

import msgspec

from chassis.errors import EngineFailed, EngineRefused, EngineUnavailable
from chassis.upstream.leniency import Unexpected, decoded
from chassis.upstream.token import Token
from chassis.upstream.vendor import Call, Vendor

log = logging.getLogger("talkbox.upstream")
_TOKEN_SECONDS = 3.0
_MOST_BYTES = 64 * 2**10
_WRONG_CLOCK_SECONDS = 60.0
"""Difference of two clocks that a signature may not survive."""
_LEAST_LIFE = 60.0
"""Life of a token that seems to be over, since a clock is wrong; the service has just made it."""


class _Made(msgspec.Struct):
    id: str = msgspec.field(name="Id")
    expires: float = msgspec.field(name="ExpireTime")


class _Answer(msgspec.Struct):
    token: _Made = msgspec.field(name="Token")


class AliyunAccount:
    """The hosts of an account, and the tokens of its AccessKeys.

    Args:
        name: The engine's name in the chain.
        prefix: Start of the engine's own variables: `TTS_ALIYUN_TTS_`.
        ids: AccessKey ids.
        secrets: Secrets of these, in the same order; or one for all.
        variables: Start of the variables that hold them: `ALIYUN_TTS_`.
        region: Region of the services: `cn-shanghai`.

    Raises:
        EngineUnavailable: Something is missing; the message names it.
    """

    def __init__(
        self, name: str, prefix: str, ids: Sequence[str], secrets: Sequence[str], variables: str, region: str
    ) -> None:
        self.vendor = Vendor(
            name, prefix, ids, f"{variables}ACCESS_KEY_ID, _ACCESS_KEY_SECRET and _APP_KEY", secrets=secrets
        )
        if len(secrets) not in (1, len(ids)):
            raise EngineUnavailable(f"Set {variables}ACCESS_KEY_SECRET: one for each of {variables}ACCESS_KEY_ID.")
        self._region = region
        self._clock_ahead_seconds = 0.0
        each = zip(ids, [*secrets] * len(ids) if len(secrets) == 1 else secrets, strict=True)
        self._tokens = {key_id: Token(partial(self._make, key_id, secret)) for key_id, secret in each}

    @property
    def gateway(self) -> str:
        """Address of the services in the account's region."""
        return f"https://nls-gateway-{self._region}.aliyuncs.com"

    def token(self, key_id: str) -> Token:
        return self._tokens[key_id]

    async def _make(self, key_id: str, secret: str) -> tuple[str, float]:
        body = await self._asked(key_id, secret)
        try:
            made = decoded(body, _Answer).token
        except Unexpected as exc:
            raise self.vendor.no_answer(body, "token") from exc
        if not made.id:
            raise EngineFailed("made an empty token")
        self.vendor.hide(made.id)
        return made.id, max(_LEAST_LIFE, made.expires - time() - self._clock_ahead_seconds)

    async def _asked(self, key_id: str, secret: str) -> bytes:
        """Ask for a token; once more by the service's own clock, where ours is found to be wrong."""
        try:
            return await self.vendor.read(self._call(key_id, secret), _MOST_BYTES, seconds=_TOKEN_SECONDS)
        except EngineRefused as exc:
            if abs(self.vendor.clock_ahead_seconds - self._clock_ahead_seconds) < _WRONG_CLOCK_SECONDS:
                message = f"{exc} A wrong clock of this machine looks the same."
                raise EngineRefused(message, rest_seconds=exc.rest_seconds) from exc
        self._clock_ahead_seconds = self.vendor.clock_ahead_seconds
        log.warning("The clock of this machine is %.0f s from Aliyun's; set it.", self._clock_ahead_seconds)
        return await self.vendor.read(self._call(key_id, secret), _MOST_BYTES, seconds=_TOKEN_SECONDS)

    def _call(self, key_id: str, secret: str) -> Call:
        abroad = self._region.startswith("ap-")
        region = self._region if abroad else "cn-shanghai"
        parameters = {
            "AccessKeyId": key_id,
            "Action": "CreateToken",
            "Version": "2019-02-28",
            "Format": "JSON",
            "RegionId": region,
            "Timestamp": datetime.fromtimestamp(time() + self._clock_ahead_seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "SignatureMethod": "HMAC-SHA1",
            "SignatureVersion": "1.0",
            "SignatureNonce": str(uuid4()),
        }
        query = urlencode(parameters | {"Signature": signature(parameters, secret)}, quote_via=quote, safe="")
        return Call(f"https://{'nlsmeta' if abroad else 'nls-meta'}.{region}.aliyuncs.com/?{query}", method="GET")


def signature(parameters: Mapping[str, str], secret: str, method: str = "GET") -> str:
    """Return the signature of a request with these `parameters`, Base64 and not yet percent-encoded."""
    pairs: Sequence[tuple[str, str]] = sorted(parameters.items())
    canonical = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    signed = f"{method}&%2F&{quote(canonical, safe='')}"
    return b64encode(hmac.digest(f"{secret}&".encode(), signed.encode(), "sha1")).decode()
