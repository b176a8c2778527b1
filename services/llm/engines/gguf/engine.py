"""A model in this process, by llama.cpp: any GGUF file with a chat template, ChatGLM3 and its successors among them.

An extra: `pip install llama-cpp-python`, which has no wheel and builds for some minutes.
"""

import asyncio
import codecs
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import msgspec
from msgspec import Struct

from chassis.chain.admission import Admission
from chassis.chain.seat import Report
from chassis.errors import ApiError, BadRequest, Declined, EngineFailed, EngineUnavailable, NotFound
from chassis.settings import Count, Options, read
from chassis.sse import close
from chassis.threads import workers
from chassis.upstream.refusals import within_success
from chassis.weights import hub
from chassis.weights.hub import HubOptions, Place, Weights
from llm.answer.encode import DONE, Chunks, Reason, Spoken, Usage, completion
from llm.answer.filter import Strainer
from llm.answer.passage import Passage
from llm.answer.relay import relayed
from llm.answer.usage import Counts
from llm.answer.whole import mended
from llm.engines import Engine
from llm.engines.gguf.handover import End, Handover, Until
from llm.engines.gguf.llamacpp import Gone, Model, package
from llm.request.body import heard, switches_off
from llm.request.messages import messages_for
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest, ToolChoice

PATIENCE_SECONDS = 2.5

QUEUED = 4
"""How many callers may wait for the one answer that is made at a time, and how long."""


log = logging.getLogger("talkbox.llm")


class GgufOptions(Options, frozen=True, kw_only=True):
    """The engine `gguf`: a model in llm's own process, through llama.cpp."""

    prefix = "GGUF_"
    model: str = ""
    """Model: a file; or at a hub `owner/name/file.gguf` or `owner/name:Q4_K_M`."""
    context: Count = 4096
    """Tokens of a conversation and its answer; memory grows with them."""
    threads: Count | None = None
    """Threads of the model. Unset: all cores but one."""
    gpu_layers: int = 0
    """Layers on the GPU, if the library was built for one; -1: all."""
    template: str = ""
    """Chat template for a model whose file has none: a name that llama.cpp knows (`chatml`, `chatglm3`), or a Jinja
    file."""


class Tool(Struct, frozen=True):
    """One that must be called."""

    name: str
    parameters: dict[str, Any]
    offers: list[dict[str, Any]]
    """All the caller's, as they came."""


class Gguf(Engine):
    first_byte_seconds = 1.0

    def __init__(
        self, model: Model, relay: RelayOptions | None = None, *, patience_seconds: float = PATIENCE_SECONDS
    ) -> None:
        self.model, self.options = model, relay or RelayOptions()
        self._places = Admission(1, QUEUED, patience_seconds)
        self._worker = workers(1, "gguf")

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        options = read(GgufOptions)
        wanted = _named(options.model)
        package()  # or what is fetched would be of no use
        path = find(wanted, report, read(HubOptions))
        report(f"loading {path.name}", None)
        model = Model(
            path,
            context=options.context,
            threads=options.threads,
            gpu_layers=options.gpu_layers,
            template=options.template,
        )
        return cls(model, read(RelayOptions, own="LLM_GGUF_"))

    @classmethod
    def fetch(cls, name: str, model: str, report: Report) -> tuple[Path, ...]:
        """Fetch ahead what `load` would; `model` wins over the settings.

        Raises:
            EngineUnavailable: It cannot be had.
        """
        return (find(model or _named(read(GgufOptions).model), report, read(HubOptions)),)

    @property
    def models(self) -> tuple[str, ...]:
        return (self.model.name,)

    async def aclose(self) -> None:
        self._worker.submit(self.model.close)
        await asyncio.to_thread(self._worker.shutdown)

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        if asked.model not in (None, self.model.name):
            raise NotFound(
                f"No model {asked.model!r} here, but {self.model.name}.", param="model", code="model_not_found"
            )
        check(asked.wanted)
        tool = tool_to_call(asked)
        since = await self._places.enter()
        out = Handover(asyncio.get_running_loop())
        work = asyncio.get_running_loop().run_in_executor(self._worker, self._work, asked, tool, out)
        work.add_done_callback(lambda _: self._places.leave(since))  # not before the thread is free again
        pieces = self._streamed(asked, tool, out) if asked.wanted.stream else self._whole(asked, tool, out)
        try:
            async for piece in pieces:
                yield piece
        finally:
            out.leave()
            await close(pieces)

    def _streamed(self, asked: Asked, tool: Tool | None, out: "Handover") -> AsyncIterator[bytes]:
        strainer = self._strainer(asked, tool)
        events = self._events(asked, tool, out)
        if strainer.idle:
            return events
        usage = partial(_usage_shown, asked) if asked.wanted.wants_usage else None
        return relayed(events, Passage(self.model.name, strainer, within_success, asked.tally, usage))

    async def _events(self, asked: Asked, tool: Tool | None, out: "Handover") -> AsyncIterator[bytes]:
        chunks = Chunks(self.model.name, usage=asked.wanted.wants_usage)
        piece = await out.take()
        yield chunks.called(tool.name) if tool else chunks.begun()
        while not isinstance(piece, End):
            yield chunks.arguments(piece) if tool else chunks.said(piece)
            piece = await out.take()
        yield chunks.ended(piece.reason)
        if asked.wanted.wants_usage:
            yield chunks.told(_usage(asked))
        yield DONE

    async def _whole(self, asked: Asked, tool: Tool | None, out: "Handover") -> AsyncIterator[bytes]:
        said = []
        while not isinstance(piece := await out.take(), End):
            said.append(piece)
        body = completion(
            [Spoken(tuple(said), piece.reason, tool.name if tool else None)], self.model.name, _usage(asked)
        )
        strainer = self._strainer(asked, tool)
        yield body if strainer.idle else mended(body, msgspec.json.decode(body), strainer, self.model.name)

    def _strainer(self, asked: Asked, tool: Tool | None) -> Strainer:
        wish = "show" if tool else heard(asked.wanted, self.options)
        return Strainer(
            thoughts=wish != "show",
            reasoning=wish in ("hide", "off"),
            markdown=self.options.for_the_ear and asked.wanted.is_prose and tool is None,
            heard=self.options.for_the_ear and asked.wanted.is_prose and tool is None,
            begun=wish != "show" and self.model.opens_thoughts(template_fields(asked.wanted, self.options)),
        )

    def _work(self, asked: Asked, tool: Tool | None, out: "Handover") -> None:
        """Make one answer, in the worker's thread."""
        try:
            try:
                reason = self._answer(asked, tool, out)
            except ApiError as exc:
                out.put(exc)
            except Gone:
                raise
            except Exception as exc:
                log.exception("gguf broke off")
                out.put(EngineFailed(f"broke off ({type(exc).__name__})"))
            else:
                out.put(End(reason))
        except Gone:
            return

    def _answer(self, asked: Asked, tool: Tool | None, out: "Handover") -> Reason:
        wanted, model = asked.wanted, self.model
        prompt, limit = fitted(asked, self.options, model, tool)
        grammar = model.grammar(tool.parameters if tool else _schema(wanted))
        until, decoder = Until(_stops(wanted)), codecs.getincrementaldecoder("utf-8")("replace")
        asked.tally.told = Counts(len(prompt), 0)
        tokens = model.tokens(prompt, _sampling(wanted, self.options), grammar, wanted.seed, out.left)
        for made, token in enumerate(tokens, start=1):
            asked.tally.told = Counts(len(prompt), made)
            out.put(until.add(decoder.decode(model.text(token))))
            if until.found:
                return "stop"
            if made >= limit:
                out.put(until.rest())
                return "length"
        out.put(until.add(decoder.decode(b"", final=True)) + until.rest())
        return "tool_calls" if tool else "stop"


def check(wanted: ChatRequest) -> None:
    """Raises:
    Declined: It cannot be done here.
    """
    if (wanted.n or 1) > 1:
        raise Declined("A model in this process gives one answer at a time; leave out 'n'.", param="n")
    if wanted.logprobs:
        raise Declined("A model in this process does not tell 'logprobs'.", param="logprobs")
    if wanted.asks_for_moderation:
        raise Declined("A model in this process moderates nothing; leave out 'moderation'.", param="moderation")
    for number, message in enumerate(wanted.messages):
        for place, part in enumerate(message.content if isinstance(message.content, list) else ()):
            if part.type not in ("text", "refusal"):
                where = f"messages[{number}].content[{place}]"
                raise Declined("A model in this process understands text only.", param=where)


def tool_to_call(asked: Asked) -> Tool | None:
    """The one that must be called; None: words are wanted.

    Raises:
        Declined: More than one might be meant.
    """
    choice = asked.wanted.tool_choice
    if choice is None or choice in ("none", "auto"):
        return None
    fields = msgspec.json.decode(asked.body)
    offers = [offer["function"] for offer in fields.get("tools") or () if offer.get("function")]
    if isinstance(choice, ToolChoice):
        offers = [offer for offer in offers if fields["tool_choice"].get("function") == {"name": offer["name"]}]
    if len(offers) != 1:
        raise Declined("A model in this process calls the one tool that 'tool_choice' names.", param="tool_choice")
    return Tool(offers[0]["name"], offers[0].get("parameters") or {"type": "object"}, fields["tools"])


def fitted(asked: Asked, options: RelayOptions, model: Model, tool: Tool | None) -> tuple[list[int], int]:
    """The prompt, without the oldest exchanges where they do not fit; and how many tokens the answer may have.

    Raises:
        BadRequest: Not even the last exchange fits.
    """
    wanted = asked.wanted
    limit = wanted.token_limit or (None if options.max_tokens == "off" else options.max_tokens)
    room = min(limit or model.context, model.context // 4)
    raw = messages_for(asked, options, knows_developer=False)
    messages = [_plain(message) for message in (_messages(asked.body) if raw is None else map(_decoded, raw))]
    extra = template_fields(wanted, options)
    while True:
        prompt = model.prompt(messages, tool and tool.offers, extra)
        if len(prompt) + room <= model.context:
            left = model.context - len(prompt)
            return prompt, left if limit is None else min(limit, left)
        oldest = oldest_exchange(messages)
        if not oldest:
            message = (
                f"These messages are {len(prompt)} tokens, and {model.name} takes {model.context} with its answer."
            )
            raise BadRequest(message, param="messages", code="context_length_exceeded")
        messages = [each for at, each in enumerate(messages) if at not in oldest]


def oldest_exchange(messages: Sequence[Mapping[str, Any]]) -> range:
    """Which messages to leave out first; none where one exchange is left."""
    begins = [at for at, each in enumerate(messages) if each["role"] == "user"]
    return range(begins[0], begins[1]) if len(begins) > 1 else range(0)


def template_fields(wanted: ChatRequest, options: RelayOptions) -> dict[str, Any]:
    """What a template may want to know beside the messages."""
    own = wanted.chat_template_kwargs if isinstance(wanted.chat_template_kwargs, dict) else {}
    if isinstance(wanted.enable_thinking, bool):
        own = {"enable_thinking": wanted.enable_thinking} | own
    reserved = ("messages", "tools")
    fields = {"enable_thinking": False} if switches_off(wanted, options) else own
    return {name: value for name, value in fields.items() if name not in reserved}


def _messages(body: bytes) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(body)["messages"]
    return found


def _decoded(raw: msgspec.Raw) -> dict[str, Any]:
    message: dict[str, Any] = msgspec.json.decode(raw)
    return message


def _plain(message: dict[str, Any]) -> dict[str, Any]:
    """With one string for its parts, and a role that templates know."""
    content, role = message.get("content"), message["role"]
    if isinstance(content, list):
        content = "\n".join(part.get("text") or part.get("refusal") or "" for part in content)
    return message | {"role": "system" if role == "developer" else role, "content": content or ""}


def _stops(wanted: ChatRequest) -> list[str]:
    return [wanted.stop] if isinstance(wanted.stop, str) else wanted.stop or []


def _sampling(wanted: ChatRequest, options: RelayOptions) -> dict[str, float]:
    usual = 0.8 if options.temperature == "off" else options.temperature
    return {
        "temp": usual if wanted.temperature is None else wanted.temperature,
        "top_p": 0.95 if wanted.top_p is None else wanted.top_p,
        "frequency_penalty": wanted.frequency_penalty or 0.0,
        "presence_penalty": wanted.presence_penalty or 0.0,
    }


def _schema(wanted: ChatRequest) -> dict[str, Any] | None:
    """What an answer must fit."""
    form = wanted.response_format
    if form is None or form.type == "text":
        return None
    return (form.json_schema.schema if form.json_schema else None) or {"type": "object"}


def _usage_shown(asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = msgspec.to_builtins(_usage(asked))
    return shown


def _usage(asked: Asked) -> Usage:
    counts = asked.tally.counts(lambda: 0)
    return Usage.of(counts.prompt_tokens, counts.completion_tokens)


def find(name: str, report: Report, options: HubOptions) -> Path:
    """The file of a model: `name` itself if it is one, else the one it was or is now fetched to.

    Raises:
        EngineUnavailable: It is not there and cannot be fetched; the message says what to do.
    """
    local = Path(name).expanduser()
    if local.is_file():
        return local
    at_hub = re.fullmatch(r"([^/:]+/[^/:]+)(?:/(.+\.gguf)|:([\w.-]+))", name)
    if local.is_absolute() or at_hub is None:
        raise EngineUnavailable(f"GGUF_MODEL: there is no file {name}. At a hub it is owner/name/file.gguf.")
    pattern = at_hub[2] or f"*{_any_case(at_hub[3])}*.gguf"
    place = Place(at_hub[1], at_hub[1])
    weights = Weights(place=place, needed=(pattern,), kind="GGUF model", shelf="gguf", variable="GGUF_MODEL")
    return sorted(hub.fetch(weights, report, options).glob(pattern))[0]


def _named(model: str) -> str:
    """Raises:
    EngineUnavailable: The operator named none.
    """
    if not model:
        raise EngineUnavailable("Set GGUF_MODEL to a file, or to one at a hub: Qwen/Qwen3-0.6B-GGUF:Q8_0.")
    return model


def _any_case(text: str) -> str:
    return "".join(f"[{char.lower()}{char.upper()}]" if char.isalpha() else char for char in text)
