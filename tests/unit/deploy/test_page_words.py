"""The page has a word for each kind of risk that the guard may count."""

import re
import tomllib

import pytest
from deploy.installation import ROOT

KINDS = ROOT / "services" / "chassis" / "guard" / "kinds.toml"


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_kind_of_risk_has_a_word(language: str) -> None:
    words = (ROOT / "proxy" / "site" / f"words_{language}.js").read_text("utf-8").partition("  kinds: {")[2]
    named = re.findall(r'"?([a-z-]+)"?: "', words.partition("  },")[0])

    assert set(named) == set(tomllib.loads(KINDS.read_text("utf-8")))
