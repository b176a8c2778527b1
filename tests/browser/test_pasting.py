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
import yaml
from playwright._impl._driver import compute_driver_executable

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


def of_service(visit: Callable[..., Console], tab: str, name: str) -> dict[str, str]:
    """The environment that the page gives to a service of a compose file; from a container it reaches this machine."""
    service = yaml.safe_load(shown(visit, tab))["services"][name]
    assert service["extra_hosts"] == [f"{CONTAINERS_SEE}:host-gateway"]
    environment: dict[str, str] = service["environment"]
    return {name: value.replace(CONTAINERS_SEE, "127.0.0.1") for name, value in environment.items()}


def test_the_pages_lines_for_folotoy_server_work(visit: Callable[..., Console], client: httpx.Client) -> None:
    said = of_service(visit, "folotoy", "folotoy")

    assert (said["STT_TYPE"], said["LLM_TYPE"], said["TTS_TYPE"]) == ("openai-whisper", "openai", "openai-tts")
    for kind, prefix in (("stt", "OPENAI_WHISPER"), ("llm", "OPENAI_OPENAI"), ("tts", "OPENAI_TTS")):
        fields = {"model": said[f"{prefix}_MODEL"], "voice_name": said["OPENAI_TTS_VOICE_NAME"], "language": "en"}
        assert served(client, kind, said[f"{prefix}_API_BASE"], said[f"{prefix}_KEY"], fields) == 200


def test_the_pages_lines_for_open_webui_work(visit: Callable[..., Console], client: httpx.Client) -> None:
    said = of_service(visit, "openwebui", "open-webui")

    assert (said["AUDIO_STT_ENGINE"], said["AUDIO_TTS_ENGINE"]) == ("openai", "openai")
    fields = {"model": "gpt-4o-mini"}
    assert served(client, "llm", said["OPENAI_API_BASE_URL"], said["OPENAI_API_KEY"], fields) == 200
    for kind in ("stt", "tts"):
        prefix = f"AUDIO_{kind.upper()}"
        base, key = said[f"{prefix}_OPENAI_API_BASE_URL"], said[f"{prefix}_OPENAI_API_KEY"]
        fields = {"model": said[f"{prefix}_MODEL"], "voice_name": said["AUDIO_TTS_VOICE"], "language": "en"}
        assert served(client, kind, base, key, fields) == 200


def test_the_pages_lines_for_xiaozhi_have_whole_addresses_that_work(
    visit: Callable[..., Console], client: httpx.Client
) -> None:
    said = yaml.safe_load(shown(visit, "xiaozhi").replace(CONTAINERS_SEE, "127.0.0.1"))
    stt, llm, tts = (said[kind][said["selected_module"][kind]] for kind in ("ASR", "LLM", "TTS"))

    assert {module["type"] for module in (stt, llm, tts)} == {"openai"}
    assert stt["base_url"].endswith("/v1/audio/transcriptions")
    assert tts["api_url"].endswith("/v1/audio/speech")
    hearing = {"model": stt["model_name"], "language": "en"}
    speaking = {"model": tts["model"], "voice_name": tts["voice"]}
    assert served(client, "stt", stt["base_url"].removesuffix("/audio/transcriptions"), stt["api_key"], hearing) == 200
    assert served(client, "llm", llm["url"], llm["api_key"], {"model": llm["model_name"]}) == 200
    assert served(client, "tts", tts["api_url"].removesuffix("/audio/speech"), tts["api_key"], speaking) == 200


def test_the_pages_lines_for_home_assistant_name_a_base_and_a_key_that_work(
    visit: Callable[..., Console], client: httpx.Client
) -> None:
    text = shown(visit, "homeassistant")
    said = dict(re.findall(r"--([a-z-]+) (\S+)", text))

    assert "wyoming-openai" in text
    for kind in ("stt", "tts"):
        fields = {"model": said[f"{kind}-models"], "voice_name": said["tts-voices"], "language": "en"}
        assert served(client, kind, said[f"{kind}-openai-url"], said[f"{kind}-openai-key"], fields) == 200


def test_the_pages_javascript_example_works(
    visit: Callable[..., Console], talkbox: Installation, tmp_path: Path
) -> None:
    node, _ = compute_driver_executable()
    (tmp_path / "talk.mjs").write_text(shown(visit, "javascript"))
    answer, heard = run(talkbox, tmp_path, str(node), "talk.mjs").strip().splitlines()

    assert answer
    assert re.fullmatch(r"[a-z' ]+", heard)


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
