"""Fetch the weights that stt's whisper would fetch, by its own code and to the same place, with progress.

`make models` runs it with what the service sees: natively in its environment, in containers inside stt's image.
"""

import sys
import time

from chassis import hub
from chassis.errors import EngineUnavailable
from chassis.settings import SettingError, read
from stt import models
from stt.engines.whisper import WhisperOptions
from stt.settings import Settings

SHOW_SECONDS = 1.0


class Progress:
    """A line that changes, or on no screen one every tenth."""

    def __init__(self) -> None:
        self.shown, self.at = "", 0.0

    def __call__(self, doing: str, part: float | None) -> None:
        percent = "" if part is None else f" ({part:.0%})"
        if sys.stdout.isatty():
            if time.monotonic() - self.at > SHOW_SECONDS or part in (None, 1.0):
                self.at = time.monotonic()
                print(f"\r\033[K  {doing}{percent}", end="", flush=True)
        elif (step := doing if part is None else f"{int(part * 10)}") != self.shown:
            self.shown = step
            print(f"  {doing}{percent}", flush=True)

    def end(self) -> None:
        if sys.stdout.isatty():
            print()


def main() -> int:
    progress = Progress()
    try:
        if "whisper" not in read(Settings).engines:
            print("STT_ENGINES does not name whisper; the other engines need no weights.")
            return 0
        for wanted in read(WhisperOptions).wanted:
            print(f"Fetching Whisper's model {wanted!r} (WHISPER_MODEL, WHISPER_MODELS):", flush=True)
            folder = models.find(wanted, progress, read(hub.HubOptions))
            progress.end()
            print(f"It is there, in {folder}.")
    except (EngineUnavailable, SettingError) as exc:
        progress.end()
        print(f"\n{exc}", file=sys.stderr)
        return 1
    print("`make up` uses it at once.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
