"""Read the end of a program's log."""

import json
from datetime import UTC, datetime
from typing import NamedTuple

from deploy.native.layout import LOGS


class LogLine(NamedTuple):
    """A line of a log; `level` is empty, and `time` long ago, where it is no JSON of a service."""

    level: str
    message: str
    time: datetime = datetime.min.replace(tzinfo=UTC)


def tail(name: str) -> str:
    """Return the end of a program's log, as it is shown to a person."""
    return "\n".join(
        f"  {line.level}: {line.message}" if line.level else f"  {line.message}" for line in last_lines(name)
    )


def last_lines(name: str, lines: int = 6) -> list[LogLine]:
    path = LOGS / f"{name}.log"
    if not path.exists():
        return []
    return [parse_line(line) for line in path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]]


def parse_line(line: str) -> LogLine:
    """Read a line of a service's JSON log, or one of another program."""
    try:
        read = json.loads(line)
        return LogLine(str(read["level"]), str(read["message"]), datetime.fromisoformat(read["time"]))
    except (ValueError, TypeError, KeyError):
        return LogLine("", line)
