"""A provider that repeats all that it is shown, the key included, in each of the ways in which vendors refuse."""

import json
from typing import Self
from urllib.parse import quote

from aiohttp import web

WAYS = ("400", "401", "402", "404", "429", "500", "plain", "page", "header", "redirect", "within", "event", "cut")
"""How it refuses: with a JSON error of a status, or otherwise."""


class Parrot:
    """Serves on loopback, whatever the path; `shown` holds the headers, queries and bodies of all requests.

    Args:
        mark: Part of whatever is repeated.
    """

    def __init__(self, way: str, mark: str) -> None:
        self.way, self.mark = way, mark
        self.shown: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_route("*", "/{rest:.*}", self._asked)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._runner.cleanup()

    async def _asked(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode("latin-1")
        shown = " ".join([*request.headers.values(), request.query_string])
        self.shown.append(f"{shown} {body}")
        repeated = " ".join(each for each in (*request.headers.values(), *request.query.values()) if self.mark in each)
        error = {"code": f"Odd.{repeated}", "message": f"An odd thing: {repeated}", "type": repeated, "param": repeated}
        match self.way:
            case "400" | "401" | "402" | "404" | "429" | "500":
                told = {"error": error, "detail": error, **error}
                return web.json_response(told, status=int(self.way), headers={"retry-after": "1"})
            case "plain":
                return web.Response(status=403, text=repeated)
            case "page":
                return web.Response(status=500, text=f"<html>{repeated}</html>", content_type="text/html")
            case "header":
                return web.Response(status=400, headers={"x-api-status-code": "45000010", "x-api-message": repeated})
            case "redirect":
                there = f"http://127.0.0.1:9/{quote(repeated)}/v1?q={quote(repeated)}"
                return web.Response(status=302, headers={"location": there})
            case "within":
                return web.json_response({"error": error, "base_resp": {"status_msg": repeated}, **error})
            case "event":
                text = f"event: error\ndata: {json.dumps({'event': 'error', 'error': error, **error})}\n\n"
                return web.Response(text=text, content_type="text/event-stream")
            case _:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
