"""`make fuzz-parsers`: atheris gives a parser bytes; what is neither an answer nor an error of ours is found.

`python parsers.py NAME FOLDER -max_total_time=60`: the name is one of `PARSERS`; inputs that lead somewhere new are
kept in the folder, and one that goes wrong is written beside it.
"""

import asyncio
import io
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

LED_BY = ["python_multipart", "chassis.server.forms", "chassis.sse", "stt.wire", "stt.sound", "llm.answer", "deploy"]
LED_BY += ["tts.audio.recognise", "tts.text.clauses", "tts.text.speakable", "tts.text.rules"]
"""Modules whose branches atheris watches."""

with atheris.instrument_imports(include=LED_BY):
    from deploy.env_file import UnreadableLine, parse_env
    from deploy.folotoy_facts import Facts
    from deploy.folotoy_files import BrokenFile, read_json, settings_in
    from deploy.folotoy_rules import mistakes
    from deploy.roles import mended
    from starlette.requests import Request

    from chassis.errors import ApiError
    from chassis.server.forms import parse_form
    from chassis.sse import events
    from llm.answer.filter import Strainer
    from llm.answer.frames import Frames
    from stt.sound.decode import blocks
    from stt.sound.unreadable import explain
    from stt.wire import TranscriptionRequest
    from tts.audio.recognise import NotSound, recognise
    from tts.text.clauses import clauses
    from tts.text.figures import in_words
    from tts.text.speakable import clean, tidy

LOOP = asyncio.new_event_loop()
BOUNDARY = b"b"


def _cut(octets: bytes) -> Iterator[bytes]:
    """Yield the bytes in pieces, whose size the first byte says."""
    size = 1 + octets[0] % 32 if octets else 1
    for start in range(1, len(octets), size):
        yield octets[start : start + size]


async def _pieces(octets: bytes) -> AsyncIterator[bytes]:
    for piece in _cut(octets):
        yield piece


def form(octets: bytes) -> None:
    """Of a recording, as stt takes it in."""
    pieces = [*_cut(octets), b""]

    async def receive() -> dict[str, Any]:
        piece = pieces.pop(0)
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    async def parse() -> None:
        headers = [(b"content-type", b"multipart/form-data; boundary=" + BOUNDARY)]
        request = Request({"type": "http", "method": "POST", "headers": headers}, receive)
        async with parse_form(request, TranscriptionRequest):
            pass

    LOOP.run_until_complete(parse())


def sound(octets: bytes) -> None:
    """A file that says it is a recording; what cannot be heard is explained."""
    try:
        for _ in blocks(io.BytesIO(octets), 10, 16_000):
            pass
    except ApiError:
        explain(io.BytesIO(octets))
    recognise(octets, complete=True)


def sse(octets: bytes) -> None:
    """An upstream's stream, as it is read and as it is relayed."""

    async def read() -> None:
        async for _ in events(_pieces(octets)):
            pass

    LOOP.run_until_complete(read())
    frames = Frames()
    for piece in _cut(octets):
        frames.add(piece)
    frames.rest()


def thoughts(octets: bytes) -> None:
    """An answer for the ear: it does not matter where it is cut."""
    text = octets[1:].decode("utf-8", "ignore")
    size = 1 + octets[0] % 32 if octets else 1
    cut = _strained(text[start : start + size] for start in range(0, len(text), size))
    assert cut == _strained([text]), (cut, _strained([text]))


def _strained(pieces: Iterable[str]) -> str:
    strainer = Strainer(thoughts=True, reasoning=True, markdown=True, heard=True)
    return "".join([*(strainer.text(0, piece) for piece in pieces), strainer.rest(0, "stop")])


def speakable(octets: bytes) -> None:
    """A text on its way to a voice: nothing of it is said twice, or cut away between two clauses."""
    text = clean(tidy(octets.decode("utf-8", "ignore")))
    assert "".join("".join(clauses(text)).split()) == "".join(text.split())
    for language in ("zh", "en", None):
        in_words(text, language)


def roles(octets: bytes) -> None:
    """A roles.json, whose mistakes are named and mended."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(octets)
        list(mistakes(read_json(Path(file.name)), Facts()))
    mended(octets.decode("utf-8-sig"), Facts())


def settings(octets: bytes) -> None:
    """An .env, and a compose file."""
    text = octets.decode("utf-8", "replace")
    settings_in(text)
    parse_env(text, {})


PARSERS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (form, sound, sse, thoughts, speakable, roles, settings)
}
SEEDS: dict[str, bytes] = {
    "form": b'\x10--b\r\ncontent-disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
    b'--b\r\ncontent-disposition: form-data; name="temperature"\r\n\r\n0.5\r\n--b--\r\n',
    "sound": b"RIFF\x28\0\0\0WAVE"
    b"fmt \x10\0\0\0\x01\0\x01\0\x80\x3e\0\0\0\x7d\0\0\x02\0\x10\0data\x04\0\0\0\x01\0\x02\0",
    "sse": b'\x05event: x\r\ndata: {"choices":[{"delta":{"content":"a"}}]}\n\ndata: [DONE]\n\n',
    "thoughts": b"\x03<think>no</think>Hello **you** [a](b) `c`",
    "speakable": "# 标题\n* 3月5日下午3:30,一共1,234.5元。See https://a.b/c?d=1 **now** at 5pm!".encode(),
    "roles": b'{"1": {"name": "a", "llm_type": "openai", "llm_config": {"model": "m", "api_base": "http://h:8080/v1"}}}',
    "settings": b"export A=\"b\\n$C\" # d\nE='f'\nservices:\n  a:\n    environment:\n      G: h\n",
}


def expected(parse: Callable[[bytes], None]) -> Callable[[bytes], None]:
    """Let pass what tells a caller or an operator what to do."""

    def parse_one(octets: bytes) -> None:
        with suppress(ApiError, BrokenFile, UnreadableLine, NotSound):
            parse(octets)

    return parse_one


def main(name: str, folder: str, *options: str) -> None:
    """Fuzz until the options say that it is enough; something found ends it with a status of its own."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    Path(folder, "seed").write_bytes(SEEDS[name])
    atheris.Setup([sys.argv[0], folder, *options], expected(PARSERS[name]))
    atheris.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
