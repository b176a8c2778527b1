"""A model file on this machine, asked as any other upstream is: llama.cpp's own server runs it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any, Self, cast

import msgspec

from chassis.chain.admission import Admission
from chassis.chain.seat import Report
from chassis.errors import Declined, EngineFailed, EngineUnavailable
from chassis.extras import require
from chassis.privacy import Storage
from chassis.settings import Count, Options, read
from chassis.threads import cores
from chassis.upstream.settings import Row
from chassis.weights.hub import HubOptions
from llm.engines.gguf.forced_tool import asked_for_arguments, called, forced_tool
from llm.engines.gguf.model_file import find
from llm.engines.gguf.model_server import ModelServer, ModelToRun
from llm.engines.gguf.shared_context import SharedContext
from llm.engines.gguf.shared_model import SharedModel
from llm.engines.openai.engine import OpenAIChat
from llm.request.providers import UPSTREAMS
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest, Schema

_QUEUED = 4
"""Callers who may wait for each answer that is made at a time."""
PATIENCE_SECONDS = 2.5
_MOST_BIASES = 1024
"""Entries of `logit_bias`: llama.cpp's time for them grows with their square, to 20 s for a whole vocabulary."""

_MOST_PARTS = 500
"""Values of a schema: the time for each token, in which nobody else is answered, grows with the square of a choice."""


class GgufOptions(Options, frozen=True, kw_only=True):
    """The engine `gguf`: a model file on this machine, through llama.cpp."""

    prefix = "GGUF_"
    model: str = ""
    """Model: a file; or at a hub `owner/name/file.gguf` or `owner/name:Q4_K_M`."""
    context: Count = 4096
    """Tokens of all conversations that are answered at a time, with their answers: one alone may have them all, several
    share them, and one that does not fit beside the others waits. Memory grows with them."""
    concurrent: Count = 4
    """Answers at a time; further callers wait a moment, then the next engine answers."""
    threads: Count | None = None
    """Threads of the model. Unset: all cores but one, and both of two."""
    gpu_layers: int = 0
    """Layers on the GPU, if the library was built for one; -1: all."""
    prompts_mib: int = 256
    """Memory for prompts that were read before, in MiB: with several roles each is read once. 0: only those
    of the last answers."""
    template: str = ""
    """Chat template instead of the file's: a name that llama.cpp knows (`chatml`, `chatglm4`), or a Jinja file."""


def usual_threads(available: int) -> int:
    """Return with how many threads a model runs beside ears and voice, on so many available cores.

    With one of two cores, four toys at once waited longer (p95 of a turn 1.4 s) than with both (1.25 s), one no less.
    """
    return min(available, max(2, available - 1))


class Gguf(OpenAIChat):
    """One model, which makes several answers at a time.

    Args:
        patience_seconds: Longest wait for a place, and for room in the context.
    """

    def __init__(
        self, server: ModelServer, options: RelayOptions, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        context, concurrent = server.wanted.context, server.wanted.concurrent
        shared = SharedContext(context, patience_seconds)
        name, prefix = server.wanted.name, UPSTREAMS.prefix("gguf")
        row = Row("gguf", f"{server.address}/v1", server.wanted.key, name, (name,), "direct", prefix)
        kept = min(options.history_tokens or context, context * 3 // 4)  # the rest is for the answer
        options = msgspec.structs.replace(options, history_tokens=kept)
        super().__init__(row, options, upstream=partial(SharedModel, context=shared, share=context // concurrent))
        self.become("llamacpp")
        self.server = server
        self._places = Admission(concurrent, _QUEUED * concurrent, patience_seconds)
        self._restart: asyncio.Task[None] | None = None
        self.keeps = (
            Storage(
                "beginnings of talks",
                "memory",
                words=True,
                setting="GGUF_PROMPTS_MIB",
                megabytes=server.wanted.prompts_mib,
            ),
        )

    @property
    def sends_to(self) -> None:
        return None

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(GgufOptions)
        require("gguf", "xllamacpp")  # before a download that would be of no use
        path = find(options.model, report, read(HubOptions))
        report(f"loading {path.name}", None)
        wanted = ModelToRun(
            path=str(path),
            name=path.stem,
            context=options.context,
            concurrent=options.concurrent,
            threads=options.threads or usual_threads(cores()),
            gpu_layers=options.gpu_layers,
            prompts_mib=options.prompts_mib,
            template=_template(options.template),
        )
        try:
            server = ModelServer(wanted)
        except EngineUnavailable as exc:
            raise EngineUnavailable(f"GGUF_MODEL: llama.cpp cannot use {path}: {exc}.") from exc
        return cls(server, read(RelayOptions, own=UPSTREAMS.prefix(name)))

    @classmethod
    def fetch(cls, name: str, model: str, report: Report) -> tuple[Path, ...]:
        """Fetch ahead what `load` would; `model` wins over the settings.

        Raises:
            EngineUnavailable: It cannot be had.
        """
        return (find(model or read(GgufOptions).model, report, read(HubOptions)),)

    async def aclose(self) -> None:
        if self._restart is not None:
            await asyncio.wait([self._restart])
        await super().aclose()
        await asyncio.to_thread(self.server.stop)

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        self._check_alive()
        tool = forced_tool(asked)
        question = asked if tool is None else asked_for_arguments(asked, tool)
        check(question.wanted)
        since = await self._places.enter()
        try:
            answer = super().chat(question)
            async with aclosing(cast(Any, answer)) as pieces:
                async for piece in pieces:
                    for made in (piece,) if tool is None else called(asked, tool, piece):
                        yield made
        finally:
            self._places.leave(since)

    def _check_alive(self) -> None:
        """Start the model again where its process has ended.

        Raises:
            EngineFailed: It is being started.
        """
        if self._restart is None and self.server.ended:
            self._restart = asyncio.create_task(asyncio.to_thread(self.server.restart))
        if self._restart is None:
            return
        if self._restart.done():
            failed, self._restart = self._restart.exception(), None
            if failed is None:
                return
        raise EngineFailed("lost the process of its model, and starts it again")


def check(wanted: ChatRequest) -> None:
    """Refuse what llama.cpp cannot do with a model of text.

    Raises:
        Declined: Something of the kind is asked for.
    """
    if (wanted.n or 1) > 1:
        raise Declined("A model on this machine gives one answer at a time; leave out 'n'.", param="n")
    if len(wanted.logit_bias or ()) > _MOST_BIASES:
        raise Declined(
            f"A model on this machine takes at most {_MOST_BIASES} entries of logit_bias.", param="logit_bias"
        )
    form = wanted.response_format
    if form is not None and form.json_schema is not None and _parts(form.json_schema) > _MOST_PARTS:
        message = f"A model on this machine takes schemas of at most {_MOST_PARTS} values."
        raise Declined(message, param="response_format")
    for number, turn in enumerate(wanted.messages):
        for place, part in enumerate(turn.content if isinstance(turn.content, list) else ()):
            if part.type not in ("text", "refusal"):
                where = f"messages[{number}].content[{place}]"
                raise Declined("A model on this machine understands text only.", param=where)


def _parts(form: Schema) -> int:
    """Return about how many values there are in a schema: those that commas part."""
    return sum(bytes(value).count(b",") + 1 for value in (form.schema or {}).values())


def _template(wanted: str) -> str:
    """Return a chat template by its name or out of its file."""
    file = Path(wanted).expanduser()
    return file.read_text() if wanted and file.is_file() else wanted
