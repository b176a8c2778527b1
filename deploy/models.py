"""Fetch the weights that the engines would fetch, by their own code and to the same place, with progress.

`make models` runs it with what the services see: natively in their environment, in containers once inside each image,
where one service is. Without a word it is about the engines in the chains; `sherpa` or `whisper/small` is about those.
"""

import sys
import time
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from chassis.errors import EngineUnavailable
from chassis.settings import SettingError, read

SERVICES = [name for name in ("stt", "llm", "tts") if find_spec(name)]
_SHOW_SECONDS = 1.0


class _Progress:
    """Show progress as one line that changes, or where there is no screen as a line for every tenth."""

    def __init__(self) -> None:
        self.shown, self.at = "", 0.0

    def __call__(self, doing: str, part: float | None) -> None:
        percent = "" if part is None else f" ({part:.0%})"
        if sys.stdout.isatty():
            if time.monotonic() - self.at > _SHOW_SECONDS or part in (None, 1.0):
                self.at = time.monotonic()
                print(f"\r\033[K  {doing}{percent}", end="", flush=True)
        elif (step := doing if part is None else f"{int(part * 10)}") != self.shown:
            self.shown = step
            print(f"  {doing}{percent}", flush=True)

    def end(self) -> None:
        if self.shown or self.at:
            self.shown, self.at = "", 0.0
            if sys.stdout.isatty():
                print()


def fetching() -> Iterator[tuple[str, str, Any]]:
    """Yield service, name and class of each engine that has weights to fetch."""
    for service in SERVICES:
        for name, place in import_module(f"{service}.engines").ENGINES.items():
            module, _, kind = place.partition(":")
            engine = getattr(import_module(module), kind)
            if hasattr(engine, "fetch"):
                yield service, name, engine


def chosen(wanted: str) -> Iterator[tuple[str, Any, str]]:
    """Yield name, class and model (`""`: as set) of what is to be fetched.

    Args:
        wanted: An engine's name, with or without a model behind a slash; none: those in the chains.
    """
    named, _, model = wanted.partition("/")
    for service, name, engine in fetching():
        if name == named or (not wanted and name in read(import_module(f"{service}.settings").Settings).engines):
            yield name, engine, model


def main(wanted: str = "") -> int:
    """Fetch; return 0, 1 where that fails, or 4 where no engine here has the name."""
    progress = _Progress()
    try:
        found = list(chosen(wanted))
        for name, engine, model in found:
            print(f"Weights for {name}{model and f', {model}'}:", flush=True)
            for folder in engine.fetch(name, model, progress):
                progress.end()
                print(f"  there, in {folder}", flush=True)
    except (EngineUnavailable, SettingError) as exc:
        progress.end()
        print(f"\n{exc}", file=sys.stderr)
        return 1
    if found:
        return 0
    names = ", ".join(name for _, name, _ in fetching())
    if not wanted:
        print(f"{', '.join(SERVICES)}: no engine of the chain needs weights. MODEL=NAME fetches those of {names}.")
        return 0
    if len(SERVICES) > 1:
        print(f"No engine that needs weights is called {wanted!r}. There are {names}.", file=sys.stderr)
    return 4


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2]))
