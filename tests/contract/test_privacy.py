"""`GET /privacy` follows the settings: each is turned, and the sheet changes."""

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from llm import app as llm
from stt import app as stt
from tts import app as tts

SERVICES = {"stt": stt.create_app, "llm": llm.create_app, "tts": tts.create_app}
PLAIN = {"STT_ENGINES": "sphinx", "LLM_ENGINES": "companion", "TTS_ENGINES": "flite"}
UPSTREAM = "http://user:password@203.0.113.7:9000"
SHOWN = "http://203.0.113.7:9000"


async def sheet(service: str, *, key: str = "") -> dict[str, Any]:
    """Return the sheet of a service that has loaded its engines."""
    app: Starlette = SERVICES[service]()
    headers = {"authorization": f"Bearer {key}"} if key else {}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service", headers=headers) as http,
        asyncio.timeout(60),
    ):
        while True:
            found: dict[str, Any] = (await http.get("/privacy")).json()
            if not found["not_loaded"]:
                return found
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in PLAIN.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("service", SERVICES)
async def test_by_default_nothing_is_on_disk_and_nothing_leaves(service: str) -> None:
    found = await sheet(service)

    assert (found["words_on_disk"], found["words_leave"], found["sent"]) == (False, False, [])
    words = [(each["what"], each["where"]) for each in found["kept"] if each["words"]]
    assert words == ([("speech", "memory")] if service == "tts" else [])


CASES = [
    ("stt", {"STT_ENGINES": "mine", "STT_MINE_BASE_URL": UPSTREAM}, "sent", ("sound", "mine", SHOWN)),
    ("stt", {"STT_ENGINES": "azure-stt", "AZURE_STT_KEY": "k", "AZURE_STT_SERVICE_REGION": "eastasia"}, "sent",
     ("sound", "azure-stt", "https://eastasia.stt.speech.microsoft.com")),
    ("stt", {"STT_ENGINES": "dashscope", "DASHSCOPE_API_KEY": "k", "STT_DASHSCOPE_BASE_URL": UPSTREAM}, "sent",
     ("sound", "dashscope", SHOWN)),
    ("llm", {"LLM_ENGINES": "openai", "OPENAI_API_KEY": "k"}, "sent", ("words", "openai", "https://api.openai.com")),
    ("llm", {"LLM_ENGINES": "coze", "COZE_PERSONAL_ACCESS_TOKEN": "k", "COZE_BOT_ID": "7"}, "sent",
     ("words", "coze", "https://api.coze.cn")),
    ("llm", {"LLM_SPEAK_AHEAD_URL": f"{SHOWN}/v1"}, "sent", ("words", "tts", SHOWN)),
    ("tts", {"TTS_ENGINES": "edge"}, "sent", ("words", "edge", "wss://speech.platform.bing.com")),
    ("tts", {"TTS_ENGINES": "elevenlabs", "ELEVENLABS_TTS_KEY": "k"}, "sent",
     ("words", "elevenlabs", "https://api.elevenlabs.io")),
    ("llm", {"LLM_KEY_REQUESTS": "9/day"}, "kept", ("budgets by the name of a key", "memory", None)),
    ("stt", {"STT_KEY_SECONDS": "9/day"}, "kept", ("budgets by the name of a key", "memory", None)),
    ("tts", {"TTS_KEY_CHARACTERS": "9/day"}, "kept", ("budgets by the name of a key", "memory", None)),
    ("llm", {"LLM_KEY_TOKENS": "9/day", "LLM_BUDGETS_URL": "redis://127.0.0.1:1"}, "kept",
     ("budgets by the name of a key", "server", None)),
    ("tts", {"TTS_CACHE_DIR": "FOLDER"}, "kept", ("speech", "disk", "FOLDER")),
    ("stt", {"LOG_LEVEL": "debug"}, "kept", ("a line about each request", "log", None)),
    *[
        each
        for service in SERVICES
        for each in (
            (service, {"GUARD": "kids", "GUARD_WEBHOOK_URL": f"{UPSTREAM}/hook"}, "sent",
             ("notices", "webhook", SHOWN)),
            (service, {"GUARD": "shadow", "GUARD_ENGINES": "rules,qwen3guard", "GUARD_QWEN3GUARD_BASE_URL": UPSTREAM},
             "sent", ("words", "qwen3guard", SHOWN)),
        )
    ],
]  # fmt: skip


@pytest.mark.parametrize(("service", "settings", "where", "entry"), CASES)
async def test_a_setting_changes_the_sheet(
    service: str,
    settings: dict[str, str],
    where: str,
    entry: tuple[str, str, str | None],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    before = (await sheet(service))[where]
    for name, value in settings.items():
        monkeypatch.setenv(name, value.replace("FOLDER", str(tmp_path)))
    after = await sheet(service)

    what, of, address = entry
    [found] = [each for each in after[where] if each not in before]
    assert (found["what"], found["to" if where == "sent" else "where"]) == (what, of)
    assert found.get("address") == (address and address.replace("FOLDER", str(tmp_path)))
    assert any(name in found["setting"] for name in settings)
    assert after["words_leave"] == any(each["what"] != "notices" for each in after["sent"])
    assert after["words_on_disk"] == (of == "disk")
    assert "password" not in str(after)


async def test_without_a_cache_no_speech_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_CACHE", "off")

    assert not any(each["words"] for each in (await sheet("tts"))["kept"])


async def test_an_engine_that_is_not_there_gets_nothing_and_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_ENGINES", "openai,companion")
    app = SERVICES["llm"]()
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://llm") as http,
    ):
        found = (await http.get("/privacy")).json()

    assert "openai" in found["not_loaded"]
    assert found["sent"] == []


async def test_addresses_are_for_callers_with_a_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("API_KEYS", "kitchen:one")
    monkeypatch.setenv("TTS_CACHE_DIR", str(tmp_path))
    stranger, owner = await sheet("tts"), await sheet("tts", key="one")

    assert "address" not in str(stranger)
    assert str(tmp_path) in str(owner)
    assert stranger["words_on_disk"] is owner["words_on_disk"] is True
