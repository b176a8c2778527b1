"""One version: what runs says the release that CHANGELOG.md tells of."""

import re
import tomllib
from pathlib import Path

from chassis import VERSION

ROOT = Path(__file__).parents[2]


def test_everything_names_the_same_release() -> None:
    released = re.search(r"^## \[(\d+\.\d+\.\d+)\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    tags = re.findall(r"newTag: (\S+?)}", (ROOT / "deploy/kubernetes/base/kustomization.yaml").read_text())

    assert released is not None
    assert released[1] == VERSION
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
    assert tags == [VERSION] * 4
