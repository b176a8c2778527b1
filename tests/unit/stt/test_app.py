import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from chassis.process import SWITCH_SECONDS
from chassis.settings import SettingError
from stt.app import create_app
from stt.engines import ENGINES
from stt.engines.openai.providers import PROVIDERS
from unit.stt.fakes import FakeEngine, ask, service


@pytest.fixture(autouse=True)
def a_clean_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for variable in ("API_KEYS", "STT_ENGINES", "STT_LANGUAGE", "STT_LANGUAGES", "STT_MAX_BODY_BYTES"):
        monkeypatch.delenv(variable, raising=False)
    before = sys.getswitchinterval()
    yield
    sys.setswitchinterval(before)


async def got(app: Starlette, path: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://stt") as client:
        return await client.get(path)


async def test_it_has_one_path_of_its_own_beside_models_and_probes_and_that_takes_posts_alone() -> None:
    app = create_app()

    paths = {route.path for route in app.routes if isinstance(route, Route)}
    models = {"/v1/models", "/v1/models/{id:path}"}
    assert paths == models | {
        "/v1/audio/transcriptions",
        "/healthz",
        "/readyz",
        "/metrics",
        "/authorized",
        "/usage",
        "/openapi.json",
        "/privacy",
    }
    assert (await got(app, "/v1/audio/transcriptions")).status_code == 405
    assert (await got(app, "/healthz")).status_code == 200


async def test_the_engines_are_those_that_are_named_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_ENGINES", "groq, sphinx ,whisper")

    response = await got(create_app(), "/readyz")

    assert response.status_code == 503, "nothing is loaded yet"
    assert [engine["name"] for engine in response.json()["engines"]] == ["groq", "sphinx", "whisper"]


async def test_the_keys_of_the_environment_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_KEYS", "secret")

    assert (await ask(create_app())).status_code == 401


def test_every_engine_and_every_known_server_may_be_named_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_ENGINES", ",".join([*ENGINES, *PROVIDERS]))

    create_app()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("STT_LANGUAGE", "klingon"),
        ("STT_LANGUAGES", "en,klingon"),
        ("STT_MAX_SECONDS", "0"),
        ("STT_MAX_CONCURRENT", "0"),
        ("STT_MAX_QUEUED", "-1"),
        ("STT_MAX_BODY_BYTES", "25 MB"),
        ("STT_FIRST_BYTE_SECONDS", "soon"),
    ],
)
def test_a_setting_that_cannot_be_used_ends_the_start_by_name(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(SettingError, match=variable):
        create_app()


@pytest.mark.parametrize(
    ("settings", "language", "script"),
    [
        ({}, None, None),
        ({"language": "auto"}, None, None),
        ({"language": "English"}, "en", None),
        ({"language": "zh-TW"}, "zh", "s2tw"),
        ({"languages": ("en", "zh-Hans")}, None, "t2s"),
        ({"languages": ("en",)}, "en", None),
        ({"language": "zh-HK", "languages": ("zh-Hans",)}, "zh", "s2hk"),
    ],
)
async def test_the_operators_language_and_characters_reach_the_engine(
    settings: dict[str, Any], language: str | None, script: str | None
) -> None:
    engine = FakeEngine()

    await ask(service(engine, **settings))

    [(_, hints)] = engine.asked
    assert (hints.language, hints.script) == (language, script)


def test_the_event_loop_waits_for_no_thread_longer_than_a_millisecond() -> None:
    sys.setswitchinterval(0.005)

    create_app()

    assert sys.getswitchinterval() == pytest.approx(SWITCH_SECONDS)


def test_an_engine_that_is_not_chosen_is_not_imported() -> None:
    own = "'stt.engines.sphinx.engine', 'stt.engines.openai.engine'"
    heavy = f"{{'httpx', 'faster_whisper', 'pocketsphinx', 'opencc', {own}}}"
    code = f"import sys, stt.app; sys.exit(', '.join({heavy} & {{*sys.modules}}))"

    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, capture_output=True)

    assert done.stderr.decode().strip() == ""
