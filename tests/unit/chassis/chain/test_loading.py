from typing import Self

import pytest

from chassis.chain.loading import from_settings, seats
from chassis.chain.seat import Report
from chassis.misspelt import Misspelt
from chassis.settings import SettingError, read
from unit.chassis.fakes import EchoSettings

ONE = "unit.chassis.chain.test_loading:One"
ENGINES = {"one": ONE, "missing": "no.such.module:Engine"}


class One:
    first_byte_seconds = 0.1

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def load(cls, name: str, report: Report) -> Self:
        report("almost there", 0.9)
        return cls(name)

    async def aclose(self) -> None:
        pass


class Upstreams:
    providers = ("moonshot",)

    def exists(self, name: str) -> bool:
        return name in ("moonshot", "mine")

    def misspelt(self, name: str) -> list[Misspelt]:
        return [Misspelt("ECHO_MINE_APIKEY", "ECHO_MINE_API_KEY")] if name == "mine" else []

    def prefix(self, name: str) -> str:
        return f"ECHO_{name.upper()}_"


async def test_engines_are_loaded_by_name_in_order_and_only_then_imported() -> None:
    one, missing = seats(("one", "missing"), ENGINES, ONE)

    await one.keep_loading()

    assert (one.name, missing.name) == ("one", "missing")
    assert one.engine is not None
    assert one.engine.name == "one"
    assert missing.state.state == "loading"


async def test_a_name_not_in_the_table_is_a_row_where_it_is_known_or_described() -> None:
    chain = from_settings(EchoSettings(engines=("moonshot", "mine")), {}, ONE, Upstreams())

    for seat in chain.seats:
        await seat.keep_loading()

    assert [engine.name for _, engine in chain.ready_engines()] == ["moonshot", "mine"]


def test_folotoys_type_is_asked_first_unless_it_is_in_the_chain_or_means_talkbox_itself() -> None:
    def chain(**values: str | tuple[str, ...]) -> list[str]:
        made = from_settings(EchoSettings(**values), ENGINES | {"also-one": ONE}, ONE, Upstreams())  # type: ignore[arg-type]
        return [seat.name for seat in made.seats]

    assert chain(engines=("one",), type="moonshot") == ["moonshot", "one"]
    assert chain(engines=("one", "moonshot"), type="moonshot") == ["one", "moonshot"]
    assert chain(engines=("one",), type="also-one") == ["one"]
    assert chain(engines=("one",), type="openai-tts") == ["one"]


def test_the_budgets_of_the_settings_are_those_of_the_chain() -> None:
    settings = EchoSettings(engines=("one",), first_byte_seconds=2, last_engine_seconds=9, hedge_seconds=0.5)
    chain = from_settings(settings, ENGINES, ONE, Upstreams())

    assert chain.budget == (2, 9, 0.5)
    assert (chain.admission.concurrent, chain.admission.patience_seconds) == (settings.max_concurrent, 1)


async def test_one_wrong_name_is_unavailable_with_the_reason_and_the_others_serve() -> None:
    chain = from_settings(EchoSettings(engines=("two", "one")), ENGINES, ONE, Upstreams())
    for seat in chain.seats:
        await seat.keep_loading()

    wrong, right = chain.seats
    assert (wrong.name, wrong.state.state, right.state.state) == ("two", "unavailable", "ready")
    assert wrong.state.detail == (
        "ECHO_ENGINES: no engine 'two'. There are: missing, moonshot, one; or set ECHO_TWO_BASE_URL."
    )
    assert wrong.state.seconds is None


def test_capitals_and_underscores_make_no_other_engine_and_twice_is_once() -> None:
    names = ("One", "MoonShot", "moonshot", "o-n_e", "mine")
    chain = from_settings(EchoSettings(engines=names), ENGINES, ONE, Upstreams())

    assert [seat.name for seat in chain.seats] == ["one", "moonshot", "mine"]


@pytest.mark.parametrize("names", [(), ("two",)])
def test_an_unknown_name_or_none_is_refused_with_the_variable_and_those_there_are(names: tuple[str, ...]) -> None:
    with pytest.raises(SettingError, match=r"^ECHO_ENGINES.* missing, moonshot, one"):
        from_settings(EchoSettings(engines=names), ENGINES, ONE, Upstreams())


@pytest.mark.parametrize(
    "text", ["one,mine", "one, mine,", "one，mine", "one、mine", "one mine", "'one', 'mine'", "One;mine,one,"]
)
async def test_a_chain_is_read_however_it_is_written(text: str) -> None:
    settings = read(EchoSettings, {"ECHO_ENGINES": text})

    assert [seat.name for seat in from_settings(settings, ENGINES, ONE, Upstreams()).seats] == ["one", "mine"]


async def test_a_misspelt_variable_is_told_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    from_settings(EchoSettings(engines=("one", "mine")), ENGINES, ONE, Upstreams())

    assert "ECHO_MINE_APIKEY is set, and nothing reads it: it is called ECHO_MINE_API_KEY." in caplog.text


async def test_who_is_almost_named_is_named() -> None:
    with pytest.raises(SettingError, match="Did you mean 'moonshot'"):
        from_settings(EchoSettings(engines=("moonshoot",)), ENGINES, ONE, Upstreams())
