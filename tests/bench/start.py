"""Cold start to ready, and memory when idle."""

import statistics

from bench.stack import free_ports, service, verdict

STARTS, MOST_SECONDS = 5, 1.5
MOST_MB = {"llm": 80, "tts": 120}
ENGINES = {"llm": "openai,local,companion", "tts": "edge,espeak"}


async def main() -> list[bool]:
    """Start each service a few times, with its default chain."""
    kept = []
    for name, most_mb in MOST_MB.items():
        seconds, memory = [], []
        for _ in range(STARTS):
            with service(name, free_ports(), **{f"{name.upper()}_ENGINES": ENGINES[name]}) as process:
                seconds.append(process.ready_seconds)
                process.wait_for_all_engines()
                memory.append(process.memory_mb())
        kept.append(
            verdict(f"{name}: start to ready, median of {STARTS}", statistics.median(seconds), MOST_SECONDS, "s")
        )
        kept.append(verdict(f"{name}: idle memory", max(memory), most_mb, "MB"))
    return kept
