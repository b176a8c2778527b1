"""Ask a Talkbox on a loopback that loses packets: run in a network namespace of its own, by `test_bad_network`."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from e2e.installation import Installation

TOYS_PATIENCE_SECONDS = 5.0
TOYS, TURNS = 8, 64


def asked(talkbox: Installation) -> str:
    """Take the mind's and the mouth's part of a turn over new connections; return what went wrong."""
    chat = {"model": "any", "messages": [{"role": "user", "content": "What can you do?"}], "stream": True}
    try:
        with talkbox.client() as client:
            client.timeout = httpx.Timeout(30.0, read=TOYS_PATIENCE_SECONDS)
            answer = client.post("/chat/completions", json=chat)
            if not answer.text.endswith("data: [DONE]\n\n"):
                return f"llm {answer.status_code}"
            spoken = client.post("/audio/speech", json={"model": "tts-1", "input": "Hello!", "voice": "alloy"})
            return "" if spoken.content and spoken.status_code == 200 else f"tts {spoken.status_code}"
    except httpx.HTTPError as exc:
        return repr(exc)


def main(folder: str, *worsen: str) -> None:
    """Start a Talkbox, worsen the network, take turns, and write down what went wrong in each."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    talkbox = Installation(Path(folder))
    talkbox.make("up")
    try:
        subprocess.run(worsen, check=True)
        with ThreadPoolExecutor(TOYS) as toys:
            sys.stdout.write(json.dumps(list(toys.map(asked, [talkbox] * TURNS))))
    finally:
        talkbox.make("down")


if __name__ == "__main__":
    main(*sys.argv[1:])
