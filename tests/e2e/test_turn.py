"""A whole turn, and the two ends of it that need no network."""

import re
from pathlib import Path

import av
import httpx
import pytest

from e2e.installation import Installation

SENTENCES = [
    "good morning my little friend",
    "the sun is shining and the birds are singing",
    "tell me a story about the moon",
]


def test_flite_speaks_and_sphinx_hears_the_words(client: httpx.Client) -> None:
    spoken, right = 0, 0
    for sentence in SENTENCES:
        wanted = {"model": "flite", "voice": "slt", "input": sentence, "response_format": "wav"}
        sound = client.post("/audio/speech", json=wanted)
        assert sound.headers["x-talkbox-engine"] == "flite"
        heard = client.post("/audio/transcriptions", files={"file": ("a.wav", sound.content)}, data={"model": "sphinx"})
        assert heard.headers["x-talkbox-engine"] == "sphinx"
        words = re.findall(r"[a-z]+", heard.json()["text"].lower())
        spoken += len(sentence.split())
        right += sum(word in words for word in sentence.split())

    assert right / spoken > 0.8


def seconds_of(mp3: Path) -> float:
    with av.open(str(mp3)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


@pytest.mark.parametrize("question", ["", "TEXT=What can you do?"])
def test_make_talk_takes_a_whole_turn_and_leaves_an_mp3(talkbox: Installation, question: str) -> None:
    told = talkbox.make("talk", *filter(None, [question]), "OUT=answer.mp3").stdout

    for step in ("sent", "heard", "first words", "first sound", "done"):
        assert re.search(rf"^ +\d+\.\d\d s  {step}", told, re.MULTILINE), told
    assert seconds_of(talkbox.folder / "answer.mp3") > 0.5


def test_make_talk_says_which_language_cannot_be_heard(talkbox: Installation) -> None:
    told = talkbox.make("talk", "TEXT=你叫什么名字？", check=False).stdout

    assert "Only English is heard now, by sphinx." in told
    assert "sensevoice" in told


def test_make_talk_takes_a_recording(talkbox: Installation, client: httpx.Client) -> None:
    wanted = {"model": "flite", "voice": "slt", "input": "Hello! What is your name?", "response_format": "mp3"}
    (talkbox.folder / "question.mp3").write_bytes(client.post("/audio/speech", json=wanted).content)

    told = talkbox.make("talk", "FILE=question.mp3").stdout

    assert re.search(r"heard +sphinx +“.*name.*”", told), told
    assert seconds_of(talkbox.folder / ".talkbox" / "talk.mp3") > 0.5


def test_make_talk_says_what_is_wrong(talkbox: Installation) -> None:
    assert "cannot be read" in talkbox.make("talk", "FILE=no-such.wav", check=False).stdout
    assert "Nothing answers" in talkbox.make("talk", "TALKBOX_PORT=1", check=False).stdout
