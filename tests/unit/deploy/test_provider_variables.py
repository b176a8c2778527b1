import json
import os
import subprocess
import sys

from deploy.installation import ROOT


def told(**environ: str) -> dict[str, tuple[str, str]]:
    """Return owner and remedy by variable."""
    environment = {"PATH": os.defpath, "PYTHONPATH": f"{ROOT}:{ROOT / 'services'}", **environ}
    command = [sys.executable, "-m", "deploy.provider_variables"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert "theirs" not in done.stdout
    return {variable: (owner, remedy) for variable, owner, remedy in json.loads(done.stdout)}


def test_each_variable_is_said_to_be_whose_it_is_or_nobodys() -> None:
    names = {
        "AZURE_OPENAI_ENDPOINT": "llm azure-openai",
        "CF_WORKERS_AI_ACCOUNT_ID": "llm cf-workers-ai",
        "COZE_BOT_ID": "llm coze",
        "ALIYUN_ASR_ACCESS_KEY_ID": "stt aliyun-asr",
        "AZURE_TTS_KEY_FILE": "tts azure-tts",
        "SILICONFLOW_TTS_KEY": "tts siliconflow",
        "DEEPSEEK_KEY": "llm deepseek",
        "DEEPSEEK_READ_THOUGHT_ENABLED": "llm deepseek",
    }
    found = told(**dict.fromkeys((*names, "DEEPSEEK_UNHEARD_OF", "QIANFAN_SECRET", "HOME"), "theirs"))

    assert {name: owner for name, (owner, _) in found.items() if owner} == names
    assert "QIANFAN_API_KEY" in found["QIANFAN_SECRET"][1]
    assert found["DEEPSEEK_UNHEARD_OF"] == ("", "Nothing reads it; docs/providers.md has the lines of its provider.")
    assert "HOME" not in found


def test_a_misspelt_variable_of_a_chain_is_told_once_with_its_right_name() -> None:
    found = told(
        LLM_ENGINES="deepseek，companion", TTS_ENGINES="openai", DEEPSEEK_APIKEY="theirs", TTS_OPENAI_URL="theirs"
    )

    assert found["DEEPSEEK_APIKEY"] == ("", "Nothing reads it: it is called DEEPSEEK_API_KEY.")
    assert found["TTS_OPENAI_URL"] == ("", "Nothing reads it: it is called TTS_OPENAI_BASE_URL.")
