"""Write a file whole or not at all: on a full disk the former one stays. Any Python from 3.9 on."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def write_whole(path: Path, text: str) -> None:
    """Put a file in the place of the former one.

    Raises:
        OSError: There is no room, or the place cannot be written to; the former file is as it was.
    """
    draft = path.with_name(f"{path.name}.new")
    try:
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError:
        with suppress(OSError):
            draft.unlink()
        raise
