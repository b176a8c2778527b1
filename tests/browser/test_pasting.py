"""What the page and the READMEs tell people to paste works when it is pasted."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from browser.console import Console
from e2e.installation import KEY, ROOT, Installation

READMES = ["README.md", "README.zh-CN.md"]
CONTAINERS_SEE = "host.docker.internal"
ROLES = json.loads((ROOT / "deploy/folotoy/roles.json").read_text())
ROLES_PORT = 8090


def blocks(readme: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / readme).read_text(), re.DOTALL)


def run(talkbox: Installation, folder: Path, *command: str) -> str:
    environ = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "OPENAI_BASE_URL": talkbox.base,
        "OPENAI_API_KEY": KEY,
    }
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_curl_examples_work(talkbox: Installation, tmp_path: Path, readme: str) -> None:
    [example] = [block for block in blocks(readme, "sh") if "curl" in block]
    told = run(talkbox, tmp_path, "bash", "-ec", example)

    assert re.search(r'"text": ?"[a-z ]*hello', told), told
    assert "data: [DONE]" in told
    assert (tmp_path / "hello.mp3").stat().st_size > 1000


@pytest.mark.parametrize("readme", READMES)
def test_the_readmes_python_example_works(talkbox: Installation, tmp_path: Path, readme: str) -> None:
    [example] = blocks(readme, "python")
    answer, heard = run(talkbox, tmp_path, sys.executable, "-c", example).strip().splitlines()

    assert answer
    assert re.fullmatch(r"[a-z' ]+", heard)


def shown(visit: Callable[..., Console], tab: str) -> str:
    """What the page's button copies."""
    page = visit().page
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.click(f"#tab-{tab}")
    page.click("#copy")
    page.wait_for_selector("#copy-said:text('Copied.')")
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def test_the_pages_curl_example_works(visit: Callable[..., Console], talkbox: Installation, tmp_path: Path) -> None:
    told = run(talkbox, tmp_path, "bash", "-ec", shown(visit, "curl"))

    assert "data: [DONE]" in told


def test_the_pages_python_example_works(visit: Callable[..., Console], talkbox: Installation, tmp_path: Path) -> None:
    assert run(talkbox, tmp_path, sys.executable, "-c", shown(visit, "python"))


def served(client: httpx.Client, kind: str, base: str, key: str, fields: dict[str, Any]) -> int:
    """The status of one call as folotoy-server makes it."""
    headers = {"authorization": f"Bearer {key}"}
    match kind:
        case "stt":
            speech = {"model": "tts-1", "voice": "alloy", "input": "Hello, bear.", "response_format": "wav"}
            sound = client.post("/audio/speech", json=speech).content
            data: dict[str, Any] = {name: fields[name] for name in ("model", "language") if name in fields}
            files = {"file": ("a.wav", sound)}
            return client.post(f"{base}/audio/transcriptions", headers=headers, data=data, files=files).status_code
        case "llm":
            messages = [{"role": "user", "content": "你好！"}]
            wanted = {"messages": messages, "stream": True, "model": fields["model"], "max_tokens": 200}
            return client.post(f"{base}/chat/completions", headers=headers, json=wanted).status_code
        case _:
            wanted = {"input": "Hello, bear.", "model": fields["model"], "voice": fields["voice_name"]}
            return client.post(f"{base}/audio/speech", headers=headers, json=wanted).status_code


def test_the_pages_lines_for_folotoy_server_work(
    visit: Callable[..., Console], talkbox: Installation, client: httpx.Client
) -> None:
    head, *lines = shown(visit, "folotoy").splitlines()
    said = dict(line.strip().split(": ", 1) for line in lines)

    assert head == "environment:"
    assert (said["STT_TYPE"], said["LLM_TYPE"], said["TTS_TYPE"]) == ("openai-whisper", "openai", "openai-tts")
    for kind, prefix in (("stt", "OPENAI_WHISPER"), ("llm", "OPENAI_OPENAI"), ("tts", "OPENAI_TTS")):
        base = said[f"{prefix}_API_BASE"].replace(CONTAINERS_SEE, "127.0.0.1")
        fields = {"model": said[f"{prefix}_MODEL"], "voice_name": said["OPENAI_TTS_VOICE_NAME"], "language": "en"}
        assert served(client, kind, base, said[f"{prefix}_KEY"], fields) == 200


def test_the_pages_role_works(visit: Callable[..., Console], client: httpx.Client) -> None:
    role = json.loads("{" + shown(visit, "role") + "}")["1"]

    for kind in ("stt", "llm", "tts"):
        fields = {"language": "en", **role[f"{kind}_config"]}
        base = fields["api_base"].replace(CONTAINERS_SEE, "127.0.0.1")
        assert served(client, kind, base, fields["key"], fields) == 200


@pytest.mark.parametrize("name", ROLES)
def test_every_example_role_is_served(talkbox: Installation, client: httpx.Client, name: str) -> None:
    role = ROLES[name]
    kinds = [kind for kind in ("stt", "llm", "tts") if f"{kind}_config" in role]

    assert kinds
    for kind in kinds:
        fields = {**role[f"{kind}_config"], "language": "en"}  # the only one that can be heard without a model
        port = int(fields["api_base"].split(":")[2].removesuffix("/v1")) - ROLES_PORT + talkbox.port
        assert role[f"{kind}_type"] == {"stt": "openai-whisper", "llm": "openai", "tts": "openai-tts"}[kind]
        assert served(client, kind, f"http://127.0.0.1:{port}/v1", KEY, fields) == 200


def test_there_are_seven_example_roles_as_a_toy_has() -> None:
    assert list(ROLES) == [str(number) for number in range(1, 8)]
