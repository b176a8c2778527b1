"""The one real model that these tests ask."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from fixtures.small_model import NoModel, smollm2
from fixtures.tools import lacking


@pytest.fixture(scope="session")
def file() -> Path:
    if find_spec("xllamacpp") is None:
        lacking("the extra xllamacpp is not installed")
    try:
        return smollm2()
    except NoModel as exc:
        lacking(f"no real model: {exc}")
