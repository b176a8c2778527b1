"""What the relay adds to a stream: time to its first token, and CPU."""

import asyncio
import json

from bench.stack import Caller, free_ports, ms, proxy, quantile, row, service, upstream, verdict

ROUNDS = 200
MOST_ADDED_MS = 3.0
BURST_STREAMS, BURST_TOKENS = 16, 500
PATH = "/v1/chat/completions"


def question(tokens: int) -> bytes:
    messages = [{"role": "system", "content": "You are a bear."}, {"role": "user", "content": "Hello!"}]
    return json.dumps({"model": "m", "stream": True, "messages": messages, "max_tokens": tokens}).encode()


async def main() -> list[bool]:
    """One upstream, asked directly, through the service, and through proxy and service, in turn."""
    first = free_ports()
    async with upstream() as port:
        environ = {"LLM_ENGINES": "openai", "OPENAI_API_KEY": "x", "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1"}
        with service("llm", first + 12, **environ) as llm, proxy(first):
            ways = {"direct": port, "through the service": first + 12, "through proxy and service": first}
            added = await _first_tokens(ways)
            kept = [verdict(f"added to the first token, p50, {way}", added[way], MOST_ADDED_MS, "ms") for way in added]
            for way in list(ways)[1:]:
                before = llm.cpu_seconds()
                await _burst(ways[way])
                cpu = (llm.cpu_seconds() - before) / (BURST_STREAMS * BURST_TOKENS) * 1000
                row(f"CPU of the service per 1000 tokens, {way}", ms(cpu))
    return kept


async def _first_tokens(ways: dict[str, int]) -> dict[str, float]:
    """Milliseconds each way adds to the direct one, p50."""
    callers = {way: Caller(port) for way, port in ways.items()}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(ROUNDS):
        for way, caller in callers.items():
            seconds[way].append((await caller.ask(PATH, question(1))).first_byte)
    for way, caller in callers.items():
        caller.close()
        row(f"first token, {way}, p50 and p99", ms(quantile(seconds[way], 0.5)), ms(quantile(seconds[way], 0.99)))
    direct = quantile(seconds["direct"], 0.5)
    return {way: (quantile(times, 0.5) - direct) * 1000 for way, times in seconds.items() if way != "direct"}


async def _burst(port: int) -> None:
    callers = [Caller(port) for _ in range(BURST_STREAMS)]
    exchanges = await asyncio.gather(*(caller.ask(PATH, question(BURST_TOKENS)) for caller in callers))
    assert all(exchange.body.count(b"word") == BURST_TOKENS for exchange in exchanges)
    for caller in callers:
        caller.close()
