"""An imitation of two model servers' programs, for images that stand in for theirs: it is called as they are.

`ollama serve`, `pull MODEL`, `list`, `show MODEL`: what is pulled is kept in `~/.ollama`, and answers from then on.
`llama-server -hf MODEL --host HOST --port PORT …`: answers at once, `/health` too.
"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from imitations.upstream import Manner, Upstream

SHELF = Path.home() / ".ollama"
OLLAMA_PORT = 11434


async def serve(upstream: Upstream, *, ollama: bool) -> None:
    async with upstream:
        while True:
            if ollama:
                upstream.models = pulled()
            await asyncio.sleep(0.1)


def pulled() -> tuple[str, ...]:
    return tuple(sorted(path.read_text() for path in SHELF.glob("*.model")))


def ollama(command: str, *names: str) -> int:
    match command:
        case "serve":
            host = os.environ.get("OLLAMA_HOST", "127.0.0.1")
            (SHELF / "up").unlink(missing_ok=True)
            (SHELF / "up").touch()
            manner = Manner(("Hello", " from", " Ollama", "."))
            asyncio.run(serve(Upstream(manner, host=host, port=OLLAMA_PORT, models=()), ollama=True))
        case "list":
            return 0 if (SHELF / "up").exists() else 1
        case "pull":
            (SHELF / f"{len(pulled())}.model").write_text(names[0])
        case "show":
            return 0 if names[0] in pulled() else 1
        case _:
            return 2
    return 0


def llama_server(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-hf", required=True)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--jinja", action="store_true")
    wanted = parser.parse_args(arguments)
    manner = Manner(("Hello", " from", " llama.cpp", "."))
    asyncio.run(serve(Upstream(manner, host=wanted.host, port=wanted.port, models=(wanted.hf,)), ollama=False))
    return 0


if __name__ == "__main__":
    program, *arguments = sys.argv
    sys.exit(ollama(*arguments) if Path(program).name == "ollama" else llama_server(arguments))
