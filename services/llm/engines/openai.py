"""Any upstream that speaks OpenAI's dialect: a row of settings, not code.

`LLM_MOONSHOT_API_KEY` is the key of the row `moonshot`; `MOONSHOT_API_KEY` is too, and is shared with the other
services. The request goes on as the bytes it came as, but for the model's name and two defaults.
"""

import logging
import re
from collections.abc import AsyncIterator
from typing import Any, Self

import msgspec
from msgspec import Raw, Struct

from chassis.chain import Report
from chassis.errors import ApiError, EngineFailed, EngineUnavailable, NotFound
from chassis.failures import MISCONFIGURED_REST_SECONDS, Complaint, UnknownModel, refusal, within_success
from chassis.logs import REQUEST_ID, request_id
from chassis.rows import Row
from chassis.settings import read
from chassis.upstream import Reply, Unusable, Upstream
from llm.engines import Engine
from llm.providers import UPSTREAMS
from llm.relay import relayed
from llm.settings import RelayOptions
from llm.wire import Asked, ChatRequest

MAX_ANSWER_BYTES = 32 * 2**20
MAX_REFUSAL_BYTES = 64 * 2**10
SETS_ITS_OWN = re.compile(r"(?:.*/)?(?:o\d|gpt-5)", re.IGNORECASE)
"""OpenAI's models that reason refuse `max_tokens`, and any `temperature` but their own."""

log = logging.getLogger("talkbox.llm")


class Completion(Struct):
    """As much of an answer as shows that it is one."""

    choices: list[Raw]


class OpenAI(Engine):
    first_byte_seconds = 1.0

    def __init__(self, row: Row, options: RelayOptions) -> None:
        """Raises:
        EngineUnavailable: The address or the key cannot be sent.
        """
        self.row, self.options = row, options
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",  # what is passed on untouched must be readable
            "user-agent": "talkbox",
        }
        if row.api_key:
            headers["authorization"] = f"Bearer {row.api_key}"
        url = f"{row.base_url}/chat/completions"
        try:
            self.upstream = Upstream(url, headers, connect_seconds=options.connect_seconds, proxy=row.proxy)
        except Unusable as exc:
            raise EngineUnavailable(f"Check {row.prefix}BASE_URL, _API_KEY and _PROXY: {exc}.") from exc

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        return cls(UPSTREAMS.row(name), read(RelayOptions))

    async def aclose(self) -> None:
        await self.upstream.aclose()

    @property
    def models(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*((self.row.model,) if self.row.model else ()), *self.row.models)))

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        streamed = bool(asked.wanted.stream)
        model = self._model(asked)
        reply = await self.upstream.post(
            body_for(asked, model, self.options),
            {REQUEST_ID: request_id.get() or "-", "accept": "text/event-stream" if streamed else "application/json"},
            silence_seconds=self.options.silence_seconds if streamed else None,
        )
        try:
            if reply.status != 200:
                raise await self._refusal(reply, asked, model)
            if not streamed:
                yield await self._whole(reply)
                return
            if reply.media_type in ("text/html", "application/json"):
                raise await self._not_streamed(reply)
            async for events in relayed(reply, self._judge, reply.ended):
                yield events
        finally:
            await reply.aclose()

    def _model(self, asked: Asked) -> str:
        """Raises:
        NotFound: The operator listed models, and this is none of them.
        """
        if asked.model:
            if self.row.models and asked.model not in self.models:
                listed = ", ".join(f"{self.row.name}/{model}" for model in self.models)
                raise NotFound(
                    f"No model {asked.model!r} here. There are: {listed}.", param="model", code="model_not_found"
                )
            return asked.model
        named = asked.wanted.model
        return named if named in self.row.models else self.row.model or named

    async def _whole(self, reply: Reply) -> bytes:
        """A whole answer, untouched, once it is sure to be one."""
        body = await reply.read(MAX_ANSWER_BYTES)
        try:
            msgspec.json.decode(body, type=Completion)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise self._no_answer(body, reply) from exc
        if b'"error"' in body and (complaint := _error_within(body)) is not None:
            raise self._judge(complaint)
        return body

    async def _not_streamed(self, reply: Reply) -> ApiError:
        return self._no_answer(await reply.read(MAX_ANSWER_BYTES), reply)

    def _no_answer(self, body: bytes, reply: Reply) -> ApiError:
        """A 200 that holds something else."""
        complaint = Complaint.of(body)
        if complaint is not None and (complaint.message or complaint.words):
            return self._judge(complaint)
        kind = reply.media_type or "something"
        return EngineFailed(f"answered {kind} that is not what was asked for. {self._hint}")

    async def _refusal(self, reply: Reply, asked: Asked, model: str) -> ApiError:
        try:
            body = await reply.read(MAX_REFUSAL_BYTES)
        except EngineFailed:
            body = b""  # the status says enough
        complaint = Complaint.of(body)
        if reply.status == 404 and complaint is not None and complaint.explicit:
            return self._unknown_model(asked, model)
        return refusal(reply.status, body, retry_after=reply.retry_after, secret=self.row.api_key, hint=self._hint)

    def _unknown_model(self, asked: Asked, model: str) -> ApiError:
        message = f"{self.row.name} has no model {model!r}."
        log.warning("%s Set %sMODEL to one it has.", message, self.row.prefix)
        if asked.model:
            return NotFound(message, param="model", code="model_not_found")
        if self.row.model:
            return EngineFailed(f"has no model {model!r}. {self._hint}", rest_seconds=MISCONFIGURED_REST_SECONDS)
        return UnknownModel(f"{message} The operator can set {self.row.prefix}MODEL.", param="model")

    def _judge(self, complaint: Complaint) -> ApiError:
        return within_success(complaint, secret=self.row.api_key, hint=self._hint)

    @property
    def _hint(self) -> str:
        return f"Check {self.row.prefix}BASE_URL, _API_KEY and _MODEL."


def body_for(asked: Asked, model: str, options: RelayOptions) -> bytes:
    """The body as it came, with this model and the operator's defaults; every other value byte for byte."""
    wanted = asked.wanted
    changes: dict[str, Any] = {} if model == wanted.model else {"model": model}
    if SETS_ITS_OWN.match(model) is None:
        changes |= _defaults(wanted, options)
    if not changes:
        return asked.body
    fields: dict[str, Any] = msgspec.json.decode(asked.body, type=dict[str, Raw])
    return msgspec.json.encode(fields | changes)


def _defaults(wanted: ChatRequest, options: RelayOptions) -> dict[str, Any]:
    defaults: dict[str, Any] = {}
    if wanted.token_limit is None and options.max_tokens != "off":
        defaults["max_tokens"] = options.max_tokens
    if wanted.temperature is None and options.temperature != "off":
        defaults["temperature"] = options.temperature
    return defaults


def _error_within(body: bytes) -> Complaint | None:
    value = msgspec.json.decode(body)
    return Complaint.within(value) if isinstance(value, dict) and value.get("error") else None
