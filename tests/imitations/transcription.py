"""An imitation of a transcription server that speaks OpenAI's dialect, in all the ways such servers go wrong.

In a test:

    async with TranscriptionServer(Manner(text="hello", knows=("json",))) as server:
        ...                                  # talk to server.base_url
        assert server.seen[0].fields["model"] == ["whisper-1"]

As a program: `PYTHONPATH=tests python -m imitations.transcription --port 9000`, then
`STT_OPENAI_BASE_URL=http://127.0.0.1:9000/v1`. A request's `model` picks one of `MANNERS` by name (`cut`, `html`, `401`
…); any other gets a good answer.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from imitations import audio_server
from imitations.audio_server import JSON, AudioServer, ended, error, headers_of, run, troubles

EVENTS = "text/event-stream"


@dataclass(frozen=True)
class Manner(audio_server.Manner):
    """How a request is answered."""

    text: str = "hello little bear"
    language: str = "english"
    knows: tuple[str, ...] = ("json", "verbose_json", "stream")
    """What it understands; the rest is refused, or taken for `json`."""
    refuses: bool = True
    segments: bool = True
    """Whether its verbose answers have segments and words; else they are a text like any other."""
    untyped: bool = False
    """Streams the texts of segments without a type, and no end."""
    deltas: tuple[str, ...] = ()
    """The pieces of the stream; none: words."""


MANNERS = troubles(Manner, about="file", bytes_before=10) | {
    "sensevoice": Manner(text="<|zh|><|NEUTRAL|><|Speech|><|woitn|>🎼你好小熊😊", knows=("json",), refuses=False),
    "not-a-text": Manner(body=b'{"text": ["7"]}'),
    "error-in-stream": Manner(body=b'data: {"error": {"message": "model crashed"}}\n\n', claims=EVENTS),
}


@dataclass
class Seen(audio_server.Seen):
    """A request that came."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    name: str = ""
    file: bytes = b""


class TranscriptionServer(AudioServer[Manner, Seen]):
    path = "/v1/audio/transcriptions"

    def __init__(self, manner: Manner | None = None, *, port: int = 0) -> None:
        super().__init__(manner or Manner(), MANNERS, port)

    async def read(self, request: web.Request) -> tuple[Seen, str]:
        seen = Seen(headers_of(request))
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                with value.file:
                    seen.name, seen.file = value.filename, value.file.read()
            else:
                assert isinstance(value, str)
                seen.fields.setdefault(name, []).append(value)
        return seen, seen.fields["model"][-1]

    def fields_of(self, seen: Seen) -> Mapping[str, Any]:
        return seen.fields

    async def answer(self, request: web.Request, seen: Seen, manner: Manner) -> web.StreamResponse:
        wanted = seen.fields["response_format"][-1]
        streams = seen.fields.get("stream") == ["true"]
        status, claims, pieces = manner.status, manner.claims or JSON, []
        if manner.body is not None:
            pieces = [manner.body]
        elif manner.refuses and (wanted not in manner.knows or (streams and "stream" not in manner.knows)):
            status, pieces = 400, [error("not supported by this model", param="response_format")]
        elif streams and "stream" in manner.knows:
            claims, pieces = EVENTS, list(_events(manner))
        else:
            verbose = wanted == "verbose_json" and wanted in manner.knows
            pieces = [json.dumps(_verbose(manner) if verbose else {"text": manner.text}).encode()]
        response = web.StreamResponse(status=status, headers={"content-type": claims} | dict(manner.headers))
        response.enable_chunked_encoding()
        await response.prepare(request)
        left = 2**30 if manner.most_bytes is None else manner.most_bytes
        for piece in pieces:
            await response.write(piece[:left])
            left -= len(piece)
            if left <= 0:
                break
            await asyncio.sleep(manner.slice_seconds)
        return await ended(request, response, manner)


def _events(manner: Manner) -> list[bytes]:
    words = manner.text.split(" ")
    deltas = manner.deltas or tuple(word if not number else f" {word}" for number, word in enumerate(words))
    if manner.untyped:
        return [_event({"text": delta}) for delta in deltas]
    said = [_event({"type": "transcript.text.delta", "delta": delta}) for delta in deltas]
    return [*said, _event({"type": "transcript.text.done", "text": "".join(deltas)})]


def _event(value: object) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()


def _verbose(manner: Manner) -> dict[str, Any]:
    """Half a second for each word."""
    words = manner.text.split()
    times = [{"word": word, "start": 0.5 * number, "end": 0.5 * (number + 1)} for number, word in enumerate(words)]
    body: dict[str, Any] = {"task": "transcribe", "language": manner.language, "text": manner.text}
    if manner.segments:
        segment = {"id": 0, "start": 0.0, "end": 0.5 * len(words), "text": f" {manner.text}", "avg_logprob": -0.25}
        body |= {"duration": 0.5 * len(words), "segments": [segment], "words": times}
    return body


if __name__ == "__main__":
    run(lambda port: TranscriptionServer(port=port), __doc__)
