"""Any upstream that speaks OpenAI's dialect: a row of settings, not code.

`LLM_MOONSHOT_API_KEY` is the key of the row `moonshot`; `MOONSHOT_API_KEY` is too, and is shared with the other
services. Where nothing is to be changed, the request goes on as the bytes it came as, and so does the answer.
"""

from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any, Self

from msgspec.structs import replace

from chassis.chain.seat import Report
from chassis.errors import ApiError, Declined, EngineFailed, NotFound
from chassis.settings import value_of
from chassis.upstream.client import Upstream
from chassis.upstream.question import NamedBy
from chassis.upstream.remote import Remote
from chassis.upstream.reply import Reply
from chassis.upstream.settings import Row
from llm.answer.filter import Strainer
from llm.answer.passage import Passage
from llm.answer.relay import Relayed, Wordless
from llm.answer.unwrapped import framing_of, unwrapped
from llm.answer.usage import shown
from llm.answer.whole import NoAnswer, answer_of, is_page, mended
from llm.engines import Engine
from llm.engines.openai.model_list import MAX_BYTES as MAX_LIST_BYTES
from llm.engines.openai.model_list import Listed
from llm.engines.openai.question import Chat
from llm.request.body import heard
from llm.request.messages import estimated
from llm.request.providers import UPSTREAMS, relay_options, unthinking
from llm.request.reasoning import thinks_untold
from llm.settings import RelayOptions, fields_of
from llm.wire import Asked

MAX_ANSWER_BYTES = 32 * 2**20
THOUGHT_TOKENS = 1000
_MODERATING = frozenset({"openai", "azure", "azure-openai"})
"""Providers that know the field `moderation`."""


class OpenAIChat(Engine):
    first_byte_seconds = 1.0

    def __init__(self, row: Row, options: RelayOptions, upstream: Callable[..., Upstream] = Upstream) -> None:
        """Raises:
        EngineUnavailable: The address or a key cannot be sent.
        SettingError: Fields to add, or a rate, cannot be understood.
        """
        self.row, self.options = row, options
        self.mind = UPSTREAMS.provider(row.name)
        self.provider = row.name
        """Provider whose habits decide how it is asked."""
        fields_of(options.extra)
        json = {"content-type": "application/json"}
        self.remote = Remote(row, "/chat/completions", json, connect_seconds=options.connect_seconds, upstream=upstream)
        self._listed = Listed(self._list, self.remote.names.learn)
        self._thinks: dict[str, bool] = {}
        """Models whose answers were seen to begin inside a thought, or not to."""
        self._thinks_long: set[str] = set()
        """Models that were seen to think until their tokens were used up."""

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        row = UPSTREAMS.row(name)
        if not row.limits.requests and (rate := value_of(f"{row.prefix}RATE")):  # as it was called in 0.1.0
            row = replace(row, limits=replace(row.limits, requests=rate))
        return cls(row, relay_options(name))

    def become(self, provider: str) -> None:
        """Be asked by the habits of `provider`, whatever the row is called."""
        self.provider, self.mind = provider, UPSTREAMS.provider(provider)

    async def aclose(self) -> None:
        await self._listed.aclose()
        await self.remote.aclose()

    @property
    def models(self) -> tuple[str, ...]:
        """Return the models that the operator listed; else the operator's one and those that the upstream lists."""
        reported = () if self.row.models else self._listed.names
        return tuple(dict.fromkeys((*((self.row.model,) if self.row.model else ()), *self.row.models, *reported)))

    async def ask_for_models(self) -> None:
        if not self.row.models:
            await self._listed.refresh()

    async def _list(self) -> bytes:
        reply = await self.remote.get("/models", silence_seconds=5.0)
        try:
            if reply.status != 200:
                raise EngineFailed(f"answered {reply.status}")
            return await reply.read(MAX_LIST_BYTES)
        finally:
            await reply.aclose()

    @property
    def sends_to(self) -> str | None:
        """Server that gets what is asked; None: a program of ours."""
        return self.remote.server

    @property
    def detail(self) -> str | None:
        """State of keys, fields and names, for /readyz."""
        return self.remote.detail

    async def chat(self, asked: Asked) -> AsyncIterator[bytes]:
        question = self._question(asked)
        strainer = self._strainer(asked, question.model)
        async with self.remote.allowance.place():
            reply = await self.remote.ask(question)
            try:
                if not asked.wanted.stream:
                    yield await self._whole(reply, question, strainer)
                    return
                async for events in await self._streamed(reply, question, strainer):
                    yield events
                self._learn(strainer, question.model)
            except Wordless as exc:
                if exc.reason == "length":
                    self._thinks_long.add(question.model)
                raise self._wordless(exc.reason, asked) from exc
            finally:
                await reply.aclose()
                if self.row.api_key:
                    self._listed.ask_daily()  # it may name the day on which a model ends

    def _strainer(self, asked: Asked, model: str) -> Strainer:
        wish = heard(asked.wanted, self.options)
        thoughts = wish != "show"
        return Strainer(
            thoughts=thoughts,
            reasoning=wish in ("hide", "off"),
            markdown=self.options.for_the_ear and asked.wanted.is_prose,
            begun=thoughts and self._thinks.get(model, thinks_untold(model)),
            heard=self.options.for_the_ear and asked.wanted.is_prose,
            tools=bool(asked.wanted.tools),
        )

    def _learn(self, strainer: Strainer, model: str) -> None:
        """Note whether answers of this model begin inside a thought."""
        if strainer.unopened:
            self._thinks[model] = True
        elif strainer.begun and strainer.guessed_wrong:
            self._thinks[model] = False

    def _question(self, asked: Asked) -> Chat:
        """Return the question to the upstream.

        Raises:
            Declined: The upstream is not known to moderate, and would ignore that it should.
            NotFound: The operator listed models, and the one picked is none of them.
        """
        if asked.wanted.asks_for_moderation and self.provider not in _MODERATING:
            raise Declined(f"{self.row.name} moderates nothing; leave out 'moderation'.", param="moderation")
        model, named_by = self._model(asked)
        return Chat(
            asked=asked,
            model=model,
            named_by=named_by,
            options=self.options,
            mind=self.mind,
            provider=self.provider,
            prefix=self.row.prefix,
            room=self._room(asked, model),
            silence_seconds=self.options.silence_seconds if asked.wanted.stream else None,
        )

    def _room(self, asked: Asked, model: str) -> int:
        """Return tokens for thoughts where they cannot be switched off: within a toy's 200 nothing would be said."""
        thinks = model in self._thinks_long or _always_thinks(self.provider, model)
        ours = asked.wanted.token_limit is None
        return THOUGHT_TOKENS if thinks and (ours or self.options.for_the_ear) else 0

    def _model(self, asked: Asked) -> tuple[str, NamedBy]:
        if asked.model:
            if self.row.models and asked.model not in self.models:
                listed = ", ".join(f"{self.row.name}/{model}" for model in self.models)
                raise NotFound(
                    f"No model {asked.model!r} here. There are: {listed}.", param="model", code="model_not_found"
                )
            return asked.model, "pick"
        named = asked.wanted.model
        if named in self.row.models or not self.row.model:
            return named or next(iter((*self.row.preferred, *self.models)), ""), "request"
        return self.row.model, "row"

    async def _streamed(self, reply: Reply, question: Chat, strainer: Strainer) -> AsyncIterator[bytes]:
        """Return the events of an answer that has begun, whatever it is labelled as."""
        asked = question.asked
        usage = partial(_estimate, asked) if asked.wanted.wants_usage else None
        passage = Passage(question.model, strainer, partial(self.remote.meant, reply=reply), asked.tally, usage)
        first, rest = await unwrapped(reply)
        if is_page(first):
            raise self.remote.no_answer(first, reply, "completion")
        return Relayed(rest, passage, reply.ended, first)

    async def _whole(self, reply: Reply, question: Chat, strainer: Strainer) -> bytes:
        body = await reply.read(MAX_ANSWER_BYTES)
        if (framing := framing_of(body)) is not None:
            body = framing.add(body)
        answer = self._answer(body, reply, question)
        question.asked.tally.whole(body, answer)
        return mended(body, answer, strainer, question.model)

    def _answer(self, body: bytes, reply: Reply, question: Chat) -> dict[str, Any]:
        try:
            return answer_of(body, partial(self.remote.meant, reply=reply), question.model)
        except NoAnswer as exc:
            raise self.remote.no_answer(body, reply, "completion") from exc

    def _wordless(self, reason: str | None, asked: Asked) -> ApiError:
        """Say why nobody would have heard a word, and what helps."""
        if reason == "content_filter":
            return Declined("The provider's moderation held the answer back.", code="content_filter")
        if reason != "length":
            return EngineFailed("ended its answer without a word")
        limit = asked.wanted.token_limit
        whose = f"max_tokens of the request ({limit})" if limit else f"{self.row.prefix}MAX_TOKENS"
        return EngineFailed(
            f"used up its tokens before it said a word: raise {whose}, or choose a model that thinks less"
        )


def _always_thinks(provider: str, model: str) -> bool:
    """Tell whether the thoughts of a model cannot be switched off."""
    return thinks_untold(model) or unthinking(provider, model).get("reasoning_effort") == "low"


def _estimate(asked: Asked) -> dict[str, Any]:
    return shown(asked.tally.counts(lambda: estimated(asked.wanted.messages)), estimated=True)
