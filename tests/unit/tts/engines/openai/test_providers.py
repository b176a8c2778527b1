import re
from typing import get_args

import pytest

from tts.engines.openai.engine import LISTED
from tts.engines.openai.providers import CLASSIC, KOKORO, PROVIDERS, UPSTREAMS, Format
from tts.voices.names import KOKORO as KOKORO_NAME
from tts.voices.names import KOKORO_LANGUAGES


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_row_says_all_an_operator_need_not_look_up(name: str) -> None:
    provider = PROVIDERS[name]

    assert provider.hint if provider.base_url is None else re.fullmatch(r"https?://[^/]+/v1", provider.base_url)
    assert provider.model
    assert provider.format in get_args(Format)
    assert UPSTREAMS.exists(name)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_voice_is_written_as_an_operator_writes_it_and_stands_once(name: str) -> None:
    voices = PROVIDERS[name].voices

    assert voices
    assert len({*voices}) == len(voices)
    assert all((found := LISTED.fullmatch(voice)) and "=" not in found[3] for voice in voices)


@pytest.mark.parametrize("name", PROVIDERS)
def test_only_who_is_far_away_needs_a_key_and_a_key_travels_encrypted(name: str) -> None:
    provider = PROVIDERS[name]

    assert provider.needs_key == (provider.base_url or "https://").startswith("https://")
    assert provider.needs_key != (provider.base_url or "").startswith("http://localhost:")


def test_kokoros_names_tell_their_language_and_each_has_one_to_speak_it() -> None:
    told = [KOKORO_NAME.fullmatch(name) for name in KOKORO]

    assert all(told)
    assert {found[1] for found in told if found} == {*KOKORO_LANGUAGES}
    assert {found[2] for found in told if found and found[1] in "az"} == {"f", "m"}


def test_cosyvoices_voices_belong_to_the_model_that_is_asked() -> None:
    provider = PROVIDERS["siliconflow"]

    assert all(f"={provider.model}:" in voice for voice in provider.voices)


def test_a_server_nobody_knows_needs_no_key_and_is_asked_for_what_any_can_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TTS_MY_SERVER_BASE_URL", "http://granny:9000/v1/audio/speech")
    row = UPSTREAMS.row("my-server")

    assert (row.base_url, row.api_keys, row.model) == ("http://granny:9000/v1", (), None)
    assert (UPSTREAMS.provider("my-server").voices, UPSTREAMS.provider("my-server").format) == (CLASSIC, "mp3")
