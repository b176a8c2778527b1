"""Read the environment that compose files give folotoy-server: as YAML, or line by line where there is no YAML.

The second way is needed whatever is installed: a file with a usual slip (a tab, a colon of a Chinese keyboard) is no
YAML, and PyYAML gives none of its settings; and a file below `env_file:` is lines and nothing else. So it also serves a
Python without PyYAML, such as that of a machine with containers alone: to make an environment first would take a
package index and python3-venv, where something is wrong already. `deploy/python` prefers a Python that has PyYAML,
and `make roles` warns where there is none. Plain Python of any version from 3.9 on.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.folotoy_files import entries, settings_in, text_of
from deploy.folotoy_yaml import FOLOTOY, Document

COMPOSE_FILES = (
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "docker-compose.talkbox.yml",
)
_ENV_FILE = re.compile(r"^[^#\n]*?\benv_file\s*:[ \t]*(.*(?:\n[ \t]*-[ \t].*)*)", re.MULTILINE)

Entry = tuple[int, str, str]
"""Line, name and value."""


def settings_of(text: str) -> Iterator[Entry]:
    """Yield folotoy-server's settings as YAML reads them; line by line where it cannot, or finds no service."""
    document = Document(text)
    others = lines_of_others(text)
    if document.services:
        yield from dict.fromkeys(document.settings())  # two services may share one
    else:
        yield from (entry for entry in entries(document.without_texts()) if entry[0] not in others)


def compose_settings(roles: Path) -> dict[str, str]:
    """Return the environment that compose files beside `roles` or one folder up give to folotoy-server.

    The later of two files wins, as for Compose itself.
    """
    found: dict[str, str] = {}
    for folder in folders_of(roles):
        for name in COMPOSE_FILES:
            if (folder / name).is_file():
                found.update(environment_of(folder / name))
    return found


def folders_of(roles: Path) -> tuple[Path, Path]:
    """Return where a compose file for `roles` may lie: one folder up, and beside it."""
    place = Path(os.path.realpath(roles)).parent
    return place.parent, place


def environment_of(compose: Path) -> dict[str, str]:
    """Return the environment that a compose file gives, over that of the files which it names."""
    text = text_of(compose)
    found: dict[str, str] = {}
    for file in env_files(compose, text):
        found.update(settings_in(text_of(file)))
    return {**found, **{name: value for _, name, value in settings_of(text)}}


def env_files(compose: Path, text: str) -> list[Path]:
    """Return the files that a compose file's text names under `env_file:`, as far as they exist."""
    written = "\n".join(_ENV_FILE.findall(text))
    names = [name.strip("\"'") for name in re.findall(r"[^\s\[\],{}]+", re.sub(r"\s#.*", "", written))]
    return [compose.parent / name for name in names if name and (compose.parent / name).is_file()]


def lines_of_others(text: str) -> set[int]:
    """Return the lines of services that are not folotoy-server, where one says that it is."""
    lines = text.split("\n")
    begin = next(
        (at for at, line in enumerate(lines, 1) if re.match(r"services:\s*(#.*)?$", line)),
        len(lines),
    )
    end = next(
        (at for at in range(begin, len(lines)) if re.match(r"[^\s#]", lines[at])),
        len(lines),
    )
    margin = next(
        (found[0] for line in lines[begin:end] if (found := re.match(r"\s+(?=[^\s#])", line))),
        "",
    )
    starts = [at for at in range(begin, end) if re.match(rf"{margin}[^\s#]", lines[at])]
    blocks = [range(start, stop) for start, stop in zip(starts, [*starts[1:], end], strict=False)]
    ours = [block for block in blocks if FOLOTOY.search("\n".join(lines[block.start : block.stop]))]
    return {at + 1 for block in blocks if ours and block not in ours for at in block}
