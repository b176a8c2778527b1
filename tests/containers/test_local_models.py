"""The profiles `ollama` and `llamacpp`, as an operator starts them, with images that stand in for theirs."""

import shutil
from collections.abc import Iterator

import httpx
import pytest

from containers.installation import CHECKOUT, KEY, Installation, docker, inspect, wait_until

PROGRAMS = {"ollama": "/bin/ollama", "llamacpp": "/app/llama-server"}
BASE = "FROM python:3.13-slim\nENV PYTHONPATH=/imitated\nCOPY upstream.py /imitated/imitations/\n"
ENDS = {
    "ollama": 'ENV OLLAMA_HOST=0.0.0.0\nENTRYPOINT ["/bin/ollama"]\nCMD ["serve"]\n',
    "llamacpp": 'ENTRYPOINT ["/app/llama-server"]\n',
}
MODELS = {"ollama": "qwen3:0.6b", "llamacpp": "Qwen/Qwen3-0.6B-GGUF:Q8_0"}
SAYS = {"ollama": "Hello from Ollama.", "llamacpp": "Hello from llama.cpp."}


@pytest.fixture(scope="module")
def stand_ins(started: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Images of this test's own in the place of those that a registry has."""
    override = started.root / "compose.override.yaml"
    lines = ["services:\n"]
    for profile, program in PROGRAMS.items():
        folder = tmp_path_factory.mktemp(profile)
        for name in ("upstream.py", "model_server.py"):
            shutil.copy(CHECKOUT / "tests/imitations" / name, folder)
        begin = "#!/usr/local/bin/python -u\n"
        (folder / "program").write_text(begin + (folder / "model_server.py").read_text())
        (folder / "Dockerfile").write_text(BASE + f"COPY --chmod=755 program {program}\n" + ENDS[profile])
        docker("build", "--quiet", "--tag", f"{started.project}-stand-in-{profile}", str(folder))
        lines.append(f"  {profile}: {{image: {started.project}-stand-in-{profile}}}\n")
    override.write_text("".join(lines))
    yield
    override.unlink()
    for profile in PROGRAMS:
        docker("rmi", "--force", f"{started.project}-stand-in-{profile}")


def test_the_profiles_start_models_beside_the_services_and_they_are_found(
    installation: Installation, stand_ins: None
) -> None:
    settings = installation.root / ".env"
    before = settings.read_text()
    settings.write_text(f"{before}COMPOSE_PROFILES={','.join(PROGRAMS)}\n")
    try:
        installation.make("up")
        wait_until(lambda: is_healthy(installation.container("ollama")), "ollama has its model")
        for profile in PROGRAMS:  # one is found while the other is there, and the other when it is not
            container = installation.container(profile)
            installation.compose("restart", "llm")  # it looks again every 30 s; a test does not wait for that
            wait_until(lambda: state_of_local(installation) == "ready", "`local` has found one")
            assert_answers(installation, profile)
            installation.compose("stop", profile)
            assert inspect(container)["State"]["ExitCode"] != 137, f"{profile} had to be killed"
    finally:
        installation.compose("rm", "--stop", "--force", "--volumes", *PROGRAMS)
        settings.write_text(before)


def assert_answers(installation: Installation, profile: str) -> None:
    headers = {"authorization": f"Bearer {KEY}"}
    question = {"model": "local", "messages": [{"role": "user", "content": "Hello!"}]}
    answer = httpx.post(f"{installation.base}/v1/chat/completions", json=question, headers=headers)
    listed = httpx.get(f"{installation.base}/v1/models", headers=headers).json()["data"]

    assert answer.headers["x-talkbox-engine"] == "local"
    assert answer.json()["choices"][0]["message"]["content"] == SAYS[profile]
    assert f"local/{MODELS[profile]}" in [model["id"] for model in listed]


def is_healthy(container: str) -> bool:
    return bool(inspect(container)["State"]["Health"]["Status"] == "healthy")


def state_of_local(installation: Installation) -> str:
    response = httpx.get(f"{installation.base}/status/llm")
    engines = response.json().get("engines", ())  # while llm starts it is the proxy who answers
    return next((str(engine["state"]) for engine in engines if engine["name"] == "local"), "")
