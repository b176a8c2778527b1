"""What the documents point to exists."""

import re

import pytest
from deploy.installation import ROOT

IGNORED = (".venv", ".git", ".talkbox", "node_modules")
"""Starts of the names of folders that are not the project's: `.venv-stt` is one too."""
DOCUMENTS = sorted(
    str(path.relative_to(ROOT))
    for path in ROOT.rglob("*.md")
    if not any(part.startswith(IGNORED) and part != ".github" for part in path.relative_to(ROOT).parts)
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
FILE = re.compile(r"`((?:services|chassis|stt|llm|tts|deploy|proxy|docs|tests)/(?:[\w.-]+/)*[\w-]+\.[a-z]+)`")
MADE_BY_THE_READER = {
    "services/tts/engines/morse.py",
    "services/stt/engines/clap.py",
    "services/llm/engines/parrot.py",
    "tests/unit/tts/engines/test_morse.py",
}
CODE = re.compile(r"```.*?```", re.DOTALL)


def anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def anchors(document: str) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", CODE.sub("", document), re.MULTILINE)}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_points_to_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    missing = []
    for link in LINK.findall(CODE.sub("", text)):
        path, _, place = link.partition("#")
        if ":" in path:
            continue
        target = (ROOT / document).parent / path if path else ROOT / document
        if not target.exists() or (place and place not in anchors(target.read_text())):
            missing.append(link)

    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_file_that_a_document_names_exists(document: str) -> None:
    named = set(FILE.findall((ROOT / document).read_text())) - MADE_BY_THE_READER

    assert {path for path in named if not (ROOT / path).exists() and not (ROOT / "services" / path).exists()} == set()
