"""One Talkbox for the whole run, natively, behind the real nginx; its engines need no network."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from deploy.native.render import find_nginx

from e2e.installation import Installation
from imitations.upstream import MANNERS, Upstream, in_a_thread


@pytest.fixture(scope="session")
def upstream() -> Iterator[Upstream]:
    with in_a_thread(Upstream(MANNERS["drops"], models=())) as imitation:  # it knows models that say how it answers
        yield imitation


@pytest.fixture(scope="session")
def talkbox(tmp_path_factory: pytest.TempPathFactory, upstream: Upstream) -> Iterator[Installation]:
    assert find_nginx(), "nginx is missing: `make e2e` fetches it"
    installation = Installation(
        tmp_path_factory.mktemp("talkbox"),
        LLM_ENGINES="imitated,companion",
        LLM_IMITATED_BASE_URL=upstream.base_url,
        LLM_IMITATED_MODEL="*",
        TALKBOX_ORIGINS="http://toy.example",
    )
    installation.make("up")
    yield installation
    installation.make("down")


@pytest.fixture
def client(talkbox: Installation) -> Iterator[httpx.Client]:
    with talkbox.client() as client:
        yield client


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Installation]:
    """One that is not up yet, for tests of the commands."""
    installation = Installation(tmp_path)
    yield installation
    installation.make("down", check=False)
