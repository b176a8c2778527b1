import pytest

from chassis.settings import SettingError, read
from stt.app import create_app
from stt.settings import Settings
from unit.stt.fakes import FakeEngine, service


def test_the_defaults_are_whisper_and_then_sphinx_with_25_mib_and_three_hours() -> None:
    settings = read(Settings, {})

    assert settings.engines == ("whisper", "sphinx")
    assert settings.max_body_bytes == 26_214_400
    assert settings.max_seconds == 3 * 3600
    assert settings.max_concurrent >= 1


def test_a_default_language_that_does_not_exist_stops_the_service_by_name() -> None:
    with pytest.raises(SettingError, match="STT_LANGUAGE"):
        service(FakeEngine(), language="klingon")


def test_a_chain_without_any_engine_that_exists_stops_the_service_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STT_ENGINES", "parrot")

    with pytest.raises(SettingError, match="parrot"):
        create_app()
