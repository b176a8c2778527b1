"""`make spoken TEXT="5-3等于几"`: print what would be said, without a service. The cure for "it reads this wrong".

Standard output is the spoken text alone, a line for each line of input: figures in words, what is for the eye left out,
as engines get it that do not read figures themselves. `V=1` adds the language, the text for engines that do (Edge's
voices) and the clauses. `FILE=lines.txt` reads lines from a file (`-`: from standard input).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from deploy.installation import wanted

from chassis.script_language import language_of, wide
from tts.text.clauses import clauses
from tts.text.figures import in_words
from tts.text.speakable import speakable, tidy
from tts.voices.language_tags import TAG, normal
from tts.voices.names import voice_traits

USAGE = 'Say what to read: make spoken TEXT="5-3等于几" (or FILE=lines.txt); VOICE=…, LANGUAGE=zh and V=1 if you like.'


class Reading(NamedTuple):
    """A line as it is spoken."""

    language: str
    tidied: str
    """The text of engines that read figures by themselves."""
    spoken: str


def read(line: str, language: str | None, house_language: str) -> Reading:
    """Return the reading of a line.

    Args:
        language: The voice's; None where it speaks that of the text.
        house_language: The language of a text that does not tell.
    """
    tidied = tidy(line)
    language = language or language_of(tidied, "zh" if wide(line) else None) or house_language
    spoken = in_words(tidied, language).replace("\n", " ") if tidied else ""
    return Reading(language, tidied.replace("\n", " "), spoken)


def _language_of_voice(name: str, settings: Mapping[str, str]) -> str | None:
    """Return the language that the name of a voice says, an alias of the operator's followed."""
    aliases = dict(part.partition("=")[::2] for part in settings.get("TTS_VOICES", "").split(","))
    name = next((voice.strip() for alias, voice in aliases.items() if alias.strip().lower() == name.lower()), name)
    if voice := voice_traits(name):
        return voice.language
    return normal(name) if (tag := TAG.fullmatch(name)) and (tag[2] or len(tag[1]) == 2) else None


def lines_of(text: str | None, file: str | None) -> Iterator[str]:
    """Give the lines to read; bytes that are no UTF-8 count as blanks.

    Raises:
        OSError: The file cannot be read.
    """
    if text:
        yield from text.replace("\r", "").split("\n")
    elif file == "-":
        yield from (raw.decode("utf-8", "replace").rstrip("\r\n") for raw in sys.stdin.buffer)
    elif file:
        with open(file, encoding="utf-8-sig", errors="replace", newline="\n") as lines:
            yield from (line.rstrip("\r\n") for line in lines)


def main(arguments: list[str] | None = None) -> int:
    """Print the readings; 0, 1 where the file cannot be read, 2 where nothing was given."""
    environ = os.environ
    parser = argparse.ArgumentParser(prog="spoken", description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("text", nargs="?", default=environ.get("TEXT"))
    parser.add_argument("--file", default=environ.get("FILE"))
    parser.add_argument("--voice", default=environ.get("VOICE", ""))
    parser.add_argument("--language", default=environ.get("LANGUAGE", ""))
    parser.add_argument("-v", "--verbose", action="store_true", default=environ.get("V", "0") not in ("", "0"))
    asked = parser.parse_args(arguments)
    if not asked.text and not asked.file:
        print(USAGE, file=sys.stderr)
        return 2
    try:
        settings = wanted()
    except ValueError as exc:
        print(exc, file=sys.stderr)
        return 2
    language = normal(asked.language.strip()) if asked.language.strip() else _language_of_voice(asked.voice, settings)
    house_language = environ.get("TTS_LANGUAGE") or settings.get("TTS_LANGUAGE") or "en"
    try:
        for line in lines_of(asked.text, asked.file):
            _show(read(line, language, house_language), verbose=asked.verbose)
    except BrokenPipeError:  # `make spoken … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as exc:
        print(f"FILE={asked.file} cannot be read: {exc.strerror}.", file=sys.stderr)
        return 1
    return 0


def _show(reading: Reading, *, verbose: bool) -> None:
    print(reading.spoken)
    if verbose:
        print(f"    language  {reading.language}")
        print(f"    text      {reading.tidied}")
        print(f"    clauses   {' | '.join(filter(speakable, clauses(reading.spoken))) or '(silence)'}")


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]  # a terminal, pipe or file
    sys.exit(main())
