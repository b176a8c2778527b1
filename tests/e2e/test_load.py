"""Workers come, go and die under load; a full house says so at once."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from os import kill
from time import monotonic

import httpx
import pytest

from e2e.installation import Installation, until
from e2e.test_streams import TEN_WORDS, chat, words


class Load:
    """Callers who ask again and again, and what they were told."""

    def __init__(self, talkbox: Installation, callers: int, wanted: dict[str, object]) -> None:
        self.talkbox, self.wanted = talkbox, wanted
        self.answered = 0
        self.failed: list[str] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(callers)]

    def _ask(self) -> None:
        with self.talkbox.client() as client:
            while not self._stop.is_set():
                try:
                    response = client.post("/chat/completions", json=self.wanted)
                except httpx.HTTPError as exc:
                    self.failed.append(repr(exc))
                    continue
                complete = response.status_code == 200 and (
                    words(response.content) == TEN_WORDS if self.wanted["stream"] else "word" in response.text
                )
                if complete:
                    self.answered += 1
                else:
                    self.failed.append(f"{response.status_code} {response.text[-300:]}")

    def go_on(self, requests: int) -> None:
        """Until so many more have been answered."""
        enough = self.answered + requests
        until(lambda: self.answered >= enough or self.failed)

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


def has_new_worker(talkbox: Installation, before: list[int]) -> bool:
    return len(set(talkbox.workers("llm")) - set(before)) == 1


@contextmanager
def scaled(talkbox: Installation, number: int) -> Iterator[None]:
    talkbox.make("scale", f"llm={number}")
    try:
        yield
    finally:
        talkbox.make("scale", "llm=1")


def test_a_worker_that_is_killed_fails_no_request_that_had_not_begun_to_answer(talkbox: Installation) -> None:
    with scaled(talkbox, 2), Load(talkbox, 6, chat("words-1-every-0-after-200", stream=False)) as load:
        load.go_on(12)
        for _ in range(2):
            before = talkbox.workers("llm")
            kill(before[0], signal.SIGKILL)
            load.go_on(12)
            until(partial(has_new_worker, talkbox, before))

    assert load.failed == []


def test_scaling_up_and_down_drops_no_stream_under_way(talkbox: Installation) -> None:
    with Load(talkbox, 4, chat("words-10-every-50")) as load:
        load.go_on(4)
        talkbox.make("scale", "llm=3")
        assert len(talkbox.workers("llm")) == 3
        load.go_on(8)
        talkbox.make("scale", "llm=1")
        assert len(talkbox.workers("llm")) == 1
        load.go_on(4)

    assert load.failed == []


def test_the_number_of_workers_outlives_a_restart(talkbox: Installation) -> None:
    with scaled(talkbox, 2):
        parent, _ = talkbox.pids()["llm"]
        kill(parent, signal.SIGKILL)
        until(lambda: (found := talkbox.pids().get("llm")) and found[0] != parent and len(found[1]) == 2)
        until(lambda: talkbox.ready("llm"))


@pytest.fixture
def narrow(talkbox: Installation) -> Iterator[Installation]:
    """llm with two places and a queue of two."""
    talkbox.set(LLM_MAX_CONCURRENT="2", LLM_MAX_QUEUED="2")
    talkbox.make("up")
    yield talkbox
    talkbox.set(LLM_MAX_CONCURRENT="", LLM_MAX_QUEUED="")
    talkbox.make("up")


def test_a_full_queue_is_a_429_at_once_and_never_a_timeout(narrow: Installation) -> None:
    def ask(_: int) -> tuple[int, float, str]:
        began = monotonic()
        with narrow.client() as client:
            response = client.post("/chat/completions", json=chat("words-1-every-0-after-600", stream=False))
        return response.status_code, monotonic() - began, response.headers.get("retry-after", "")

    with ThreadPoolExecutor(20) as callers:
        answers = list(callers.map(ask, range(20)))

    statuses = Counter(status for status, _, _ in answers)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= 2
    assert statuses[429] >= 10
    assert all(int(retry_after) >= 1 for status, _, retry_after in answers if status == 429)
    assert max(seconds for _, seconds, _ in answers) < 5
