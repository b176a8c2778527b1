"""The table of vendors in llm's README says what the tables of sayings and the imitations of refusals say."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from deploy.installation import ROOT

from chassis.upstream.refusals.kinds import Kind
from chassis.upstream.refusals.sayings import CODES, WORDS
from imitations.vendors import REFUSALS, Meaning

COLUMNS: dict[str, tuple[Kind, Meaning]] = {
    "key": (Kind.REFUSED, "refused"),
    "account": (Kind.UNPAID, "unpaid"),
    "model": (Kind.UNKNOWN_MODEL, "no model"),
    "rate": (Kind.BUSY, "busy"),
    "too long": (Kind.TOO_LONG, "too long"),
    "moderation": (Kind.BLOCKED, "blocked"),
}
NAMES = {"Volcengine Ark": "ark", "One-API": "oneapi", "llama.cpp": "llamacpp", "LM Studio": "lmstudio"}

FIELDS = {"retryDelay", "metadata.raw", "metadata.reasons"}
"""Places in an error that the table names beside the codes."""


class Cell(NamedTuple):
    vendor: str
    column: str
    text: str


def cells() -> Iterator[Cell]:
    lines = (ROOT / "services/llm/README.md").read_text().splitlines()
    begin = next(at for at, line in enumerate(lines) if line.startswith("| vendor | key |"))
    columns = [name.strip() for name in lines[begin].split("|")[2:-1]]
    for line in lines[begin + 2 :]:
        if not line.startswith("| "):
            return
        name, *texts = (text.strip() for text in line.split("|")[1:-1])
        vendor = name.split(",")[0]
        for column, text in zip(columns, texts, strict=True):
            yield Cell(NAMES.get(vendor, vendor.lower()), column, text)


CELLS = list(cells())


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: f"{cell.vendor}, {cell.column}")
def test_what_a_cell_quotes_is_known_to_mean_that(cell: Cell) -> None:
    kind, _ = COLUMNS[cell.column]
    for code in set(re.findall(r"`([\w.]+)`", cell.text)) - FIELDS:
        known = any(each == code.lower() or each.endswith(f".{code.lower()}") for each in CODES[kind])
        assert known or WORDS[kind].search(code), code
    for words in re.findall(r'"([^"]+)"', cell.text):
        parts = words.split(" … ")
        assert WORDS[kind].search(" (9000) ".join(parts)), words


def test_no_refusal_that_is_imitated_is_missing_from_the_table() -> None:
    by_body = (200, 400, 502)  # statuses that tell nothing
    told = {(cell.vendor, COLUMNS[cell.column][1]): cell.text for cell in CELLS}
    vendors = {vendor for vendor, _ in told}
    for each in REFUSALS:
        text = told.get((each.vendor, each.meaning))
        if each.vendor not in vendors or each.meaning in ("failed", "cannot"):
            continue
        assert text, each
        statuses = re.findall(r"\b[45]\d\d\b", text)
        assert not statuses or each.status in by_body or str(each.status) in statuses, each
