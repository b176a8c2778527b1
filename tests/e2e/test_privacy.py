"""What is kept: the sheet of the whole installation, and the disk itself."""

from pathlib import Path

import httpx
from deploy.installation import SERVICES

from e2e.installation import Installation
from fixtures.sounds import tone, wav

MARK = "marzipanelephant"


def files(folder: Path) -> dict[Path, int]:
    found = (path for path in folder.rglob("*") if path.is_file() and path.name != "supervisord.pid")
    return {path: path.stat().st_mtime_ns for path in found}


def test_one_sheet_shows_all_services_and_the_proxy(talkbox: Installation, client: httpx.Client) -> None:
    sheet = client.get(f"{talkbox.url}/status/privacy").json()

    assert set(sheet) == {*SERVICES, "proxy"}
    assert not any(sheet[service]["words_on_disk"] for service in SERVICES)
    assert [each["to"] for each in sheet["llm"]["sent"]] == ["imitated"]
    for service in SERVICES:
        assert client.get(f"{talkbox.url}/status/privacy/{service}").json() == sheet[service]
        assert client.get(talkbox.base_of(service).replace("/v1", "/status/privacy")).json() == sheet[service]


def test_who_is_down_has_an_error_in_its_place(talkbox: Installation, client: httpx.Client) -> None:
    talkbox.supervise("stop", "tts")
    try:
        sheet = client.get(f"{talkbox.url}/status/privacy").json()
    finally:
        talkbox.supervise("start", "tts")

    assert sheet["tts"]["error"]["code"] == "service_unavailable"
    assert sheet["llm"]["words_on_disk"] is False


def test_a_turn_leaves_nothing_on_the_disk(talkbox: Installation, client: httpx.Client) -> None:
    state = talkbox.folder / ".talkbox"
    before = files(state)
    client.post("/audio/transcriptions", files={"file": ("a.wav", wav(tone(1.0)))}, data={"prompt": MARK})
    said = {"model": "companion", "messages": [{"role": "user", "content": f"Hello {MARK}"}]}
    client.post("/chat/completions", json=said)
    client.post("/chat/completions", json=said | {"stream": True, "user": MARK})
    client.post("/audio/speech", json={"model": "tts-1", "voice": "alloy", "input": f"Hello {MARK}"})
    changed = {path for path, at in files(state).items() if before.get(path) != at}

    assert changed
    assert {path.relative_to(state).parts[0] for path in changed} <= {"logs", "run"}
    assert not any(MARK.encode() in path.read_bytes() for path in files(state))
    assert not any(path.suffix in (".mp3", ".wav", ".json") for path in changed)
