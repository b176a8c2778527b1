"""Providers' keys are explained and never asked for; the use of one's own key is shown."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable

from browser.console import Console
from e2e.installation import KEY, ROOT

Visit = Callable[..., Console]


def owners(variables: set[str]) -> dict[str, str]:
    """The service and the engine that read each variable, as `make doctor` knows them."""
    environ = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{ROOT / 'services'}", **dict.fromkeys(variables, "x")}
    command = [sys.executable, "-m", "deploy.provider_variables"]
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
    return {variable: owner for variable, owner, _ in json.loads(done.stdout)}


def test_each_provider_is_one_of_the_documents_and_its_variables_are_read(visit: Visit) -> None:
    found = visit().page.evaluate("import('/providers.js').then((module) => module.PROVIDERS)")
    rows = (ROOT / "docs" / "providers.md").read_text().splitlines()
    known = owners({variable for listed in found.values() for _, _, names in listed for variable in names})

    assert list(found) == ["llm", "tts", "stt"]
    for listed in found.values():
        for name, place, variables in listed:
            of_name = [row for row in rows if row.startswith(f"| `{name}` |")]
            assert any(place in row and all(each in row for each in variables) for row in of_name), name
            assert "" not in [known.get(each) for each in variables], "nobody reads it"


def test_a_provider_in_front_of_the_chain_is_lines_for_env_and_no_field_takes_a_key(visit: Visit) -> None:
    page = visit().page
    page.select_option("#provider", "deepseek")
    lines = page.inner_text("#provider-lines").splitlines()
    page.select_option("#provider-service", "tts")

    assert lines == ["DEEPSEEK_KEY=", "LLM_ENGINES=deepseek,companion"]
    assert page.inner_text("#provider-lines").splitlines()[-1] == "TTS_ENGINES=dashscope,flite,espeak"
    assert page.locator(".providers input, .providers textarea").count() == 0


def test_the_use_of_the_key_is_shown_after_a_turn(visit: Visit) -> None:
    console = visit()
    cells = console.page.locator('#usage tr[data-service="llm"] td')
    console.page.wait_for_selector('#usage tr[data-service="llm"] td:text-matches("^[0-9]+$")')
    before = int(cells.nth(0).inner_text())
    with console.page.expect_response("**/usage/llm"):
        console.type("How much is 7 times 8?")
    console.ended()
    console.page.wait_for_selector(f'#usage tr[data-service="llm"] td:text-is("{before + 1}")')

    assert console.page.inner_text("#usage-key") == "key1"
    assert re.fullmatch(r"[1-9]\d* \+ [1-9]\d*", cells.nth(2).inner_text())
    assert re.fullmatch(r"\d+(\.\d)?", console.page.inner_text('#usage tr[data-service="stt"] td:nth-of-type(3)'))
    assert console.complaints == []
    assert KEY not in console.page.inner_text("body")
