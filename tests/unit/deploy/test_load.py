"""The toys of `make load`: what they count as carried, and what as failed."""

import json
import random
import time
from dataclasses import replace

import httpx
import pytest

from bench.load import Wish, carried, following
from bench.toys import HOPS, Failed, Seen, Toy

ANSWER = ["Hello", " there, little", " friend.", " How are", " you?"]


def chat(*texts: str, done: bool = True) -> bytes:
    chunks = [json.dumps({"choices": [{"delta": {"content": text}}]}) for text in texts]
    return "".join(f"data: {chunk}\n\n" for chunk in [*chunks, *(["[DONE]"] if done else [])]).encode()


def toy(asked: list[httpx.Request], **answers: httpx.Response) -> Toy:
    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers[request.url.path.rpartition("/")[2]]

    client = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    return Toy(client, "http://box/v1", "kitchen-key", b"RIFF", 0.0, False, Seen())


HEARD = httpx.Response(200, json={"text": "hello"})
SPOKEN = httpx.Response(200, content=b"mp3")


async def test_a_turn_asks_for_each_piece_as_folotoy_server_cuts_it_with_the_toys_own_key() -> None:
    asked: list[httpx.Request] = []
    one = toy(asked, transcriptions=HEARD, completions=httpx.Response(200, content=chat(*ANSWER)), speech=SPOKEN)

    await one.turn()

    pieces = [json.loads(request.content)["input"] for request in asked if request.url.path.endswith("speech")]
    assert pieces == ["Hello there,", " little friend.", " How are you?"]
    assert {request.headers["authorization"] for request in asked} == {"Bearer kitchen-key"}
    assert one.seen.whole == 1


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        ({"transcriptions": httpx.Response(429)}, "transcription: 429"),
        ({"completions": httpx.Response(503)}, "chat: 503"),
        ({"completions": httpx.Response(200, content=chat("Hello.", done=False))}, "chat: broken off"),
        ({"completions": httpx.Response(200, content=chat())}, "chat: nothing to say"),
        ({"speech": httpx.Response(502)}, "speech: 502"),
    ],
)
async def test_a_turn_that_fails_says_where(answers: dict[str, httpx.Response], why: str) -> None:
    usual = {"transcriptions": HEARD, "completions": httpx.Response(200, content=chat(*ANSWER)), "speech": SPOKEN}
    with pytest.raises(Failed, match=f"^{why}$"):
        await toy([], **{**usual, **answers}).turn()


@pytest.mark.parametrize(
    ("seconds", "failed", "expected"), [(1.0, 0, True), (5.5, 0, False), (1.0, 1, True), (1.0, 5, False)]
)
def test_toys_are_carried_where_nearly_all_turns_are_whole_and_in_time(
    seconds: float, failed: int, expected: bool
) -> None:
    seen = Seen({hop: [random.uniform(0.9, 1.0) * seconds for _ in range(100)] for hop in HOPS})
    seen.failed["speech: 429"] = failed

    assert carried(seen) is expected


def test_another_base_is_named_by_the_environment() -> None:
    wish = Wish.of({"TOYS": "200", "BASE": "http://box:8080/v1/", "KEYS": "a,b"})

    assert (wish.base, wish.keys) == ("http://box:8080/v1", ["a", "b"])
    assert not wish.here


@pytest.mark.parametrize(
    ("limit", "tried"),
    [
        (1000, [1, 3, 6, 12, 25, 50, 100, 200]),
        (40, [1, 3, 6, 12, 25, 50, 37, 43]),
        (4, [1, 3, 6, 4, 5]),
        (1, [1, 3, 2]),
        (0, [1]),
    ],
)
def test_toys_are_doubled_until_they_are_too_many_and_then_numbers_between_are_tried(
    limit: int, tried: list[int]
) -> None:
    knee, too_many, seen = 0, None, []
    while toys := following(200, knee, too_many):
        seen.append(toys)
        if toys <= limit:
            knee = toys
        else:
            too_many = toys

    assert seen == tried


async def test_each_toy_speaks_in_a_step_that_is_shorter_than_a_childs_pause() -> None:
    answers = {"transcriptions": HEARD, "completions": httpx.Response(200, content=chat(*ANSWER)), "speech": SPOKEN}
    one = replace(toy([], **answers), think_seconds=1000.0)

    await one.talk(time.perf_counter() + 0.5)

    assert one.seen.turns >= 1


async def test_without_a_key_no_empty_one_is_shown() -> None:
    asked: list[httpx.Request] = []
    answers = {"transcriptions": HEARD, "completions": httpx.Response(200, content=chat(*ANSWER)), "speech": SPOKEN}

    await replace(toy(asked, **answers), key="").turn()

    assert not [request for request in asked if "authorization" in request.headers]
