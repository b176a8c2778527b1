import json
import os
import subprocess
import sys

import pytest
from deploy.installation import ROOT

from llm.request import providers as minds

NEED_A_KEY = sorted(name for name, row in minds.PROVIDERS.items() if row.needs_key and row.base_url)


def lacking(**environ: str) -> list[list[str]]:
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{ROOT / 'services'}", **environ}
    done = subprocess.run(
        [sys.executable, "-m", "deploy.upstreams"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    lines: list[list[str]] = json.loads(done.stdout)
    return lines


def test_every_provider_that_needs_a_key_is_known_to_the_doctor() -> None:
    found = lacking(LLM_ENGINES=",".join(NEED_A_KEY), STT_ENGINES="groq,sphinx", TTS_ENGINES="openai,espeak")

    assert [engine for service, engine, _ in found if service == "llm"] == NEED_A_KEY
    assert [engine for service, engine, _ in found if service != "llm"] == ["groq", "openai"]
    for _, _, lacks in found:
        assert "_API_KEY" in lacks


@pytest.mark.parametrize("variable", ["MOONSHOT_API_KEY", "LLM_MOONSHOT_API_KEY"])
def test_a_provider_with_its_key_lacks_nothing(variable: str) -> None:
    environ = {variable: "k", "LLM_ENGINES": "moonshot", "STT_ENGINES": "sphinx", "TTS_ENGINES": "espeak"}

    assert lacking(**environ) == []
