"""An imitation of guards: Qwen3Guard behind a chat API, OpenAI's moderations, Azure's and Alibaba Cloud's services.

They answer as their documents say, errors included; Alibaba's signature is computed here anew, and compared.
"""

import asyncio
import json
from base64 import b64encode
from hashlib import sha1
from hmac import new
from typing import Any
from urllib.parse import parse_qsl, quote

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BAD = "zorgle"
"""Word that it finds violent, and that no list knows."""
DOUBTFUL = "gruntle"
ALIYUN_KEY = "an-id:a-secret"


class GuardModel:
    """Judges by two words; `status`, `says` and `go` make it fail, talk nonsense, or hang until `go` is set."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.status, self.says = 200, ""
        self.go = asyncio.Event()
        self.go.set()
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
                Route("/v1/moderations", self.moderations, methods=["POST"]),
                Route("/contentsafety/text:analyze", self.azure, methods=["POST"]),
                Route("/", self.aliyun, methods=["POST"]),
                Route("/hook", self.hook, methods=["POST"]),
            ]
        )

    async def chat(self, request: Request) -> Response:
        body = await self._noted(request)
        text = body["messages"][-1]["content"]
        verdict = "Unsafe" if BAD in text else "Controversial" if DOUBTFUL in text else "Safe"
        lines = f"Safety: {verdict}\nCategories: {'None' if verdict == 'Safe' else 'Violent'}"
        if body["messages"][-1]["role"] == "assistant":
            lines += "\nRefusal: No"
        choice = {"index": 0, "message": {"role": "assistant", "content": self.says or lines}, "finish_reason": "stop"}
        return JSONResponse({"choices": [choice]}, self.status)

    async def moderations(self, request: Request) -> Response:
        body = await self._noted(request)
        is_bad = BAD in body["input"]
        categories = {"violence": False, "self-harm/intent": is_bad, "hate": False}
        return JSONResponse({"results": [{"flagged": is_bad, "categories": categories}]}, self.status)

    async def azure(self, request: Request) -> Response:
        body = await self._noted(request)
        self.keys[-1] = request.headers.get("ocp-apim-subscription-key", "")
        if request.query_params.get("api-version") != "2024-09-01":
            return JSONResponse({"error": {"code": "InvalidRequestParameter", "message": "api-version"}}, 400)
        severity = 4 if BAD in body["text"] else 2 if DOUBTFUL in body["text"] else 0
        found = [{"category": each, "severity": severity if each == "Violence" else 0} for each in body["categories"]]
        return JSONResponse({"blocklistsMatch": [], "categoriesAnalysis": self.says or found}, self.status)

    async def aliyun(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        signed = form.pop("Signature", "")
        key_id, _, secret = ALIYUN_KEY.partition(":")
        pairs = "&".join(f"{quote(name, safe='')}={quote(form[name], safe='')}" for name in sorted(form))
        text = f"POST&%2F&{quote(pairs, safe='')}"
        expected = b64encode(new(f"{secret}&".encode(), text.encode(), sha1).digest()).decode()
        if form["AccessKeyId"] != key_id or signed != expected:
            return JSONResponse(
                {"Code": "SignatureDoesNotMatch", "Message": "Specified signature is not matched."}, 400
            )
        content = json.loads(form["ServiceParameters"])["content"]
        self.asked.append({"service": form["Service"], "content": content})
        self.keys.append(form["AccessKeyId"])
        await self.go.wait()
        level = "high" if BAD in content else "low" if DOUBTFUL in content else "none"
        label = "nonLabel" if level == "none" else "violent_incidents"
        data = {"RiskLevel": level, "AttackLevel": "none", "Result": [{"Label": label, "Confidence": 90.0}]}
        # it tells of errors in the body of a 200, too
        body = {"Code": 588 if self.says else 200, "Message": "OK", "RequestId": "1", "Data": data}
        return JSONResponse(body, self.status)

    async def hook(self, request: Request) -> Response:
        await self._noted(request)
        return Response(status_code=self.status)

    async def _noted(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(await request.body())
        self.asked.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        await self.go.wait()
        return body
