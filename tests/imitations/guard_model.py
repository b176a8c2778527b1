"""An imitation of guard models: Qwen3Guard behind a chat API, and OpenAI's moderations, with their errors."""

import asyncio
import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BAD = "zorgle"
"""Word that it finds violent, and that no list knows."""
DOUBTFUL = "gruntle"


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

    async def hook(self, request: Request) -> Response:
        await self._noted(request)
        return Response(status_code=self.status)

    async def _noted(self, request: Request) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(await request.body())
        self.asked.append(body)
        self.keys.append(request.headers.get("authorization", ""))
        await self.go.wait()
        return body
