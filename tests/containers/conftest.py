"""One installation for all tests of this folder, gone afterwards."""

from collections.abc import Iterator

import pytest

from containers.installation import Installation, Upstream, upstream


@pytest.fixture(scope="session")
def slow_upstream() -> Iterator[Upstream]:
    with upstream() as here:
        yield here


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory, slow_upstream: Upstream) -> Iterator[Installation]:
    """Up, with engines that need no network and an upstream called `slow`."""
    settings = {
        "STT_ENGINES": "sphinx",
        "LLM_ENGINES": "companion,slow,local",
        "TTS_ENGINES": "flite,espeak",
        "LLM_SLOW_BASE_URL": slow_upstream.url,
        "LLM_SLOW_API_KEY": "none",
        "LLM_SLOW_MODEL": "slow",
    }
    installation = Installation(tmp_path_factory.mktemp("talkbox"), settings)
    try:
        installation.make("up")
        installation.wait_until_healthy()
        yield installation
    finally:
        installation.remove()


@pytest.fixture
def installation(started: Installation) -> Iterator[Installation]:
    """Up and healthy, one replica of each service; brought back to that afterwards. Who only looks takes `started`."""
    yield started
    started.restore()
