"""What the ears say beside the words, as a page on another origin may read it through the proxy."""

import httpx
import numpy as np

from e2e.installation import Installation
from fixtures import sounds

ORIGIN = "http://toy.example"


def ask(installation: Installation, file: bytes, **fields: str) -> httpx.Response:
    with installation.client(headers={"origin": ORIGIN}) as client:
        return client.post("/audio/transcriptions", files={"file": ("a.wav", file)}, data=fields)


def test_a_page_on_another_origin_reads_what_is_wrong_with_a_recording_and_who_stood_in(talkbox: Installation) -> None:
    hello = sounds.spoken("good morning my little friend")
    two_channels = sounds.wav_of_channels(np.stack([hello, np.zeros_like(hello)]))
    lying = two_channels[:22] + b"\x01\0" + two_channels[24:]
    for file, header, expected in (
        (sounds.wav(hello), "x-talkbox-assumed-language", "en"),
        (sounds.wav(sounds.silence(1)), "x-talkbox-speech", "silence"),
        (sounds.wav(sounds.noise(1)), "x-talkbox-speech", "none"),
        (lying, "x-talkbox-recording", "says 1 channel, sounds like 2"),
    ):
        answer = ask(talkbox, file, language="" if header == "x-talkbox-assumed-language" else "en")
        assert answer.status_code == 200, answer.text
        assert answer.headers[header] == expected
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert header in answer.headers["access-control-expose-headers"].lower().split(", ")
