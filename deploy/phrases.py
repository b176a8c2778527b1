"""What the commands behind make say, in the reader's language; `phrases.json` has both. Any Python from 3.9 on."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCALE = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Variables that say the reader's language, the first that is set."""
TABLE: dict[str, dict[str, Any]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))


def phrase(code: str, /, **values: object) -> str:
    """Return a phrase in the language of the locale."""
    text: str = TABLE["phrases"][code][reads_chinese(os.environ)]
    return text.format(**values)


def finding_sentences(code: str, /, **values: object) -> tuple[str, str]:
    """Return what was found and the remedy, in the language of the locale."""
    what, remedy = (text.format(**values) for text in TABLE["findings"][code][reads_chinese(os.environ)])
    return what, remedy


def state_name(state: str) -> str:
    """Return the state of an engine or a program, such as `ready`, in the language of the locale."""
    names: list[str] = TABLE["states"].get(state, [state, state])
    return names[reads_chinese(os.environ)]


def reads_chinese(environ: Mapping[str, str]) -> bool:
    """Return True where the locale's language is Chinese."""
    chosen = next((value for name in LOCALE if (value := environ.get(name))), "")
    return chosen.lower().startswith("zh")


if __name__ == "__main__":
    print(phrase(sys.argv[1], **dict(each.split("=", 1) for each in sys.argv[2:])))
