"""The guard of all three services."""

import os
import subprocess
import sys

from deploy.installation import ROOT


def test_off_nothing_of_it_is_imported() -> None:
    code = (
        "import sys, llm.app, stt.app, tts.app\n[app.app.create_app() for app in (llm, stt, tts)]\nprint(*sys.modules)"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": f"{ROOT}/services", "GUARD": "off"},
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()

    assert "chassis.guard.options" in loaded
    assert not {"chassis.guard.guard", "ahocorasick", "pypinyin", "llm.guarding"} & set(loaded)
