import pytest

from contract.test_vendors_stt import PROVIDERS, heard, listening
from fixtures import sounds
from stt.hearing import Hints

PROVIDER = next(each for each in PROVIDERS if each.name == "elevenlabs")


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
async def test_words_to_expect_are_sent_as_terms(monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(monkeypatch, PROVIDER) as (engine, server):
        await heard(engine, Hints(hotwords=("FoloToy", "小熊", "x" * 51)))
        await heard(engine)

    assert server.seen[0].body.count(b'name="keyterms"') == 2
    assert "小熊".encode() in server.seen[0].body
    assert b"keyterms" not in server.seen[1].body
