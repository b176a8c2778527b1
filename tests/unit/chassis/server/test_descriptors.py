"""A service that may open nothing more, and then may again."""

import logging
import os
import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing import Pipe
from pathlib import Path
from time import monotonic

import httpx
import pytest
import uvicorn

from chassis.server.reporting import Reporting
from fixtures.serving import process

MORE_THAN_FIT = 20
CHAT = {"model": "companion", "messages": [{"role": "user", "content": "Hello"}]}


def is_answered(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_without_descriptors_callers_wait_and_are_answered_once_there_are_some() -> None:
    kept = httpx.Limits(keepalive_expiry=None)  # on a busy machine the others take longer than the usual five seconds
    with (
        process("llm", None, LLM_ENGINES="companion") as llm,
        httpx.Client(base_url=llm.base, timeout=10, limits=kept) as known,
    ):
        assert known.post("/v1/chat/completions", json=CHAT).status_code == 200
        open_files = {int(path.name) for path in Path(f"/proc/{llm.pid}/fd").iterdir()}
        usual = resource.prlimit(llm.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(llm.pid, resource.RLIMIT_NOFILE, (max(open_files) + 1, usual[1]))
        with ExitStack() as stack:
            callers = [stack.enter_context(httpx.Client(base_url=llm.base, timeout=1)) for _ in range(MORE_THAN_FIT)]
            assert not all(map(is_answered, callers))
            assert known.post("/v1/chat/completions", json=CHAT).status_code == 200, "who was there before is served"

        resource.prlimit(llm.pid, resource.RLIMIT_NOFILE, usual)
        until = monotonic() + 10
        with httpx.Client(base_url=llm.base, timeout=2) as later:
            while not is_answered(later):
                assert monotonic() < until, "it did not come back"


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    usual = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(map(int, os.listdir("/proc/self/fd"))) + 1, usual[1]))
    taken = []
    try:
        while True:
            taken.append(socket.socket())
    except OSError:
        yield
    finally:
        for each in taken:
            each.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, usual)


def test_a_worker_says_that_no_descriptor_is_left_and_not_each_second(caplog: pytest.LogCaptureFixture) -> None:
    """uvloop closes what new callers open then, and says nothing."""
    reader, reports = Pipe(duplex=False)
    worker = Reporting(uvicorn.Config("none", log_config=None), reports, os.getppid())

    with caplog.at_level(logging.ERROR, "talkbox"), no_descriptor_left():
        for _ in range(3):
            worker._look_for_descriptors()
    with caplog.at_level(logging.ERROR, "talkbox"):
        worker._look_for_descriptors()

    assert [record.message.partition(":")[0] for record in caplog.records] == ["EMFILE"]
    reader.close()
    reports.close()
