"""One word of Edge's service, for `make doctor`."""

import json
import os
import subprocess
import sys

import pytest
from deploy.installation import ROOT

from imitations.edge import EdgeImitation, Knobs, Trouble


def asked(trouble: Trouble) -> dict[str, float | str]:
    """Return what `python -m deploy.edge_word` says of a service with that trouble."""
    with EdgeImitation(Knobs(trouble=trouble)) as edge:
        environment = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{ROOT / 'services'}", "EDGE_URL": edge.url}
        command = [sys.executable, "-m", "deploy.edge_word"]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True, timeout=60)
    said: dict[str, float | str] = json.loads(done.stdout)
    return said


def test_a_service_that_speaks_is_timed() -> None:
    assert isinstance(asked("none")["seconds"], float)


@pytest.mark.parametrize(("trouble", "words"), [("403", "refuses us (403)"), ("429", "fewer requests")])
def test_a_service_that_refuses_this_machine_is_told_by_its_reason(trouble: Trouble, words: str) -> None:
    assert words in str(asked(trouble)["trouble"])
