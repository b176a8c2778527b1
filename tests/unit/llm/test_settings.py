from typing import Any

import pytest

from chassis.settings import Options, SettingError, read
from chassis.upstream.allowance import LimitOptions
from llm.settings import OPENING, RelayOptions, Settings


@pytest.mark.parametrize(
    ("kind", "variable", "value"),
    [
        (Settings, "LLM_TURN_SECONDS", "never"),
        (Settings, "LLM_TURN_SECONDS", "0"),
        (Settings, "LLM_KEEP_ALIVE_SECONDS", "0"),
        (Settings, "LLM_MAX_QUEUED", "-1"),
        (Settings, "LLM_FOR_THE_EAR", "perhaps"),
        (RelayOptions, "LLM_MAX_TOKENS", "many"),
        (RelayOptions, "LLM_TEMPERATURE", "2.1"),
        (RelayOptions, "LLM_THINKING", "loud"),
        (RelayOptions, "LLM_SYSTEM_PROMPT_PLACE", "beside"),
        (RelayOptions, "LLM_HISTORY_TOKENS", "0"),
        (RelayOptions, "LLM_SILENCE_SECONDS", "-1"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_name(kind: type[Options], variable: str, value: str) -> None:
    with pytest.raises(SettingError, match=f"{variable}: cannot use '{value}'"):
        read(kind, {variable: value})


@pytest.mark.parametrize(("text", "turn"), [("off", "off"), ("12.5", 12.5), ("", "off")])
def test_a_turn_lasts_some_seconds_or_as_long_as_it_wants(text: str, turn: object) -> None:
    assert read(Settings, {"LLM_TURN_SECONDS": text}).turn_seconds == turn


def test_what_is_sent_unasked_can_be_switched_off() -> None:
    options = read(RelayOptions, {"LLM_MAX_TOKENS": "off", "LLM_TEMPERATURE": "off", "LLM_OPENING": "off"})

    assert (options.max_tokens, options.temperature, options.opening) == ("off", "off", "off")
    assert read(RelayOptions, {}).opening == OPENING


@pytest.mark.parametrize(
    ("environ", "thoughts"),
    [
        ({}, "aside"),
        ({"LLM_FOR_THE_EAR": "on"}, "off"),
        ({"LLM_FOR_THE_EAR": "on", "LLM_THINKING": "hide"}, "hide"),
        ({"LLM_THINKING": "show"}, "show"),
    ],
)
def test_thoughts_are_kept_out_of_what_is_heard_unless_the_operator_says_otherwise(
    environ: dict[str, str], thoughts: str
) -> None:
    assert read(RelayOptions, environ).thoughts == thoughts


def test_one_upstreams_own_variables_win_over_those_of_all() -> None:
    environ = {"LLM_MAX_TOKENS": "100", "LLM_TEMPERATURE": "0.1", "LLM_MOONSHOT_MAX_TOKENS": "50"}

    def tokens_and_heat(own: str) -> tuple[Any, Any]:
        options = read(RelayOptions, environ, own=own)
        return options.max_tokens, options.temperature

    assert tokens_and_heat("LLM_MOONSHOT_") == (50, 0.1)
    assert tokens_and_heat("LLM_DEEPSEEK_") == (100, 0.1)


def test_a_limit_is_of_one_upstream_alone() -> None:
    environ = {"LLM_UP_CONCURRENT": "2", "LLM_UP_REQUESTS": "60/minute"}

    assert read(LimitOptions, environ, prefix="LLM_UP_") == LimitOptions(concurrent=2, requests="60/minute")
    assert read(LimitOptions, environ, prefix="LLM_DOWN_") == LimitOptions()
    with pytest.raises(SettingError, match="LLM_UP_CONCURRENT"):
        read(LimitOptions, {"LLM_UP_CONCURRENT": "0"}, prefix="LLM_UP_")
