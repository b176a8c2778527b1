"""Any upstream that speaks OpenAI's dialect: a row of settings, not code.

`LLM_MOONSHOT_API_KEY` is the key of the row `moonshot`; `MOONSHOT_API_KEY` is too, and is shared with the other
services. Where nothing is to be changed, the request goes on as the bytes it came as, and so does the answer.
"""

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

import msgspec
from msgspec import Raw, Struct

from chassis.chain import FIRST_REST_SECONDS, Report
from chassis.errors import (
    ApiError,
    EngineBusy,
    EngineFailed,
    EngineUnavailable,
    EngineUnpaid,
    NotFound,
    TooBusy,
)
from chassis.failures import MISCONFIGURED_REST_SECONDS, Complaint, UnknownModel, refusal, within_success
from chassis.limits import Admission
from chassis.logs import REQUEST_ID, request_id
from chassis.rings import KeyRing
from chassis.rows import Row
from chassis.settings import read
from chassis.streams import close
from chassis.upstream import Reply, Unusable, Upstream
from llm.asking import body_for, fields_of, heard
from llm.conversation import estimated
from llm.encode import NoAnswer, unrolled
from llm.engines import Engine
from llm.listed import MAX_BYTES as MAX_LIST_BYTES
from llm.listed import Listed
from llm.providers import THINKS_UNTOLD, UPSTREAMS
from llm.relay import relayed
from llm.settings import LimitOptions, RelayOptions
from llm.strain import Strainer
from llm.usage import shown, with_usage
from llm.wire import Asked

if TYPE_CHECKING:
    from llm.budgets import Rate

MAX_ANSWER_BYTES = 32 * 2**20
MAX_REFUSAL_BYTES = 64 * 2**10
PATIENCE_SECONDS = 0.5
"""How long a caller waits for a place at an upstream before the next engine is asked."""

log = logging.getLogger("talkbox.llm")


class Completion(Struct):
    """As much of an answer as shows that it is one."""

    choices: list[Raw]


class OpenAI(Engine):
    first_byte_seconds = 1.0

    def __init__(self, row: Row, options: RelayOptions, limits: LimitOptions | None = None) -> None:
        """Raises:
        EngineUnavailable: The address or a key cannot be sent.
        SettingError: Fields to add, or a rate, cannot be understood.
        """
        self.row, self.options = row, options
        self.mind = UPSTREAMS.provider(row.name)
        self.provider = row.name
        """By whose habits it is asked."""
        fields_of(options.extra or "{}")
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",  # what is passed on untouched must be readable
            "user-agent": "talkbox",
        }
        url = f"{row.base_url}/chat/completions"
        try:
            for key in row.api_keys:
                Upstream.check({"authorization": f"Bearer {key}"})
            self.upstream = Upstream(url, headers, connect_seconds=options.connect_seconds, proxy=row.proxy)
        except Unusable as exc:
            raise EngineUnavailable(f"Check {row.prefix}BASE_URL, _API_KEY and _PROXY: {exc}.") from exc
        self._ring = KeyRing(row.api_keys)
        self._listed = Listed(self._list)
        self._thinks: dict[str, bool] = {}
        """Whether a model's answers begin inside a thought, as far as was seen."""
        self._cannot_unthink: set[str] = set()
        self._places, self._rate = _limits(limits or LimitOptions(), row.prefix)

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        prefix = UPSTREAMS.prefix(name)
        return cls(UPSTREAMS.row(name), read(RelayOptions, own=prefix), read(LimitOptions, prefix=prefix))

    def become(self, provider: str) -> None:
        """Be asked by the habits of `provider`, whatever the row is called."""
        self.provider, self.mind = provider, UPSTREAMS.provider(provider)

    async def aclose(self) -> None:
        await self._listed.aclose()
        await self.upstream.aclose()

    @property
    def models(self) -> tuple[str, ...]:
        """What the operator listed; else what the upstream says it has, beside the operator's one."""
        reported = () if self.row.models else self._listed.names()
        return tuple(dict.fromkeys((*((self.row.model,) if self.row.model else ()), *self.row.models, *reported)))

    async def _list(self) -> bytes:
        key = self._ring.take()
        path = self.upstream.url.path.removesuffix("/chat/completions") + "/models"
        reply = await self.upstream.get(path, {"authorization": f"Bearer {key}"} if key else {}, silence_seconds=5.0)
        try:
            if reply.status != 200:
                raise EngineFailed(f"answered {reply.status}")
            return await reply.read(MAX_LIST_BYTES)
        finally:
            await reply.aclose()

    @property
    def detail(self) -> str | None:
        """For /readyz."""
        resting = self._ring.resting
        return f"{resting} of {len(self._ring.keys)} keys rest" if resting else None

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        streamed = bool(asked.wanted.stream)
        model = self._model(asked)
        async with self._place():
            reply = await self._begun(asked, model, streamed=streamed)
            try:
                if not streamed:
                    yield await self._whole(reply, asked, model)
                    return
                if reply.media_type in ("text/html", "application/json"):
                    yield await self._unstreamed(reply, asked, model)
                    return
                events = relayed(reply, self._judge, reply.ended, asked.tally)
                strainer = self._strainer(asked, model)
                pieces = events if strainer.idle else strainer.events(events)
                if _tells_usage(asked):
                    pieces = with_usage(pieces, asked.tally, lambda: estimated(asked.wanted.messages))
                try:
                    async for piece in pieces:
                        yield piece
                finally:
                    await close(pieces)
                self._learn(strainer, model)
            finally:
                await reply.aclose()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Raises:
        TooBusy: It is asked as much as it may be.
        """
        if self._rate is not None and (spent := await self._rate.take(self.row.name)):
            raise TooBusy(f"{self.row.name} has been asked as often as it may be.", retry_after=spent.seconds)
        if self._places is None:
            yield
            return
        since = await self._places.enter()
        try:
            yield
        finally:
            self._places.leave(since)

    async def _begun(self, asked: Asked, model: str, *, streamed: bool) -> Reply:
        """An answer that has begun, with a key that is accepted.

        Asked again is only what was refused: with the next key, or without what the caller did not ask for.
        """
        accept = "text/event-stream" if streamed else "application/json"
        headers = {REQUEST_ID: request_id.get() or "-", "accept": accept}
        silence = self.options.silence_seconds if streamed else None
        think = model in self._cannot_unthink
        tried: frozenset[str] = frozenset()
        key = self._ring.take()
        while True:
            body = body_for(asked, model, self.options, self.mind, self.provider, think=think)
            own = {"authorization": f"Bearer {key}"} if key else {}
            reply = await self.upstream.post(body, headers | own, silence_seconds=silence)
            if reply.status == 200:
                if think:
                    self._cannot_unthink.add(model)
                return reply
            try:
                failure = await self._refusal(reply, asked, model, key or "")
            finally:
                await reply.aclose()
            untouched = body_for(asked, model, self.options, self.mind, self.provider, think=True)
            if reply.status in (400, 422) and not think and untouched != body:
                think = True
                continue
            if not isinstance(failure, EngineFailed) or not _concerns_key(failure) or len(self._ring.keys) == 1:
                raise failure
            self._ring.rest(key or "", failure.rest_seconds or FIRST_REST_SECONDS)
            tried |= {key or ""}
            key = self._ring.take(tried)
            if key is None:
                failure.rest_seconds = self._ring.seconds
                raise failure

    def _strainer(self, asked: Asked, model: str) -> Strainer:
        wish = heard(asked.wanted, self.options)
        thoughts = wish != "show"
        named = THINKS_UNTOLD.match(model) is not None
        return Strainer(
            thoughts=thoughts,
            reasoning=wish in ("hide", "off"),
            markdown=self.options.for_the_ear and asked.wanted.is_prose,
            begun=thoughts and self._thinks.get(model, named),
        )

    def _learn(self, strainer: Strainer, model: str) -> None:
        """Whether the next answer of this model is to be taken for one that begins inside a thought."""
        if strainer.unopened:
            self._thinks[model] = True
        elif strainer.begun and strainer.guessed_wrong:
            self._thinks[model] = False

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

    async def _whole(self, reply: Reply, asked: Asked, model: str) -> bytes:
        """A whole answer, once it is sure to be one."""
        body = await reply.read(MAX_ANSWER_BYTES)
        try:
            msgspec.json.decode(body, type=Completion)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise self._no_answer(body, reply) from exc
        if b'"error"' in body and (complaint := _error_within(body)) is not None:
            raise self._judge(complaint)
        asked.tally.whole(body)
        strainer = self._strainer(asked, model)
        return body if strainer.idle else strainer.whole(body)

    async def _unstreamed(self, reply: Reply, asked: Asked, model: str) -> bytes:
        """Some answer whole although a stream was asked for."""
        body = await self._whole(reply, asked, model)
        try:
            return unrolled(body, _estimate(asked) if _tells_usage(asked) else None)
        except NoAnswer as exc:
            raise self._no_answer(body, reply) from exc

    def _no_answer(self, body: bytes, reply: Reply) -> ApiError:
        """A 200 that holds something else."""
        complaint = Complaint.of(body)
        if complaint is not None and (complaint.message or complaint.words):
            return self._judge(complaint)
        kind = reply.media_type or "something"
        return EngineFailed(f"answered {kind} that is not what was asked for. {self._hint}")

    async def _refusal(self, reply: Reply, asked: Asked, model: str, key: str) -> ApiError:
        try:
            body = await reply.read(MAX_REFUSAL_BYTES)
        except EngineFailed:
            body = b""  # the status says enough
        complaint = Complaint.of(body)
        if reply.status == 404 and complaint is not None and complaint.explicit:
            return self._unknown_model(asked, model)
        return refusal(reply.status, body, retry_after=reply.retry_after, secret=key, hint=self._hint)

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


def _tells_usage(asked: Asked) -> bool:
    """Whether the caller wants to be told at the end of a stream."""
    options = asked.wanted.stream_options
    return options is not None and bool(options.include_usage)


def _estimate(asked: Asked) -> Callable[[], dict[str, Any]]:
    return lambda: shown(asked.tally.counts(lambda: estimated(asked.wanted.messages)), estimated=True)


def _concerns_key(failure: EngineFailed) -> bool:
    return isinstance(failure, EngineBusy | EngineUnpaid) or failure.body["code"] == "upstream_auth"


def _limits(options: LimitOptions, prefix: str) -> "tuple[Admission | None, Rate | None]":
    places = None
    if options.concurrent is not None:
        places = Admission(options.concurrent, options.concurrent, PATIENCE_SECONDS)
    if not options.rate:
        return places, None
    from llm.budgets import Rate  # its library is large, and few want it

    return places, Rate(options.rate, f"{prefix}RATE")


def _error_within(body: bytes) -> Complaint | None:
    value = msgspec.json.decode(body)
    return Complaint.within(value) if isinstance(value, dict) and value.get("error") else None
