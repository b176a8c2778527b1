"""`python -m deploy.talk`: one whole turn through the proxy, as a toy and folotoy-server would take it, timed.

A recording goes up, the answer streams down, is cut at the same signs as there, and each piece is spoken by a call of
its own, at most two at a time. The environment says what is asked: `FILE` (a recording) or `TEXT`, else a question of
our own; `OUT` names the mp3.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from deploy.ears import limits
from deploy.installation import ROOT, STATE, Addresses, first_key, get, wanted
from deploy.phrases import phrase

QUESTION = "Hello! What is your name?"
_CHAT = "/v1/chat/completions"
SEPARATORS = "，！。？,!.?"
"""Signs after which folotoy-server cuts, unless its SENTENCE_SEPARATORS says otherwise."""
_HINTED = (401, 429, 503)
"""Statuses whose remedy `phrases.json` has."""
TOY_SECONDS = 5.0
"""Silence after which folotoy-server gives up."""
SYSTEM = "You are a friendly talking toy. Answer in one or two short sentences, without lists or markdown."


class TurnFailed(Exception):
    """The message says what went wrong, and what to do."""


@dataclass
class Talkbox:
    """The proxy, as a client sees it."""

    host: str
    port: int
    key: str | None

    def post(self, path: str, body: bytes, content_type: str) -> HTTPResponse:
        """Return the answer to a POST, its body still unread.

        Raises:
            TurnFailed: Nobody answers, or it is an error.
        """
        connection = HTTPConnection(self.host, self.port, timeout=TOY_SECONDS)
        headers = {"Content-Type": content_type, "Connection": "close"}
        if self.key:
            headers["Authorization"] = f"Bearer {self.key}"
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
        except TimeoutError as exc:
            raise TurnFailed(phrase("silent", path=path, seconds=f"{TOY_SECONDS:.0f}")) from exc
        except (OSError, HTTPException) as exc:
            raise TurnFailed(phrase("nobody", host=self.host, port=self.port)) from exc
        if response.status != 200:
            raise TurnFailed(_explained(path, response.status, response.read()))
        return response

    def post_json(self, path: str, body: dict[str, Any]) -> HTTPResponse:
        return self.post(path, json.dumps(body).encode(), "application/json")

    def speech(self, text: str, model: str = "tts-1", **more: str) -> HTTPResponse:
        return self.post_json("/v1/audio/speech", {"model": model, "voice": "alloy", "input": text, **more})


def _explained(path: str, status: int, body: bytes) -> str:
    try:
        message = json.loads(body)["error"]["message"]
    except (ValueError, KeyError, TypeError):
        message = body[:200].decode("utf-8", "replace")
    answered = phrase("refused", path=path, status=status, message=message)
    return answered + ("\n" + phrase(f"hint_{status}") if status in _HINTED else "")


def engine(response: HTTPResponse) -> str:
    return response.headers.get("x-talkbox-engine") or "?"


@dataclass
class SpokenPiece:
    """One piece of the answer as sound."""

    text: str
    engine: str
    mp3: bytes
    first_byte_at: float


@dataclass
class Turn:
    """Tells what happens, at which second after the recording was sent."""

    talkbox: Talkbox
    began: float = field(default_factory=time.monotonic)

    def tell(self, what: str, by: str = "", text: str = "", at: float | None = None) -> None:
        seconds = (time.monotonic() if at is None else at) - self.began
        print(f"  {seconds:6.2f} s  {phrase(what)} {by:<11} {text}".rstrip(), flush=True)

    def hear(self, recording: bytes, name: str, language: str = "") -> str:
        """Upload a recording, and return its transcript. An empty `language` leaves it to the ears."""
        fields = {"model": "whisper-1", "response_format": "json", "language": language}
        body, content_type = multipart(fields, name, recording)
        self.began = time.monotonic()
        self.tell("sent", text=phrase("of_file", kilobytes=f"{len(recording) / 1000:.0f}", name=name))
        response = self.talkbox.post("/v1/audio/transcriptions", body, content_type)
        heard: str = json.loads(response.read())["text"].strip()
        self.tell("heard", engine(response), f"“{heard}”")
        return heard

    def think(self, heard: str) -> Iterator[str]:
        """Yield the text of the answer as it comes.

        Raises:
            TurnFailed: The stream is broken.
        """
        asked = {
            "model": "gpt-3.5-turbo",
            "stream": True,
            "max_tokens": 200,
            "temperature": 0.7,
            "messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": heard}],
        }
        response = self.talkbox.post_json(_CHAT, asked)
        first = True
        for event in events(response):
            if "error" in event:
                raise TurnFailed(phrase("broke_off_why", path=_CHAT, reason=event["error"].get("message")))
            text = "".join(choice.get("delta", {}).get("content") or "" for choice in event.get("choices", []))
            if text and first:
                first = False
                self.tell("first words", engine(response))
            yield text

    def speak(self, piece: str) -> SpokenPiece:
        response = self.talkbox.speech(piece, response_format="mp3")
        mp3 = response.read(1)
        first_byte_at = time.monotonic()
        return SpokenPiece(piece, engine(response), mp3 + response.read(), first_byte_at)

    def answer(self, heard: str) -> list[SpokenPiece]:
        """Think and speak, two pieces at a time, in order."""
        with ThreadPoolExecutor(2) as lanes:
            jobs: list[Future[SpokenPiece]] = []
            for piece in pieces(self.think(heard)):
                job = lanes.submit(self.speak, piece)
                if not jobs:
                    job.add_done_callback(self._tell_first_sound)
                jobs.append(job)
            return [job.result() for job in jobs]

    def _tell_first_sound(self, job: Future[SpokenPiece]) -> None:
        if job.exception() is None:
            spoken = job.result()
            self.tell("first sound", spoken.engine, f"“{spoken.text.strip()}”", at=spoken.first_byte_at)


def pieces(texts: Iterator[str], separators: str = SEPARATORS) -> Iterator[str]:
    """Cut where folotoy-server cuts, as soon as it can be seen that a piece has ended."""
    signs, waiting = re.escape(separators), ""
    piece_of = re.compile(f"[^{signs}]*[{signs}]+|[^{signs}]+$")
    for text in texts:
        waiting += text
        found = piece_of.findall(waiting)
        for piece in found[:-1]:
            yield from _worth_saying(piece)
        waiting = found[-1] if found else ""
    yield from _worth_saying(waiting)


def _worth_saying(piece: str) -> Iterator[str]:
    if piece.strip():
        yield piece


def events(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    """Yield the JSON of each server-sent event up to `[DONE]`.

    Raises:
        TurnFailed: It ends before that, or falls silent.
    """
    while True:
        try:
            line = response.readline()
        except (OSError, HTTPException) as exc:
            raise TurnFailed(phrase("fell_silent", path=_CHAT, seconds=f"{TOY_SECONDS:.0f}")) from exc
        if not line:
            raise TurnFailed(phrase("ended_early", path=_CHAT))
        if line.startswith(b"data:"):
            data = line[len(b"data:") :].strip()
            if data == b"[DONE]":
                return
            yield json.loads(data)


def multipart(fields: dict[str, str], name: str, content: bytes) -> tuple[bytes, str]:
    boundary = uuid.uuid4().hex
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{value}\r\n'.encode()
        for key, value in fields.items()
    ]
    quoted = name.replace('"', "%22")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{quoted}"\r\n'
    parts.append(f"{head}Content-Type: application/octet-stream\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def recording(talkbox: Talkbox) -> tuple[bytes, str]:
    """Return the recording of the toy, and its file name."""
    if path := os.environ.get("FILE", ""):
        try:
            return Path(path).read_bytes(), Path(path).name
        except OSError as exc:
            raise TurnFailed(phrase("file_unread", path=path, reason=exc.strerror)) from exc
    text = os.environ.get("TEXT", "") or QUESTION
    response = None
    if text.isascii():  # English: flite's voice is what PocketSphinx understands best
        try:
            response = talkbox.speech(text, model="flite", response_format="wav")
        except TurnFailed:
            response = None
    response = response or talkbox.speech(text, response_format="wav")
    sound = response.read()
    print(phrase("question", engine=engine(response), text=text), end="\n\n")
    return sound, "question.wav"


def main() -> int:
    try:
        settings, addresses = wanted(), Addresses.current()
    except ValueError as exc:
        print(exc, file=sys.stderr)
        return 2
    talkbox = Talkbox(addresses.local, addresses.port, first_key(settings))
    out = Path(os.environ.get("OUT", "") or STATE / "talk.mp3")
    try:
        sound, name = recording(talkbox)
        turn = Turn(talkbox)
        _, status = get(addresses.local, addresses.port, "/status/stt")
        limited = limits(status.get("engines", [])) if isinstance(status, dict) else None
        if limited:
            print(limited, end="\n\n")
        english = name == "question.wav" and (os.environ.get("TEXT", "") or QUESTION).isascii()
        heard = turn.hear(sound, name, "en" if limited and english else "")
        if not heard:
            print("\n" + phrase("unheard"))
            return 0
        spoken = turn.answer(heard)
    except TurnFailed as exc:
        print(f"\n{exc}", file=sys.stderr)
        return 1
    kilobytes = f"{sum(len(part.mp3) for part in spoken) / 1000:.0f}"
    turn.tell("done", text=phrase("pieces", count=len(spoken), kilobytes=kilobytes))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(b"".join(part.mp3 for part in spoken))
    shown = out.relative_to(ROOT) if out.is_relative_to(ROOT) else out
    print(
        "\n" + phrase("answer", text="".join(part.text for part in spoken).strip()),
        phrase("listen", file=shown),
        sep="\n",
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
