"""Headers as an operator writes them into one variable."""

import re

import msgspec

from chassis.settings import SettingError

_PAIR = re.compile(r",\s*(?=[\w!#$%&'*+.^`|~-]+\s*:)")
_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+")


def headers_in(text: str, variable: str) -> dict[str, str]:
    """Return the headers that `text` holds, their names in small letters.

    Raises:
        SettingError: It holds something else, or what no header may hold.
    """
    takes = f'{variable}: it takes `Name: value, Name: value`, or {{"Name": "value"}}.'
    if text.lstrip().startswith("{"):
        try:
            pairs = list(msgspec.json.decode(text, type=dict[str, str]).items())
        except (msgspec.DecodeError, UnicodeEncodeError) as exc:
            raise SettingError(takes) from exc
    else:
        pairs = [(name, value) for part in _PAIR.split(text) if part for name, _, value in [part.partition(":")]]
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    for name, value in headers.items():
        if not (_NAME.fullmatch(name) and value and value.isascii() and value.isprintable()):
            raise SettingError(takes)
    return headers
