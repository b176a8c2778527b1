"""Bytes leave when they exist; who leaves, or breaks off, is noticed. Through the proxy and on real sockets."""

import json
import signal
import time
from os import kill

import httpx
import pytest

from e2e.installation import Installation, until
from imitations.upstream import Upstream


def chat(model: str, *, stream: bool = True) -> dict[str, object]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": "Tell me a story."}]}


def words(body: bytes) -> str:
    events = [line[len(b"data: ") :] for line in body.splitlines() if line.startswith(b"data: {")]
    return "".join(json.loads(event)["choices"][0]["delta"].get("content", "") for event in events)


TEN_WORDS = "".join(f"word{number} " for number in range(10))


def test_the_first_word_arrives_long_before_the_last(client: httpx.Client, upstream: Upstream) -> None:
    body, said = b"", []
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-150")) as response:
        for piece in response.iter_raw():
            body += piece
            said.append(upstream.seen[-1].events)

    assert words(body) == TEN_WORDS
    assert said[0] < 6, "what the upstream had said by then"
    assert len(said) >= 4  # several may come together on a busy machine


def test_speech_begins_before_it_ends(client: httpx.Client) -> None:
    text = "This is a sentence of a long story about a bear. " * 80
    wanted = {"model": "espeak", "voice": "alloy", "input": text, "response_format": "mp3"}
    began = time.monotonic()
    with client.stream("POST", "/audio/speech", json=wanted) as response:
        pieces = response.iter_raw()
        assert next(pieces)
        first = time.monotonic() - began
        size = sum(map(len, pieces))
    last = time.monotonic() - began

    assert response.headers["content-type"] == "audio/mpeg"
    assert size > 100_000
    assert first < last / 2


def test_a_client_that_leaves_stops_the_work_upstream(client: httpx.Client, upstream: Upstream) -> None:
    left = upstream.left
    with client.stream("POST", "/chat/completions", json=chat("words-100-every-100")) as response:
        pieces = response.iter_raw()
        next(pieces)

    until(lambda: upstream.left > left)


def test_a_client_that_leaves_before_the_first_byte_stops_the_work_too(
    talkbox: Installation, upstream: Upstream
) -> None:
    left, asked = upstream.left, len(upstream.seen)
    with talkbox.client() as client, pytest.raises(httpx.ReadTimeout):
        client.post("/chat/completions", json=chat("words-2-after-30000", stream=False), timeout=0.5)

    until(lambda: upstream.left > left)
    assert len(upstream.seen) == asked + 1, "the proxy sent it once"


def test_a_broken_upstream_arrives_broken(client: httpx.Client) -> None:
    body, broken = b"", False
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-20-cut-3")) as response:
        try:
            for piece in response.iter_raw():
                body += piece
        except httpx.RemoteProtocolError:
            broken = True

    assert response.status_code == 200
    assert b"word2" in body
    assert b"[DONE]" not in body
    assert broken or b'"error"' in body


def test_sigterm_lets_a_stream_finish_and_the_exit_code_is_0(talkbox: Installation, client: httpx.Client) -> None:
    parent, _ = talkbox.pids()["llm"]
    before = talkbox.log("supervisor").count("exited: llm (exit status 0")
    with client.stream("POST", "/chat/completions", json=chat("words-10-every-150")) as response:
        pieces = response.iter_raw()
        body = next(pieces)
        kill(parent, signal.SIGTERM)
        body += b"".join(pieces)

    assert words(body) == TEN_WORDS
    assert b"[DONE]" in body
    until(lambda: talkbox.log("supervisor").count("exited: llm (exit status 0") == before + 1)
    until(lambda: talkbox.ready("llm"))  # supervisor has started it again
