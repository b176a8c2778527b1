"""`make bench`: what is promised of speed, measured in one run: direct, through a service, through proxy and service.

`make bench ONLY="llm tts"` runs these parts only.
"""

import sys

import uvloop

from bench import llm, overload, start, stt, stt_long, stt_real, stt_short, tts, turn, vendors

PARTS = {
    "start": start.main,
    "llm": llm.main,
    "tts": tts.main,
    "stt": stt.main,
    "stt_short": stt_short.main,
    "stt_long": stt_long.main,
    "stt_real": stt_real.main,
    "turn": turn.main,
    "overload": overload.main,
    "vendors": vendors.main,
}


def main(names: list[str]) -> int:
    """Run the named parts, or all; the number of promises not kept."""
    broken = 0
    for name in names or list(PARTS):
        print(f"\n{name}: {sys.modules[PARTS[name].__module__].__doc__}", flush=True)
        broken += uvloop.run(PARTS[name]()).count(False)
    print(f"\n{'All promises kept.' if not broken else f'{broken} not kept.'}")
    return broken


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
