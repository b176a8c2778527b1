"""The process that runs a model for this service: it is started, watched and ended here."""

import logging
import re
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import IO
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from chassis.errors import EngineUnavailable

PROGRAM = Path(__file__).with_name("program.py")
END_SECONDS = 5.0
_STAMP = re.compile(r"^[\d.]+ [A-Z] +")
"""Pattern of the time and the level before what llama.cpp says."""
_SHOWN_CHARACTERS = 300

log = logging.getLogger("talkbox.llm")


class ModelToRun(Struct):
    """The model to run, and how.

    Args:
        name: Name of the model in its answers.
        context: Tokens of all conversations that are answered at a time, with their answers.
        concurrent: Answers at a time.
        threads: Threads of the processor.
        gpu_layers: Layers on the GPU; -1: all.
        prompts_mib: Memory for prompts that were read before, beside the last.
        template: Chat template instead of the file's: a name that llama.cpp knows, or Jinja.
        port: Port of loopback; 0: a free one.
        key: Key without which nobody is answered.
    """

    path: str
    name: str
    context: int
    threads: int
    concurrent: int = 1
    gpu_layers: int = 0
    prompts_mib: int = 0
    template: str = ""
    port: int = 0
    key: str = ""


class ModelServer:
    """llama.cpp's server with one model, in a process of its own.

    Raises:
        EngineUnavailable: The model cannot be loaded; the message has llama.cpp's reason.
    """

    def __init__(self, wanted: ModelToRun) -> None:
        self.wanted = msgspec.structs.replace(wanted, key=secrets.token_urlsafe())
        self.start()

    def start(self) -> None:
        """Start the process and wait until the model is loaded; the address stays what it was. Blocks for seconds.

        Raises:
            EngineUnavailable: The model cannot be loaded.
        """
        self._process = _start_program()
        complaints: list[str] = []
        reader = Thread(target=_note, args=(self._process.stderr, complaints), name="llama.cpp's log", daemon=True)
        reader.start()
        self.address = _address_of(self._process, self.wanted)
        if not self.address:
            self.stop()
            reader.join()
            raise EngineUnavailable(_reason(complaints) or f"status {self._process.returncode}")
        self.wanted.port = urlsplit(self.address).port or 0

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def stop(self) -> None:
        """End the process, or clean up after one that has ended. Blocks."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdout.close()
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def restart(self) -> None:
        """Start the process again after it has ended. Blocks for seconds.

        Raises:
            EngineUnavailable: The model cannot be loaded any more.
        """
        self.stop()
        self.start()


def _start_program() -> "subprocess.Popen[str]":
    pipe = subprocess.PIPE
    command = [sys.executable, "-P", str(PROGRAM)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True, errors="replace")


def _address_of(process: "subprocess.Popen[str]", wanted: ModelToRun) -> str:
    """Tell the program what to run, and return its address; empty: it ended instead."""
    assert process.stdin
    assert process.stdout
    with suppress(BrokenPipeError):
        process.stdin.write(msgspec.json.encode(wanted).decode() + "\n")
        process.stdin.flush()
    return process.stdout.readline().strip()


def _note(lines: IO[str], complaints: list[str]) -> None:
    """Write what llama.cpp says into our own log, and keep the first lines."""
    with lines:
        for line in lines:
            log.warning("llama.cpp: %s", line.strip()[:_SHOWN_CHARACTERS])
            if len(complaints) < 10:
                complaints.append(line.strip())


def _reason(complaints: list[str]) -> str:
    """Return the first thing llama.cpp said, which is the cause of what it said after."""
    return _STAMP.sub("", complaints[0])[:_SHOWN_CHARACTERS] if complaints else ""
