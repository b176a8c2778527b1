import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest
from prometheus_client import REGISTRY

from chassis.errors import ApiError, EngineFailed
from chassis.upstream.model_names import MOST_LISTED, SOON, ModelNames, listed_in
from chassis.upstream.question import Question
from chassis.upstream.remote import Remote
from chassis.upstream.settings import Row
from chassis.upstream.successors import CHECKED, ENDINGS, HOSTS
from imitations.upstream import Upstream
from llm.request.providers import PROVIDERS as MINDS
from stt.engines.openai.providers import PROVIDERS as EARS
from tts.engines.openai.providers import PROVIDERS as MOUTHS

OPENAI = "https://api.openai.com/v1"
CHANGELOG = Path(__file__).parents[4] / "CHANGELOG.md"
MOONSHOT = ("kimi-k3", "kimi-k3.1-pro")


def names(base_url: str = OPENAI, *, on: str, preferred: tuple[str, ...] = ()) -> ModelNames:
    return ModelNames("up", base_url, preferred, lambda: date.fromisoformat(on))


def test_a_name_that_ended_gives_way_to_its_successor_on_the_day_it_ends_and_not_before() -> None:
    assert names(on="2026-10-22").current("gpt-3.5-turbo") == "gpt-3.5-turbo"
    assert names(on="2026-10-23").current("gpt-3.5-turbo") == "gpt-6-luna"
    assert names("https://api.deepseek.com/v1", on="2026-11-28").current("deepseek-chat") == "deepseek-flash"


def test_google_takes_its_names_with_and_without_models() -> None:
    google = names("https://generativelanguage.googleapis.com/v1beta/openai", on="2026-12-01")

    assert google.current("models/gemini-2.5-flash") == google.current("gemini-2.5-flash") == "gemini-3.5-flash-lite"


@pytest.mark.parametrize(
    ("base_url", "name", "last", "successor"),
    [
        (OPENAI, "gpt-5.1", "2027-03-31", "gpt-6.1-sol"),
        (OPENAI, "gpt-5.4-nano", "2027-03-31", "gpt-6-luna"),
        (OPENAI, "gpt-5.2-chat-latest", "2026-08-09", "gpt-5.5"),
        ("https://api.anthropic.com/v1", "claude-sonnet-4-5", "2026-11-29", "claude-sonnet-5-5"),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-2.5-pro", "2026-11-30", "gemini-3.8-flash"),
        ("https://api.x.ai/v1", "grok-3", "2026-05-14", "grok-4.3"),
    ],
)
def test_names_live_until_the_day_that_their_vendor_announced(
    base_url: str, name: str, last: str, successor: str
) -> None:
    after = date.fromisoformat(last) + timedelta(days=1)

    assert names(base_url, on=last).current(name) == name
    assert names(base_url, on=after.isoformat()).current(name) == successor


def test_a_name_that_is_not_ended_has_no_successor() -> None:
    google = names("https://generativelanguage.googleapis.com/v1beta/openai", on="2027-01-01")

    assert google.current("gemini-2.5-flash-lite") == "gemini-2.5-flash-lite"


@pytest.mark.parametrize("base_url", ["http://localhost:8080/v1", "https://reseller.example/v1", "nonsense"])
def test_a_date_is_believed_only_where_the_vendor_itself_answers(base_url: str) -> None:
    assert names(base_url, on="2030-01-01").current("gpt-3.5-turbo") == "gpt-3.5-turbo"


def test_after_a_refusal_the_successor_is_tried_wherever_it_was_and_then_what_is_preferred() -> None:
    elsewhere = names("https://reseller.example/v1", on="2026-11-28", preferred=("kimi-k3.1-pro", "kimi-k3"))

    assert elsewhere.alternatives("moonshot-v1-8k") == ["kimi-k3", "kimi-k3.1-pro"]
    assert elsewhere.alternatives("kimi-k3.1-pro") == ["kimi-k3"]
    assert elsewhere.alternatives("a-slip-of-the-pen") == []

    elsewhere.move("moonshot-v1-8k", "kimi-k3")
    assert elsewhere.current("moonshot-v1-8k") == "kimi-k3"
    assert "moonshot-v1-8k is gone and kimi-k3 is asked instead" in str(elsewhere.notice)


def test_of_what_is_preferred_only_what_the_keys_own_list_names_is_worth_a_try() -> None:
    made = names(on="2026-11-28", preferred=("a", "b", "c"))
    made.learn({"c": None, "models/b": None})

    assert made.alternatives("a") == ["b", "c"]


def test_what_ends_within_sixty_days_is_named_in_the_status_and_by_a_metric() -> None:
    made = names(on="2026-11-28")
    assert made.notice is None
    for model in ("gpt-4o-mini", "tts-1", "whisper-1", "gpt-6-luna"):
        assert made.current(model) == model

    notice = "gpt-4o-mini ends on 2027-01-14 and gpt-6-luna follows; tts-1 ends on 2027-01-06 without a successor"
    assert made.notice == notice
    moment = REGISTRY.get_sample_value("talkbox_model_end_timestamp_seconds", {"engine": "up", "model": "tts-1"})
    assert moment is not None
    assert date.fromtimestamp(moment + 43200) == date(2027, 1, 6)
    distant = {"engine": "up", "model": "whisper-1"}  # 90 days away
    assert REGISTRY.get_sample_value("talkbox_model_end_timestamp_seconds", distant) is None


def test_the_vendors_own_list_knows_dates_that_the_table_does_not() -> None:
    made = names(on="2026-11-28")
    made.learn(listed_in(b'{"data":[{"id":"new","shutdown_date":"2026-12-24"},{"id":"b","shutdown_date":"soon"}]}'))

    assert (made.current("new"), made.current("b")) == ("new", "b")
    assert made.notice == "new ends on 2026-12-24 without a successor"


def test_a_list_is_bounded_and_must_be_one() -> None:
    many = b",".join(b'{"id":"m%d"}' % number for number in range(MOST_LISTED + 5))
    assert len(listed_in(b'{"data":[%s]}' % many)) == MOST_LISTED
    odd = b'{"data":[{"id":"a"},{"id":"a"},{"id":""},{"id":"%s"},{"id":"x\\n"}]}' % (b"y" * 201)
    assert listed_in(odd) == {"a": None}
    for other in (b"<html>", b'{"data":5}', b"[]"):
        with pytest.raises(ValueError):  # noqa: PT011  (whatever it is that is wrong)
            listed_in(other)


def defaults() -> Iterator[tuple[str, str]]:
    for table in (MINDS, EARS, MOUTHS):
        for name, provider in table.items():
            for model in filter(None, (provider.model, *provider.preferred[:1])):
                yield name, model


def released() -> date:
    """Return the day of the newest release, or the day on which the vendors' pages were last read."""
    days = re.findall(r"^## \[\d[^]]*\] - (\d{4}-\d\d-\d\d)$", CHANGELOG.read_text(), re.MULTILINE)
    return max([CHECKED, *map(date.fromisoformat, days)])


@pytest.mark.parametrize(("name", "model"), list(defaults()))
def test_no_default_ends_within_sixty_days_of_the_release_where_there_is_a_successor(name: str, model: str) -> None:
    ending = ENDINGS.get(model)

    assert ending is None or ending.successor is None or ending.day > released() + SOON


def test_only_the_voices_of_openai_end_without_a_successor() -> None:
    assert {model for _, model in defaults() if model in ENDINGS and ENDINGS[model].successor is None} == {"tts-1"}


def test_every_line_of_successors_ends_with_a_name_that_lives() -> None:
    for ending in ENDINGS.values():
        assert ending.vendor in HOSTS
        after = names(f"https://{HOSTS[ending.vendor][0]}/v1", on="2028-01-01").current(ending.name)
        assert (after not in ENDINGS) or ENDINGS[after].successor is None
        assert ending.source.startswith("https://")
        assert ending.day - CHECKED < timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class Ask(Question):
    def body(self, without: frozenset[str]) -> tuple[dict[str, str], bytes]:
        return {}, msgspec.json.encode({"model": self.model})


async def asked(upstream: Upstream, *models: str, preferred: tuple[str, ...] = ()) -> tuple[list[str], str | None]:
    """Ask for each of `models`; return what the server was asked for, and the row's detail."""
    row = Row("up", upstream.base_url, "k", prefix="LLM_UP_", preferred=preferred)
    remote = Remote(row, "/chat/completions", {"content-type": "application/json"}, connect_seconds=1.0)
    try:
        for model in models:
            reply = await remote.ask(Ask(model=model))
            await reply.aclose()
        return [seen.json["model"] for seen in upstream.seen], remote.detail
    finally:
        await remote.aclose()


async def test_a_retired_model_is_asked_for_once_and_its_successor_from_then_on() -> None:
    async with Upstream(serves=("deepseek-flash",)) as upstream:
        seen, detail = await asked(upstream, *["deepseek-chat"] * 3)

    assert seen == ["deepseek-chat", *["deepseek-flash"] * 3]
    assert detail == "deepseek-chat is gone and deepseek-flash is asked instead"


def test_what_a_row_is_set_to_is_named_before_anybody_asks() -> None:
    row = Row("up", OPENAI, "k", "tts-1", ("tts-1", "o4-mini"))
    remote = Remote(row, "/audio/speech", {}, connect_seconds=1.0)

    assert remote.detail is not None
    assert "tts-1 end" in remote.detail
    assert "o4-mini ended on 2026-10-23 and gpt-5.6-terra follows" in remote.detail


async def test_the_first_preferred_model_that_the_keys_list_names_is_asked() -> None:
    async with Upstream(serves=("c",), models=("c", "x")) as upstream:
        seen, _ = await asked(upstream, "a", "a", preferred=("a", "b", "c"))
    assert seen == ["a", "c", "c"]
    assert upstream.listed == 1

    async with Upstream(serves=("c",)) as untold:
        seen, _ = await asked(untold, "a", preferred=("a", "b", "c"))
    assert seen == ["a", "b", "c"]


async def test_a_name_nobody_knows_is_not_replaced_and_one_without_a_living_successor_is_refused() -> None:
    async with Upstream(serves=()) as upstream:
        for model in ("my-own", "gpt-3.5-turbo"):
            with pytest.raises(EngineFailed, match=model):
                await asked(upstream, model)
    assert [seen.json["model"] for seen in upstream.seen] == ["my-own", "gpt-3.5-turbo", "gpt-6-luna"]


async def test_another_refusal_of_the_successor_is_told_as_what_it_is() -> None:
    async with Upstream(serves=("deepseek-flash",), refuses=b"deepseek-flash") as upstream:
        with pytest.raises(ApiError) as caught:
            await asked(upstream, "deepseek-chat")
    assert caught.value.status == 400
