"""Prometheus itself asks a running Talkbox, and every panel and every alert gets an answer from it."""

import json
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from e2e.installation import ROOT, Installation, free_port, until
from fixtures.tools import needs

FOLDER = ROOT / "deploy" / "observability"
BOARDS = {path.stem: json.loads(path.read_text()) for path in (FOLDER / "grafana" / "dashboards").iterdir()}
PANELS = {
    (name, panel["title"], target["refId"]): str(target["expr"])
    for name, board in BOARDS.items()
    for panel in board["panels"]
    for target in panel["targets"]
}

pytestmark = needs(shutil.which("promtool"), "Prometheus is not here")


def promtool(*words: str) -> None:
    done = subprocess.run(["promtool", *words], cwd=FOLDER, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_configurations_and_the_rules() -> None:
    promtool("check", "config", "prometheus.yml", "native.yml")


def test_each_alert_fires_when_it_shall() -> None:
    promtool("test", "rules", "rules.test.yml")
    alerts = re.findall(r"alert: (\w+)", (FOLDER / "rules.yml").read_text())

    assert set(alerts) == set(re.findall(r'expr: .ALERTS{alertname="(\w+)"', (FOLDER / "rules.test.yml").read_text()))


@contextmanager
def traffic(talkbox: Installation) -> Iterator[None]:
    """Turns, and now and then somebody with a wrong key, until the block ends."""
    over = threading.Event()

    def turns() -> None:
        number = 0
        with talkbox.client() as client:
            while not over.wait(0.2):
                number += 1
                said = {
                    "model": "tts-1",
                    "voice": "alloy",
                    "input": f"Good morning {number}.",
                    "response_format": "wav",
                }
                sound = client.post("/audio/speech", json=said).content
                client.post("/audio/transcriptions", files={"file": ("a.wav", sound)}, data={"model": "whisper-1"})
                for model in ("companion", "words-2-every-10", "any"):
                    asked = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
                    client.post("/chat/completions", json=asked)
                client.post("/chat/completions", json={}, headers={"authorization": "Bearer wrong"})

    caller = threading.Thread(target=turns)
    caller.start()
    try:
        yield
    finally:
        over.set()
        caller.join()


@contextmanager
def prometheus(talkbox: Installation, folder: Path) -> Iterator[httpx.Client]:
    """The native configuration on this installation's ports, asking four times a second."""
    config = (FOLDER / "native.yml").read_text().replace("scrape_interval: 15s", "scrape_interval: 250ms")
    for port in (8091, 8092, 8093):
        config = config.replace(f":{port}", f":{talkbox.port + port - 8080}")
    (folder / "native.yml").write_text(config)
    shutil.copy(FOLDER / "rules.yml", folder)
    listens = f"127.0.0.1:{free_port()}"
    command = ["prometheus", "--config.file=native.yml", f"--web.listen-address={listens}", "--log.level=error"]
    with subprocess.Popen(command, cwd=folder) as process:
        try:
            with httpx.Client(base_url=f"http://{listens}/api/v1", trust_env=False) as client:
                yield client
        finally:
            process.terminate()


def answered(client: httpx.Client, expression: str) -> bool:
    """Whether Prometheus gives at least one number for an expression of Grafana's."""
    query = expression.replace("$__rate_interval", "30s")
    try:
        response = client.get("/query", params={"query": query})
    except httpx.TransportError:
        return False  # it is still starting
    if response.status_code == 503:
        return False  # it listens, and is not ready
    answer: Any = response.json()
    assert answer["status"] == "success", (query, answer)
    return any(sample["value"][1] not in ("NaN", "+Inf") for sample in answer["data"]["result"])


def test_every_panel_shows_data_while_toys_talk(talkbox: Installation, tmp_path: Path) -> None:
    with prometheus(talkbox, tmp_path) as client, traffic(talkbox):
        deadline = time.monotonic() + 60
        empty = set(PANELS)
        while empty and time.monotonic() < deadline:
            empty = {panel for panel in empty if not answered(client, PANELS[panel])}
            time.sleep(0.25)
        assert empty == set()

        rules: Any = until(lambda: client.get("/rules").json()["data"]["groups"])
        assert {rule["health"] for rule in rules[0]["rules"]} <= {"ok", "unknown"}


def test_a_panel_asks_for_nothing_that_no_service_counts(talkbox: Installation) -> None:
    with talkbox.client() as client:
        client.post(
            "/chat/completions", json={"model": "companion", "messages": [{"role": "user", "content": "Hello"}]}
        )
    shown = "".join(
        httpx.get(f"http://127.0.0.1:{talkbox.port + 11 + number}/metrics", trust_env=False).text for number in range(3)
    )
    known = {
        re.sub("_(total|bucket|sum|count)$", "", name) for name in re.findall(r"^# TYPE (\w+)", shown, re.MULTILINE)
    }

    texts = [*PANELS.values(), (FOLDER / "rules.yml").read_text()]
    asked = {name for text in texts for name in re.findall(r"\b(?:talkbox|gen_ai|process)_\w+(?=[{\[ )])", text)}
    labels = {"gen_ai_provider_name", "gen_ai_token_type"}
    assert {re.sub("_(total|bucket|sum|count)$", "", name) for name in asked} - labels <= known
