"""Write the log: one JSON line an event, what happened and never what was said."""

import logging
import sys
from datetime import UTC, datetime
from functools import lru_cache

import msgspec

from chassis import process
from chassis.request_id import request_id
from chassis.settings import Options, SettingError

_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogOptions(Options, frozen=True, kw_only=True):
    """The log, one JSON object a line."""

    prefix = "LOG_"
    level: str = "info"
    """Least important level that is logged: `debug`, `info`, `warning`, `error` or `critical`."""

    def __post_init__(self) -> None:
        """Raises:
        SettingError: There is no such level.
        """
        if self.level.upper() not in _LEVELS:
            raise SettingError(f"LOG_LEVEL: cannot use {self.level!r}. There are: {', '.join(_LEVELS).lower()}.")


class JsonLines(logging.Formatter):
    """Format a record as one JSON object; `extra={"event": {…}}` adds fields to it."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": f"{_to_the_second(int(record.created))}.{int(record.msecs):03d}+00:00",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if name := request_id.get():
            line["request_id"] = name
        line |= getattr(record, "event", {})
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(line).decode()


@lru_cache(maxsize=1)
def _to_the_second(moment: int) -> str:
    """Write a moment of UTC; hundreds of lines a second share it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def configure(level: str) -> None:
    """Send every logger's lines to stdout, libraries' from warnings upwards (they may hold what was said)."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    process.skip_what_no_line_shows()
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("talkbox", "uvicorn"):
        logging.getLogger(name).setLevel(level.upper())
