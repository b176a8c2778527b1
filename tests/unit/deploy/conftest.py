"""Commands behind make speak the reader's language; tests read English unless they say otherwise."""

import pytest
from deploy.phrases import LOCALE


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in LOCALE:
        monkeypatch.delenv(name, raising=False)
