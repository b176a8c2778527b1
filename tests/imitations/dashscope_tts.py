"""An imitation of the WebSocket of DashScope's tasks, as CosyVoice speaks on it."""

import asyncio
import json
from functools import cache
from typing import Any

from aiohttp import WSMsgType, web

from imitations.vendor import Manner, Seen, VendorServer, usual
from unit.tts.fakes import hum

KEY = "sk-dashscope-0123456789"
VOICES = {"cosyvoice-v3-flash": ("longanyang", "longanhuan", "longhuhu_v3")}


def failed(code: str, message: str) -> bytes:
    """Return what a task ends with that the service does not do."""
    return json.dumps({"header": {"event": "task-failed", "error_code": code, "error_message": message}}).encode()


class DashscopeTtsServer(VendorServer):
    """What dashscope.aliyuncs.com answers; a POST at the WebSocket's address is a mistake there."""

    post_path = "/api-ws/v1/inference"
    manners = usual(KEY, "", 40_000) | {
        "slow": Manner(slice_bytes=4_800, slice_seconds=0.2),
        "mislabelled": Manner(claims="audio/wav"),
        "busy": Manner(body=failed("Throttling.RateQuota", "Requests rate limit exceeded, please try again later.")),
        "unpaid": Manner(body=failed("Arrearage", "Access denied, please make sure your account is in good standing.")),
        "blocked": Manner(body=failed("DataInspectionFailed", "Input data may contain inappropriate content.")),
        "expired": Manner(body=failed("InvalidApiKey", "Invalid API-key provided.")),
        "early": Manner(body=b"early"),
        "noise": Manner(body=b"noise"),
        "forgetful": Manner(headers=(("forgets", "yes"),)),
    }
    unknown_key = Manner(status=401, body=json.dumps({"code": "InvalidApiKey", "message": "Invalid API-key"}).encode())
    connections = 0

    def routes(self) -> list[web.RouteDef]:
        return [web.get(self.prefix + self.post_path, self._connected)]

    async def _connected(self, request: web.Request) -> web.StreamResponse:
        manner = self.manners.get(self.key_of(request), self.unknown_key)
        if manner.status != 200 or manner.claims == "text/html":
            self.seen.append(Seen(request.method, request.path, dict(request.query), dict(request.headers), b""))
            return web.Response(status=manner.status, body=manner.body)
        self.connections += 1
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        while (run := await self._action(socket, "run-task")) is not None:
            seen = Seen(request.method, request.path, {}, dict(request.headers), json.dumps(run).encode())
            self.seen.append(seen)
            try:
                await self._task(socket, request, run, manner)
            except (asyncio.CancelledError, ConnectionError):
                seen.left = True
                raise
            finally:
                seen.over.set()
            if manner.headers and request.transport is not None:  # the next task finds the connection closed
                request.transport.abort()
        return socket

    async def _action(self, socket: web.WebSocketResponse, wanted: str) -> dict[str, Any] | None:
        message = await socket.receive()
        if message.type is not WSMsgType.TEXT:
            return None
        asked: dict[str, Any] = json.loads(message.data)
        if asked["header"]["action"] != wanted or asked["header"]["streaming"] != "duplex":
            await socket.send_str(failed("InvalidParameter", f"{wanted} is expected").decode())
            return None
        return asked

    async def _task(
        self, socket: web.WebSocketResponse, request: web.Request, run: dict[str, Any], manner: Manner
    ) -> None:
        if (complaint := _complaint(run["payload"])) is not None or b"task-failed" in manner.body:
            await socket.send_str((complaint or manner.body).decode())
            await socket.close()
            return
        if manner.body == b"early":
            await socket.close()
            return
        await socket.send_str(_event(run, "task-started"))
        said = await self._action(socket, "continue-task")
        finish = said and await self._action(socket, "finish-task")
        if said is None or finish is None or said["header"]["task_id"] != run["header"]["task_id"]:
            raise ConnectionError
        if manner.body == b"noise":
            await socket.send_str("no event")
        await self._say(socket, request, said["payload"]["input"]["text"], run, manner)

    async def _say(
        self, socket: web.WebSocketResponse, request: web.Request, text: str, run: dict[str, Any], manner: Manner
    ) -> None:
        stop = manner.cut_after if manner.cut_after is not None else manner.stall_after
        sound = _hum(len(text))
        sound = _wav(sound) if manner.claims == "audio/wav" else sound
        for at in range(0, len(sound[:stop]), manner.slice_bytes):
            await socket.send_str(_event(run, "result-generated"))
            await socket.send_bytes(sound[:stop][at : at + manner.slice_bytes])
            await asyncio.sleep(manner.slice_seconds)
        if manner.cut_after is not None and request.transport is not None:
            request.transport.abort()
        if manner.stall_after is not None:
            await asyncio.sleep(60)
        await socket.send_str(_event(run, "task-finished"))


@cache
def _hum(characters: int) -> bytes:
    return hum(0.06 * characters)


def _event(run: dict[str, Any], event: str) -> str:
    header = {"task_id": run["header"]["task_id"], "event": event, "attributes": {}}
    return json.dumps({"header": header, "payload": {"output": {}}})


def _complaint(payload: dict[str, Any]) -> bytes | None:
    asked = payload["parameters"]
    right = payload["function"] == "SpeechSynthesizer" and payload["task"] == "tts" and payload["input"] == {}
    right = right and 0.5 <= asked["rate"] <= 2 and asked["format"] == "pcm" and asked["sample_rate"] == 24_000
    if not right:
        return failed("InvalidParameter", "parameters")
    if asked["voice"] not in VOICES.get(payload["model"], ()):
        return failed("InvalidParameter", "[cosyvoice:]Engine return error code: 418")
    return None


def _wav(samples: bytes) -> bytes:
    size = len(samples).to_bytes(4, "little")
    form = b"\x01\x00\x01\x00" + (24_000).to_bytes(4, "little") + (48_000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return b"RIFF" + size + b"WAVEfmt \x10\x00\x00\x00" + form + b"data" + size + samples
