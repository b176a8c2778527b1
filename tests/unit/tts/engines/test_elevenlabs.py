import pytest

from contract.test_vendors_tts import PROVIDERS, speaking

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "elevenlabs")


@pytest.mark.parametrize(("model", "reads"), [("eleven_flash_v2_5", False), ("eleven_multilingual_v2", True)])
async def test_fast_models_get_figures_in_words(monkeypatch: pytest.MonkeyPatch, model: str, reads: bool) -> None:
    monkeypatch.setenv("ELEVENLABS_TTS_MODEL", model)
    async with speaking(monkeypatch, PROVIDER) as (engine, _):
        assert engine.reads_figures is reads
