"""An upstream in OpenAI's dialect that takes its time, and notes who leaves.

The model's name says how it answers, its parts separated by dashes: `words-10-every-150` streams ten words, one each
150 ms; `-cut-3` at the end breaks the connection after three; `-after-500` waits that long before it begins.
"""

import asyncio
import contextlib
import json
import threading
from typing import Any


class Upstream:
    """Runs in a thread until it is closed."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.left = 0
        """Callers who hung up before the end."""
        self.finished = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"

    def close(self) -> None:
        self._run(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _stop(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
                    body = await reader.readexactly(int(headers.get("content-length", 0)))
                    if not head[0].startswith("POST"):
                        writer.write(b'HTTP/1.1 200 OK\r\ncontent-length: 11\r\n\r\n{"data":[]}')
                        continue
                    self.headers.append(headers)
                    self.asked.append(json.loads(body))
                    if not await self._unless_left(self._answer(self.asked[-1], writer), reader):
                        return
        finally:
            writer.close()

    async def _unless_left(self, answer: Any, reader: asyncio.StreamReader) -> bool:
        """Whether the answer came to its end, as it should, with the caller still there."""
        work, hangup = asyncio.create_task(answer), asyncio.create_task(reader.read(1))
        try:
            await asyncio.wait({work, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                self.finished += 1
                return bool(work.result())
            self.left += 1
            return False
        finally:
            for task in (work, hangup):
                task.cancel()
            await asyncio.gather(work, hangup, return_exceptions=True)

    async def _answer(self, asked: dict[str, Any], writer: asyncio.StreamWriter) -> bool:
        names = asked["model"].split("-")
        plan = {name: int(number) for name, number in zip(names[::2], names[1::2], strict=True)}
        await asyncio.sleep(plan.get("after", 0) / 1000)
        words = [f"word{number} " for number in range(plan["words"])]
        if not asked.get("stream"):
            await asyncio.sleep(plan["words"] * plan.get("every", 0) / 1000)
            await _send_json(writer, asked["model"], "".join(words))
            return True
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number, word in enumerate(words):
            if number == plan.get("cut"):
                return False
            await _send_event(writer, json.dumps(_chunk(asked["model"], {"role": "assistant", "content": word})))
            await asyncio.sleep(plan.get("every", 0) / 1000)
        await _send_event(writer, json.dumps(_chunk(asked["model"], {}, "stop")))
        await _send_event(writer, "[DONE]")
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True


def _chunk(model: str, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model, "choices": [choice]}


async def _send_event(writer: asyncio.StreamWriter, data: str) -> None:
    event = f"data: {data}\n\n".encode()
    writer.write(f"{len(event):x}\r\n".encode() + event + b"\r\n")
    await writer.drain()


async def _send_json(writer: asyncio.StreamWriter, model: str, text: str) -> None:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    whole = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice]}
    body = json.dumps(whole | {"usage": usage}).encode()
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()
