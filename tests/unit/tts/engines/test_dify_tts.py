import pytest

from chassis.errors import EngineUnpaid
from contract.test_vendors_tts import PROVIDERS, failure

PROVIDER = next(provider for provider in PROVIDERS if provider.name == "dify-tts")


async def test_a_quota_that_is_used_up_rests_long(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = await failure(monkeypatch, PROVIDER, "quota")

    assert isinstance(failed, EngineUnpaid)
    assert (failed.rest_seconds or 0) >= 600
