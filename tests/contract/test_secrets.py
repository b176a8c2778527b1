"""No key of any provider is shown, whatever it answers: all rows of a service at once, in a process of its own.

Each secret is marked, the provider repeats it, and the mark is looked for in answers, states, metrics and the log.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import httpx
import pytest
from deploy.installation import ROOT

from chassis.settings import Options
from contract import test_vendors_stt as ears
from contract import test_vendors_tts as mouths
from fixtures import sounds
from fixtures.serving import process
from imitations.parrot import WAYS, Parrot

MARK = "zebra4711"
"""A word that no rule against keys knows."""
CALLER = f"{MARK}ofa-caller"
HERE = {"local", "gguf", "companion"}
"""Minds that ask no provider."""
TABLES = {"stt": "stt.engines.openai.providers", "llm": "llm.request.providers", "tts": "tts.engines.openai.providers"}
SHOWN = ("/status", "/readyz", "/healthz", "/metrics", "/v1/models", "/v1/audio/voices", "/v1/privacy")


@dataclass(frozen=True)
class Row:
    """One engine of a chain, and its environment; `BASE` in it is the provider's address."""

    name: str
    environ: dict[str, str]


def secret(name: str) -> str:
    return f"{MARK}of{name}"


def rows(service: str) -> Iterator[Row]:
    """Every engine of a service that asks a provider."""
    suites: dict[str, Sequence[ears.Provider | mouths.Provider]] = {"stt": ears.PROVIDERS, "tts": mouths.PROVIDERS}
    for provider in suites.get(service, ()):
        more = {
            name: f"{secret(provider.name)}2" if "SECRET" in name else value for name, value in provider.more.items()
        }
        pair = provider.paired if isinstance(provider, ears.Provider) else None
        paired = {pair[0]: f"{secret(provider.name)}2"} if pair else {}
        known = {**more, **paired, provider.key_variable: secret(provider.name), provider.base_variable: "BASE"}
        yield Row(provider.name, known)
    for name, place in import_module(f"{service}.engines").ENGINES.items():
        if service == "llm" and name not in HERE:
            yield Row(name, {f"LLM_{upper(name)}_BASE_URL": "BASE", **settings(place.partition(":")[0], name)})
    for name in import_module(TABLES[service]).PROVIDERS:
        if name not in import_module(f"{service}.engines").ENGINES:
            prefix = f"{service.upper()}_{upper(name)}_"
            environ = {"API_KEY": secret(name), "BASE_URL": "BASE/v1", "MODEL": "m"}
            yield Row(name, {prefix + field: value for field, value in environ.items()})


def upper(name: str) -> str:
    return name.upper().replace("-", "_")


def settings(module: str, name: str) -> dict[str, str]:
    """Return a value for each setting without a default of an engine's file, marked where it is secret."""
    found: dict[str, str] = {}
    for kind in vars(import_module(module)).values():
        if isinstance(kind, type) and issubclass(kind, Options) and kind.__module__ == module:
            for field, default in zip(kind.__struct_fields__, kind.__struct_defaults__, strict=True):
                is_secret = any(word in field for word in ("key", "secret", "token"))
                if is_secret or default == "":
                    found[kind.prefix + field.upper()] = secret(name) if is_secret else "x7"
    return found


async def ask(service: str, client: httpx.AsyncClient, model: str) -> httpx.Response:
    match service:
        case "stt":
            files = {"file": ("a.wav", sounds.wav(ears.SPOKEN))}
            return await client.post("/v1/audio/transcriptions", files=files, data={"model": model})
        case "tts":
            wanted = {"model": model, "voice": "alloy", "input": "Hello."}
            return await client.post("/v1/audio/speech", json=wanted)
        case _:
            asked = {"model": model, "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
            return await client.post("/v1/chat/completions", json=asked)


@pytest.mark.skipif(not sounds.can_speak(), reason="flite is not installed")
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("service", ["stt", "llm", "tts"])
async def test_no_secret_of_any_row_is_shown(service: str, way: str, tmp_path: Path) -> None:
    every = [*rows(service)]
    async with AsyncExitStack() as stack:
        parrot = await stack.enter_async_context(Parrot(way, MARK))
        base = f"http://user:{MARK}-of-the-address@127.0.0.1:{parrot.port}"
        environ = {f"{service.upper()}_ENGINES": ",".join(row.name for row in every), "LOG_LEVEL": "debug"}
        environ[f"{service.upper()}_FIRST_BYTE_SECONDS"] = "60"  # each is asked, however busy the machine is
        for row in every:
            environ |= {name: value.replace("BASE", f"{base}/{row.name}") for name, value in row.environ.items()}
        log = stack.enter_context((tmp_path / "log").open("wb"))
        started = process(service, log, API_KEYS=f"toy:{CALLER}", **environ)
        running = await asyncio.to_thread(started.__enter__)
        stack.push_async_callback(asyncio.to_thread, started.__exit__, None, None, None)
        async with httpx.AsyncClient(base_url=running.base, timeout=60) as client:
            shown = [await ask(service, client, "any")]  # without a key
            client.headers["authorization"] = f"Bearer {CALLER}wrong"
            shown.append(await ask(service, client, "any"))
            client.headers["authorization"] = f"Bearer {CALLER}"
            shown += [await ask(service, client, row.name) for row in every]
            shown.append(await ask(service, client, "any"))
            shown += [await client.get(path) for path in SHOWN]
        command = await asyncio.to_thread(Path(f"/proc/{running.pid}/cmdline").read_text)

    told = "\n".join(f"{answer.url} {answer.headers} {answer.text}" for answer in shown)
    unasked = [row.name for row in every if not any(_holds_secret(each, row, environ) for each in parrot.shown)]
    assert unasked == []
    for text in (told, command, (tmp_path / "log").read_text()):
        leaks = [line for line in text.splitlines() if MARK in line]
        assert leaks == []


def _holds_secret(shown: str, row: Row, environ: Mapping[str, str]) -> bool:
    """Tell whether a request held a secret of this row; engines of one provider share theirs."""
    names = [name for name, value in row.environ.items() if value == secret(row.name)]
    return any(environ[name] in shown for name in names)


def test_the_look_for_what_upstreams_lack_shows_none() -> None:
    environ = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{ROOT}/services"}
    for service in ("stt", "llm", "tts"):
        every = [*rows(service)]
        environ[f"{service.upper()}_ENGINES"] = ",".join(row.name for row in every)
        for row in every:  # those that know no address lack one
            environ |= {name: value for name, value in row.environ.items() if "BASE" not in value}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.upstreams"], cwd=ROOT, env=environ, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert "BASE_URL" in done.stdout
    assert MARK not in done.stdout + done.stderr
