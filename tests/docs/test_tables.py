"""The tables of threats and of things broken on purpose name tests that exist."""

import re

import pytest
from deploy.installation import ROOT

PAGES = ("docs/threat-model.md", "docs/chaos.md")


@pytest.mark.parametrize("page", PAGES)
def test_each_row_has_its_test(page: str) -> None:
    rows = [line for line in (ROOT / page).read_text().splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    for row in rows:
        [(file, name)] = re.findall(r"`(tests/[\w/.]+\.py)(?:::(\w+))?`", row)
        text = (ROOT / file).read_text()
        assert not name or f"def {name}(" in text, row
