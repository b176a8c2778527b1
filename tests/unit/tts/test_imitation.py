"""The imitation as a program: other processes are pointed at it."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from imitations import edge as imitation
from imitations.edge import mp3
from tts.engines.edge.engine import Edge, EdgeOptions
from tts.voices.choose import Voice
from unit.tts.fakes import gathered


@pytest.fixture
def url() -> Iterator[str]:
    command = [sys.executable, "-m", "imitations.edge", "--port", "0"]
    where = Path(imitation.__file__).parents[1]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=where) as process:
        assert process.stdout
        yield process.stdout.readline().strip()
        process.kill()


async def test_it_speaks_and_is_changed_and_asked_from_outside(url: str) -> None:
    voice = Voice("zh-CN-XiaoxiaoNeural", "zh-CN")

    edge = Edge(EdgeOptions(url=url))
    assert await gathered(edge.speak("你好", voice, 1.0)) == mp3("你好")
    await edge.aclose()
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.get("/heard")).json()[0]["text"] == "你好"
        assert (await client.post("/knobs", json={"trouble": "500"})).json()["trouble"] == "500"
