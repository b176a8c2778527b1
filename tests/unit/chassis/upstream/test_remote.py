import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from chassis.errors import ApiError, BadRequest, Declined, EngineFailed, EngineTimeout, EngineUnavailable, NotFound
from chassis.upstream.question import NamedBy, Question
from chassis.upstream.refusals.complaints import Complaint
from chassis.upstream.refusals.meaning import UnknownModel
from chassis.upstream.remote import Remote
from chassis.upstream.settings import Row
from imitations.upstream import MANNERS, Manner, Upstream

PATH = "/chat/completions"
PLAIN, FULL = b'{"model": "m"}', b'{"model": "m", "thinking": "off"}'


@asynccontextmanager
async def remote(upstream: Upstream, *keys: str) -> AsyncIterator[Remote]:
    key, *more = keys or ("",)
    row = Row("up", upstream.base_url, key, prefix="LLM_UP_", more_keys=tuple(more))
    made = Remote(row, PATH, {"content-type": "application/json"}, connect_seconds=1.0)
    try:
        yield made
    finally:
        await made.aclose()


@dataclass(frozen=True, kw_only=True)
class Thought(Question):
    model: str = "m"
    named_by: NamedBy = "pick"
    stream: bool = False
    plain: bool = False

    @property
    def extras(self) -> frozenset[str]:
        return frozenset(() if self.plain else {"thinking"})

    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        if self.stream:
            return {}, b'{"model": "m", "stream": true}'
        return {}, PLAIN if "thinking" in without else FULL


async def asked(made: Remote, question: Question | None = None) -> bytes:
    reply = await made.ask(question or Thought())
    try:
        return await reply.read(10**6)
    finally:
        await reply.aclose()


def shown(upstream: Upstream) -> list[str | None]:
    return [seen.headers.get("authorization") for seen in upstream.seen]


async def test_keys_are_shown_in_turn_and_each_request_has_its_id() -> None:
    async with Upstream() as upstream, remote(upstream, "a", "b") as made:
        for _ in range(3):
            await asked(made)

    assert shown(upstream) == ["Bearer a", "Bearer b", "Bearer a"]
    assert all(seen.headers["x-request-id"] == "-" for seen in upstream.seen)


async def test_without_a_key_none_is_shown() -> None:
    async with Upstream() as upstream, remote(upstream) as made:
        await asked(made)
        assert made.detail is None

    assert shown(upstream) == [None]


@pytest.mark.parametrize("refused", ["401", "402", "429"])
async def test_a_refused_key_rests_and_the_next_is_shown(refused: str) -> None:
    async with Upstream(keys={"Bearer a": refused}) as upstream, remote(upstream, "a", "b") as made:
        for _ in range(2):
            await asked(made)
        assert made.detail == "1 of 2 keys rest"

    assert shown(upstream) == ["Bearer a", "Bearer b", "Bearer b"]


async def test_a_failure_that_no_key_helps_against_is_no_reason_to_try_all() -> None:
    async with Upstream(MANNERS["500"]) as upstream, remote(upstream, "a", "b") as made:
        with pytest.raises(EngineFailed):
            await asked(made)

    assert shown(upstream) == ["Bearer a"]


async def test_what_it_does_not_understand_is_asked_plainly_from_then_on() -> None:
    async with Upstream(refuses=b"thinking") as upstream, remote(upstream) as made:
        await asked(made)
        await asked(made)

    assert [seen.body for seen in upstream.seen] == [FULL, PLAIN, PLAIN]


async def test_what_cannot_be_asked_more_plainly_is_refused_at_once() -> None:
    async with Upstream(refuses=b"thinking") as upstream, remote(upstream) as made:
        with pytest.raises(BadRequest):
            await asked(made, Thought(plain=True))

    assert len(upstream.seen) == 1


async def test_a_model_it_has_not_is_told_of() -> None:
    async with Upstream(MANNERS["404"]) as upstream, remote(upstream) as made:
        with pytest.raises(NotFound, match="up has no model 'm'"):
            await asked(made)

        with pytest.raises(EngineFailed, match="LLM_UP_BASE_URL"):
            await asked(made, Thought(named_by="row"))
        with pytest.raises(UnknownModel, match="LLM_UP_MODEL"):
            await asked(made, Thought(named_by="request"))


def error(**more: str) -> Complaint:
    complaint = Complaint.of(json.dumps({"error": more}).encode())
    assert complaint is not None
    return complaint


async def test_of_what_was_made_here_only_moderation_is_the_callers_matter() -> None:
    async with Upstream(MANNERS["400"]) as upstream, remote(upstream) as made:
        with pytest.raises(Declined):
            await asked(made, Thought(plain=True))
        blocked: ApiError = made.meant(error(message="no", code="content_filter"))

    assert isinstance(blocked, BadRequest)
    assert blocked.body["code"] == "content_filter"


async def test_no_key_is_ever_told_whichever_was_shown() -> None:
    async with Upstream() as upstream, remote(upstream, "plain-one", "plain-two") as made:
        told = str(made.meant(error(message="plain-one and plain-two are no keys")))

    assert told.endswith("*** and *** are no keys")


async def test_silences_have_their_bounds() -> None:
    async with Upstream(MANNERS["silent"]) as upstream, remote(upstream) as made:
        with pytest.raises(EngineTimeout, match=r"was silent for 0\.05 s"):
            await made.ask(Thought(begin_seconds=0.05))

    async with Upstream(Manner(stall_after=1)) as upstream, remote(upstream) as made:
        reply = await made.ask(Thought(stream=True))
        pieces = reply.in_time(5.0, 0.05)
        assert await anext(pieces)
        with pytest.raises(EngineTimeout, match=r"was silent for 0\.05 s"):
            await anext(pieces)
        await reply.aclose()


@pytest.mark.parametrize("bad", [{"base_url": "nonsense"}, {"api_key": "schlüssel"}, {"proxy": "socks5://x"}])
def test_what_cannot_be_sent_is_told_of_at_once(bad: dict[str, str]) -> None:
    row = Row(**{"name": "up", "base_url": "http://127.0.0.1:9/v1", "prefix": "LLM_UP_", **bad})  # type: ignore[arg-type]
    with pytest.raises(EngineUnavailable, match="LLM_UP_BASE_URL, _API_KEY and _PROXY"):
        Remote(row, PATH, {}, connect_seconds=1.0)
