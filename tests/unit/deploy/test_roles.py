import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from deploy.installation import ROOT

BASE = "http://192.168.1.20:18080/v1"
ENVIRON = {"TALKBOX_PORT": "18080", "PATH": os.environ["PATH"]}


def roles() -> dict[str, Any]:
    role = {
        "start_text": "Hello!",
        "prompt": "You are a bear.",
        "max_message_count": 10,
        "stt_type": "openai-whisper",
        "stt_config": {
            "api_base": BASE,
            "key": "k1",
            "model": "whisper-1",
            "language": "en",
        },
        "llm_type": "openai",
        "llm_config": {
            "api_base": BASE,
            "key": "k1",
            "model": "gpt-4o-mini",
            "temperature": 0.7,
        },
        "tts_type": "openai-tts",
        "tts_config": {
            "api_base": BASE,
            "key": "k1",
            "model": "tts-1",
            "voice_name": "alloy",
            "speed": 1,
        },
    }
    return {str(number): json.loads(json.dumps(role)) for number in range(1, 8)}


@cache
def checkout() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder with the commands alone: no `.env`, and nothing that is up."""
    folder = tempfile.TemporaryDirectory()
    shutil.copytree(
        ROOT / "deploy",
        f"{folder.name}/deploy",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    shutil.copytree(ROOT / "proxy" / "site", f"{folder.name}/proxy/site")
    return folder


def run(**settings: Any) -> "subprocess.CompletedProcess[str]":
    environ = {**ENVIRON, **{name: str(value) for name, value in settings.items()}}
    command = [sys.executable, "-m", "deploy.roles"]
    return subprocess.run(
        command,
        cwd=checkout().name,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )


def saved(folder: Path, value: Any) -> Path:
    path = folder / "roles.json"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
    path.write_bytes(text.encode())
    path.chmod(0o666)
    return path


def test_a_correct_file_is_silent(tmp_path: Path) -> None:
    done = run(FILE=saved(tmp_path, roles()))

    assert done.returncode == 0, done.stdout
    assert "error:" not in done.stdout
    assert "warning:" not in done.stdout


def test_a_long_file_is_read_at_once_and_a_long_or_broken_name_keeps_its_line(
    tmp_path: Path,
) -> None:
    long = {
        **roles(),
        **{f"x{number}": roles()["1"] for number in range(2000)},
        "a\nb": 1,
        "c" * 5000: 1,
    }
    done = run(FILE=saved(tmp_path, long))

    found = [line for line in done.stdout.splitlines() if ": error: " in line]
    assert done.returncode == 1
    assert len(found) == 2002
    assert max(map(len, found)) < 300
    assert any('"a b" is no role' in line for line in found)


def test_the_older_flat_keys_alone_are_silent(tmp_path: Path) -> None:
    flat = {
        "start_text": "你好。",
        "prompt": "小熊",
        "max_message_count": 5,
        "tts_type": "edge-tts",
        "temperature": 0.7,
    }
    flat.update(
        model="gpt-4o-mini",
        voice_name="zh-CN-XiaoxiaoNeural",
        language="zh",
        max_tokens=200,
    )
    done = run(FILE=saved(tmp_path, {str(number): flat for number in range(1, 8)}))

    assert not re.search("error:|warning:", done.stdout), done.stdout


BROKEN = [
    ('{"1": {},\n // no\n "2": {}}', 2, "comments"),
    ('{"1": {},\n}', 1, "comma"),
    ('{"1": {}\n"2": {}}', 1, "comma"),
    ("{“1”: {}}", 1, "straight"),
    ('/* mine */\n{"1": {}}', 1, "comments"),
    ('{"1": True}', 1, "small letters"),
    ('{\n\u00a0 "1": {}\n}', 2, "ordinary blanks"),
    ('｛\n"1": {}\n}', 1, "keyboard"),
    ('{"1": {"prompt": "a\tb"}}', 1, "does not end on its line"),
    ('{"1": {"prompt": "a\nb"}}', 1, "does not end on its line"),
    ('{"1": {},\n"2": {"prompt": "You are\n', 2, "too early"),
    ('{"1": {},\n"2": {"prompt": "a"}\n', 2, "too early"),
    ('{"1": {}}\n{"2": {}}\n', 2, "behind the last"),
    ('{"1": {},,\n"2": {}}\n', 1, "one too many"),
    ("{\n  1: {}\n}", 2, "quotes around every name"),
    ('{\n  start_text: "a"\n}', 2, "quotes around every name"),
    ('{"1": {"prompt": "C:\\new\\q"}}', 1, "another one before it"),
    ('{"1": {"prompt" "a"}}', 1, "a : is missing"),
    ('{"1": {"prompt": 「a」}}', 1, "straight"),
    ("\n<!doctype html>\n<html>", 2, "another format"),
    ("- start_text: a\n", 1, "another format"),
    ('{"1":\n{"prompt": "\\ud83d bear"}}', 2, "half of a sign"),
    ('{"1":\n{"prompt": "\\ud83d\\ude00 \\ude00"}}', 2, "half of a sign"),
]


@pytest.mark.parametrize(("text", "line", "word"), BROKEN, ids=range(len(BROKEN)))
def test_broken_json_is_an_error_at_its_line(text: str, line: int, word: str, tmp_path: Path) -> None:
    path = saved(tmp_path, text)
    done = run(FILE=path)

    assert done.returncode == 1
    assert f"{path}:{line}: error: " in done.stdout
    assert word in done.stdout


@pytest.mark.parametrize("text", ["[" * 200_000, '{"1": ' + "9" * 6000 + "}"], ids=["brackets", "digits"])
def test_what_has_no_end_is_named_instead_of_a_traceback(text: str, tmp_path: Path) -> None:
    done = run(FILE=saved(tmp_path, text))

    assert done.returncode == 1
    assert "without end" in done.stdout


def test_a_whole_sign_may_be_escaped(tmp_path: Path) -> None:
    text = json.dumps(roles()).replace("You are a bear.", "\\ud83d\\ude00 \\\\ud83d")

    assert "error:" not in run(FILE=saved(tmp_path, text)).stdout


def test_what_is_there_twice_is_named_with_its_second_line(tmp_path: Path) -> None:
    lists = {
        "send_initial_messages": [
            {"role": "user", "content": "a"},
            {"role": "user", "content": "b"},
        ]
    }
    text = json.dumps({**roles(), "1": {**roles()["1"], **lists}}, indent=2)
    assert "twice" not in run(FILE=saved(tmp_path, text)).stdout

    path = saved(tmp_path, text.replace('"2": {', '"1": {'))
    line = next(
        number for number, row in enumerate(path.read_text().split("\n"), 1) if row == '  "1": {' and number > 2
    )
    done = run(FILE=path)
    assert done.returncode == 1
    assert f'{path}:{line}: error: "1" is there twice' in done.stdout


@pytest.mark.parametrize(
    "locale",
    [{"LANG": "zh_CN.UTF-8"}, {"LC_ALL": "zh_TW.UTF-8", "LANG": "en_GB.UTF-8"}],
)
def test_a_chinese_locale_is_answered_in_chinese(locale: dict[str, str], tmp_path: Path) -> None:
    compose = tmp_path / "docker-compose.yml"
    compose.write_text("services:\n  folotoy:\n    environment:\n      OPENAI_KEY: x\n")
    done = run(FILE=saved(tmp_path, {**roles(), "8": {}}), COMPOSE=compose, **locale)

    assert 'error: "8" 不是角色' in done.stdout
    assert "不会读 OPENAI_KEY" in done.stdout
    assert "有错误。改动以后" in done.stdout.replace(" ", "")


def changed(*path: str, to: Any = None) -> dict[str, Any]:
    """Return the correct roles with one value of role 1 set, or with it taken out where it is None."""
    found: Any = roles()
    inner = found["1"]
    for key in path[:-1]:
        inner = inner[key]
    inner.update({path[-1]: to}) if to is not None else inner.pop(path[-1])
    return dict(found)


def with_null(*path: str) -> dict[str, Any]:
    """Return seven roles, the first with a null at `path`."""
    found = roles()
    inner: Any = found["1"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = None
    return dict(found)


MISTAKES: list[tuple[Any, str, str]] = [
    ({"1": roles()["1"]}, "error", "are missing"),
    (roles()["1"], "error", "single role"),
    ({**roles(), "8": {}}, "error", "is no role"),
    ({**roles(), "toys": {"SN1": {"1": {}}}}, "error", "serial"),
    (changed("start_text"), "error", "start_text"),
    (changed("prompt", to=" "), "error", "prompt"),
    (changed("stt_type", to="whisper-1"), "error", "openai-whisper"),
    (changed("llm_type", to="spack-desk"), "error", "spark-desk"),
    (changed("sst_config", to={}), "error", "stt_config"),
    (changed("tts_config", "voice", to="nova"), "error", "voice_name"),
    (changed("llm_config", "api_key", to="k1"), "error", '"key"'),
    (changed("voice_name", to="nova"), "warning", "undocumented"),
    (changed("tts_type"), "warning", "edge-tts"),
    (changed("stt_config", "language", to="zh-CN"), "warning", "azure-stt"),
    (
        changed("llm_config", "api_base", to="192.168.1.20:18080/v1"),
        "error",
        "no address",
    ),
    (changed("llm_config", "api_base", to="http://192.168.1.20:18080"), "error", "/v1"),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20:18080/v1/chat/completions"),
        "error",
        "/v1",
    ),
    (
        changed("llm_config", "api_base", to="http://127.0.0.1:18080/v1"),
        "error",
        "container",
    ),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20:18083/v1"),
        "error",
        "another service",
    ),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20:8082/v1"),
        "error",
        "folotoy-server's own",
    ),
    (changed("llm_config", "key", to="YOUR-KEY"), "error", "placeholder"),
    (changed("llm_config", "key", to="sk-AAAAAAAA"), "error", "placeholder"),
    (changed("llm_config", "key"), "warning", "environment"),
    (changed("llm_config", "model", to="companion"), "warning", "companion alone"),
    (
        changed("tts_config", "voice_name", to="zh-CN-YunxiNeural"),
        "warning",
        "language",
    ),
    (changed("tts_config", "voice_name", to="alloy "), "error", "blank"),
    (changed("tts_config", "speed", to="fast"), "error", "speed"),
    (changed("llm_config", "temperature", to=3), "error", "temperature"),
    (changed("llm_config", "max_tokens", to=1.5), "error", "whole number"),
    (changed("max_message_count", to=0), "warning", "memory"),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20/v1"),
        "warning",
        "no port",
    ),
    (changed("llm_config", "key", to="${OPENAI_KEY:-k1}"), "error", "nobody fills in"),
    (changed("llm_config", "key", to="k1\u200b"), "error", "blank"),
    (changed("llm_config", "model\ufeff", to="x"), "error", "misspelt"),
    ({"roles": roles()}, "error", "lie inside"),
    (
        changed("llm_config", "api_base", to="https://192.168.1.20:18080/v1"),
        "error",
        "speaks http",
    ),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20。18080/v1"),
        "error",
        "belongs in none",
    ),
    (
        changed("llm_config", "api_base", to="http://toy:k1@192.168.1.20:18080/v1"),
        "error",
        "belongs in none",
    ),
    (
        changed("llm_config", "api_base", to="http://192.168.1.20:18080/v1?key=k1"),
        "error",
        "belongs in none",
    ),
    (
        changed("llm_config", "api_base", to=["http://192.168.1.20:18080/v1"]),
        "error",
        "no text",
    ),
    (changed("llm_config", "model", to=4), "error", "no text"),
    (changed("llm_config", "key", to=12345), "error", "no text"),
    (
        changed("llm_config", "api_base", to="http://http://192.168.1.20:18080/v1"),
        "error",
        "belongs in none",
    ),
    (with_null("llm_config", "api_base"), "warning", "api_base is null"),
    (with_null("tts_config"), "warning", "tts_config is null"),
    (changed("stt_config", "language", to="cn"), "warning", "write zh"),
    (changed("llm_config", "apiKey", to="k1"), "error", '"apiKey" is misspelt; write "key"'),
    (changed("tts_config", "VOICE NAME", to="alloy"), "error", 'write "voice_name"'),
    (changed("start-text", to="Hi!"), "error", 'write "start_text"'),
    (changed("tts_type", to="Edge_TTS"), "error", 'write "edge-tts"'),
    *(
        (changed("llm_config", "api_base", to=f"http://{host}:18080/v1"), "error", "own container")
        for host in ("127.1", "LOCALHOST.", "[::]", "0")
    ),
    *(
        (changed("llm_config", "api_base", to=f"http://{host}:18080/v1"), "error", "is no address")
        for host in ("192.168.1.300", "192.168.1", "192.168.1.x", "your-server", "<address>")
    ),
]


@pytest.mark.parametrize(("value", "level", "word"), MISTAKES)
def test_a_mistake_is_found_with_its_level(value: Any, level: str, word: str, tmp_path: Path) -> None:
    done = run(FILE=saved(tmp_path, value))
    found = [line for line in done.stdout.split("\n") if f": {level}: " in line and word in line]

    assert found, done.stdout
    assert done.returncode == (1 if " error: " in done.stdout else 0)


def test_a_file_that_nobody_else_may_write_is_a_warning_with_the_way_to_reload(
    tmp_path: Path,
) -> None:
    path = saved(tmp_path, roles())
    path.chmod(0o644)
    done = run(FILE=path)

    assert done.returncode == 0
    assert ": warning: " in done.stdout
    assert "chmod 666" in done.stdout
    assert "restart folotoy" in done.stdout


GOOD = """services:
  folotoy:
    extra_hosts: ["host.docker.internal:host-gateway"]
    volumes:
      - ./config:/config
    environment:
      ROLES_FILE_PATH: /config/roles.json
      AUDIO_DOWNLOAD_URL: http://192.168.1.20:8082
      SPEECH_UDP_SERVER_HOST: 192.168.1.20
      OPENAI_TTS_API_BASE: http://host.docker.internal:18080/v1
      OPENAI_TTS_KEY: k1
      TTS_TYPE: openai-tts
"""
COMPOSE = [
    ("OPENAI_TTS_KEY:", "OPENAI_TTS_API_KEY:", 11),
    ("http://192.168.1.20:8082", "192.168.1.20:8082", 8),
    ("HOST: 192", "HOST: http://192", 9),
    ("HOST: 192.168.1.20", "HOST: your_vps_ip", 9),
    ("/config/roles.json", "/elsewhere/roles.json", 7),
    ("OPENAI_TTS_KEY: ", "OPENAI_TTS_KEY=", 11),
    ("      SPEECH", "    SPEECH", 9),
    ("18080/v1", "18080", 10),
    ("host.docker.internal:18080", "127.0.0.1:18080", 10),
    (
        '    extra_hosts: ["host.docker.internal:host-gateway"]',
        "    restart: always",
        10,
    ),
    ("OPENAI_TTS_KEY: ", "OPENAI_TTS_KEY:", 11),
    ("OPENAI_TTS_KEY:", "OPENAI_TTS_KEY：", 11),
    ("OPENAI_TTS_KEY:", "openai_tts_key:", 11),
    ("OPENAI_TTS_KEY: k1", "OPENAI_TTS_KEY: ' k1 '", 11),
    ("      TTS_TYPE: openai-tts", "      OPENAI_TTS_KEY: k2", 12),
    ("host.docker.internal:18080", "192.168.1.20:18082", 10),
    ("    volumes", "    ports: [8085:8085]\n    volumes", 4),
    ("http://host.docker.internal:18080", "https://host.docker.internal:18080", 10),
    ("host.docker.internal:18080", "toy:k1@192.168.1.20:18080", 10),
    ("    extra_hosts", "    # extra_hosts", 10),
    ("OPENAI_TTS_KEY: k1", '- OPENAI_TTS_KEY="k1"', 11),
    ("TTS_TYPE: openai-tts", "TTS_TYPE: openai_tts", 12),
]
FINE = [
    GOOD.replace("host.docker.internal:18080", "127.0.0.1:18080").replace("extra_hosts:", "network_mode: host #"),
    GOOD.replace("./config:/config", "C:\\toys\\config:/config"),
    "services:\n  a:\n    environment:\n      KEY: x\n  b:\n    environment:\n      KEY: x\n",
]


@pytest.mark.parametrize("text", FINE, ids=range(len(FINE)))
def test_the_machines_own_network_a_path_of_windows_and_two_services_are_no_mistakes(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(text)
    done = run(COMPOSE=path)

    assert done.returncode == 0, done.stdout


def test_the_extra_hosts_of_another_service_help_nobody(tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    hosts = '    extra_hosts: ["host.docker.internal:host-gateway"]\n'
    path.write_text(GOOD.replace(hosts, "") + "  web:\n    image: nginx\n" + hosts)
    done = run(COMPOSE=path)

    assert done.returncode == 1
    assert f"{path}:9: error: " in done.stdout


EVERY_FORM = [
    "services: {folotoy: {environment: {TTS_TYPE: openai-tts, OPENAI_TTS_API_KEY: k1}}}\n",
    '{"services": {"folotoy": {"environment": {"TTS_TYPE": "openai-tts", "OPENAI_TTS_API_KEY": "k1"}}}}\n',
    "folotoy: {environment: ['TTS_TYPE=openai-tts']}\nx: &env\n  OPENAI_TTS_API_KEY: k1\n",
    'services:\n  folotoy:\n    environment:\n      - "OPENAI_TTS_API_KEY=k1"\n',
    "services:\n  folotoy:\n    environment:\n      OPENAI_TTS_API_KEY : ${KEY:-k1}\n",
]


@pytest.mark.parametrize("text", EVERY_FORM)
def test_a_setting_is_read_in_whatever_form_it_is_written(text: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(text)
    line = text[: text.index("OPENAI_TTS_API_KEY")].count("\n") + 1

    assert f"{path}:{line}: error: OPENAI_TTS_API_KEY is not read" in run(COMPOSE=path).stdout


@pytest.mark.parametrize(
    "form",
    ["env_file: my.env", "env_file: ['./my.env']", "env_file:\n      - path: my.env"],
)
def test_a_file_of_settings_is_read_too(form: str, tmp_path: Path) -> None:
    (tmp_path / "my.env").write_text("TTS_TYPE=openai-tts\nexport OPENAI_TTS_API_BASE='http://127.0.0.1:18080/v1'\n")
    path = tmp_path / "c.yml"
    path.write_text(f"services:\n  folotoy:\n    {form}\n")
    done = run(COMPOSE=path)

    assert f"{tmp_path / 'my.env'}:2: error: OPENAI_TTS_API_BASE is folotoy-server's own container" in done.stdout
    assert "TTS_TYPE" not in done.stdout


def test_other_services_of_a_compose_file_are_none_of_our_business(
    tmp_path: Path,
) -> None:
    path = tmp_path / "c.yml"
    path.write_text(GOOD + "  web:\n    image: chat\n    environment:\n      OPENAI_API_KEY: x\n      OPENAI_KEY: y\n")
    done = run(COMPOSE=path)

    assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("      TTS_TYPE: openai-tts\n", "", "TTS_TYPE"),
        ("host.docker.internal:18080", "192.168.1.20", "no port"),
    ],
)
def test_what_may_be_meant_is_a_warning(old: str, new: str, word: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(GOOD.replace(old, new))
    done = run(COMPOSE=path)

    assert done.returncode == 0
    assert re.search(rf"{path}:10: warning: .*{word}", done.stdout), done.stdout


@pytest.mark.parametrize("volumes", ['["./config:/config"]', "[{type: bind, source: ./c, target: /config}]"])
def test_a_mounted_folder_is_seen_in_a_line_too(volumes: str, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(GOOD.replace("volumes:\n      - ./config:/config", f"volumes: {volumes}"))

    assert "error:" not in run(COMPOSE=path).stdout


@pytest.mark.parametrize(("content", "line"), [(b"", 1), (b"a: b\n# \xc3\xdc\xd4\xbf\n", 2)])
def test_a_compose_file_that_is_no_text_is_an_error(content: bytes, line: int, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_bytes(content)

    assert f"{path}:{line}: error: " in run(COMPOSE=path).stdout


def test_a_correct_compose_file_is_silent_and_so_are_those_that_come_with_talkbox(
    tmp_path: Path,
) -> None:
    (tmp_path / "c.yml").write_text(GOOD)
    ours = ROOT / "deploy" / "folotoy"
    for path in (
        tmp_path / "c.yml",
        ours / "docker-compose.talkbox.yml",
        ours / "compose.yaml",
    ):
        done = run(COMPOSE=path)
        assert (done.returncode, done.stdout.count("\n")) == (0, 1), done.stdout


@pytest.mark.parametrize(("old", "new", "line"), COMPOSE)
def test_a_mistake_of_a_compose_file_is_found_at_its_line(old: str, new: str, line: int, tmp_path: Path) -> None:
    path = tmp_path / "c.yml"
    path.write_text(GOOD.replace(old, new, 1))
    done = run(COMPOSE=path)

    assert done.returncode == 1
    assert f"{path}:{line}: error: " in done.stdout, done.stdout


def test_fix_mends_what_is_safe_and_keeps_the_old_file(tmp_path: Path) -> None:
    value = roles()
    value["1"]["tts_config "] = value["1"].pop("tts_config")
    value["1"]["tts_config "].update(speed="0.9", voice_name="nova ")
    value["1"]["llm_config"]["api_base"] = "http://192.168.1.20:18080"
    path = saved(tmp_path, value)
    before = path.read_text()
    done = run(FILE=path, FIX=1)

    assert done.returncode == 0, done.stdout
    config = json.loads(path.read_text())["1"]
    assert (config["tts_config"]["speed"], config["tts_config"]["voice_name"]) == (
        0.9,
        "nova",
    )
    assert config["llm_config"]["api_base"] == BASE
    assert (tmp_path / "roles.json.bak").read_text() == before


def wrong_in_many_ways() -> dict[str, Any]:
    value = roles()
    value["1"]["tts_config "] = value["1"].pop("tts_config")
    value["1"]["tts_config "].update(speed="0.9", voice_name="nova ")
    value["2"]["voice_name"] = "nova"
    del value["2"]["tts_config"]["voice_name"]
    value["3"]["temperature"], value["3"]["llm_config"] = 0.5, {}
    value["4"]["llm_config"] = {
        "temprature": "0.7",
        "api_base": "http://192.168.1.20:18080",
    }
    value["toys"] = {"0123456789AB": {"1": {"max_message_count": "10"}}}
    return value


@pytest.mark.parametrize("indent", [None, 2, "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_fix_leaves_every_other_byte_and_has_nothing_left_to_do(indent: Any, end: str, tmp_path: Path) -> None:
    text = json.dumps(wrong_in_many_ways(), indent=indent).replace("\n", end)
    path = saved(tmp_path, "\ufeff" + text.replace('"Hello!"', '"\\u4f60\\u597d\\/ 你好 1.0"'))
    path.write_bytes(path.read_bytes().replace(b'"temperature": 0.7', b'"temperature":0.70'))
    run(FILE=path, FIX=1)
    after = path.read_bytes()
    once = json.loads(after)

    assert after.count(b'"\\u4f60\\u597d\\/ \xe4\xbd\xa0\xe5\xa5\xbd 1.0"') == 7
    assert after.count(b'"temperature":0.70') == 5
    assert after.count(b"\n") == after.count(end.encode()) == (0 if indent is None else after.count(b"\n"))
    assert not after.startswith(b"\xef\xbb\xbf")
    assert once["1"]["tts_config"]["speed"] == 0.9
    assert once["2"]["tts_config"]["voice_name"] == "nova"
    assert "voice_name" not in once["2"]
    assert once["3"]["llm_config"] == {"temperature": 0.5}
    assert once["4"]["llm_config"] == {"temperature": 0.7, "api_base": BASE}
    assert once["toys"]["0123456789AB"]["1"]["max_message_count"] == 10
    assert "mended" not in run(FILE=path, FIX=1).stdout
    assert path.read_bytes() == after


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 20_000 + "1" + "}" * 20_000,
        '{"1": ' + "2" * 9_000 + "}",
    ],
)
def test_what_no_reader_can_hold_is_an_error_too(text: str, tmp_path: Path) -> None:
    done = run(FILE=saved(tmp_path, text), FIX=1)

    assert done.returncode == 1
    assert ":1: error: " in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("fix", ["0", "no", "False"])
def test_a_fix_that_is_not_wanted_is_none(fix: str, tmp_path: Path) -> None:
    path = saved(tmp_path, wrong_in_many_ways())
    before = path.read_bytes()
    run(FILE=path, FIX=fix)

    assert path.read_bytes() == before


def test_what_may_not_be_written_is_an_error_with_a_cure(tmp_path: Path) -> None:
    path = saved(tmp_path, wrong_in_many_ways())
    (tmp_path / "roles.json.bak").mkdir()  # the old file cannot be kept
    (tmp_path / "roles.json.bak" / "roles.json").mkdir()
    done = run(FILE=path, FIX=1)

    assert done.returncode == 1
    assert f"{path}:1: error: the file cannot be written" in done.stdout
    assert not done.stderr


@pytest.mark.parametrize("kind", ["folder", "link", "loop"])
def test_what_cannot_be_read_is_an_error_with_a_cure(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "roles.json"
    path.mkdir() if kind == "folder" else path.symlink_to("gone" if kind == "link" else path)
    done = run(FILE=path)

    assert done.returncode == 1
    assert f"{path}:1: error: the file cannot be read" in done.stdout
    assert not done.stderr


def test_new_makes_a_file_that_is_clean_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a" / "new folder" / "角色.json"

    assert run(NEW=path, TALKBOX_BIND="192.168.1.20").returncode == 0
    text = path.read_text()
    checked = run(FILE=path, TALKBOX_BIND="192.168.1.20")
    assert (checked.returncode, "warning:" in checked.stdout) == (0, False), checked.stdout
    assert set(json.loads(text)) == set("1234567")
    assert path.stat().st_mode & 0o777 == 0o600
    assert run(NEW=path).returncode == 1
    assert path.read_text() == text


def test_roles_for_the_network_of_talkbox_call_its_proxy_a_service_each(
    tmp_path: Path,
) -> None:
    path = tmp_path / "folotoy" / "roles.json"
    inside = {"FOLOTOY_HOST": "192.168.1.20", "TALKBOX_PORT": "18090"}

    assert run(NEW=path, **inside).returncode == 0
    checked = run(FILE=path, **inside)
    assert (checked.returncode, "warning:" in checked.stdout) == (0, False), checked.stdout
    last = json.loads(path.read_text())["7"]
    bases = [last[f"{service}_config"]["api_base"] for service in ("stt", "llm", "tts")]
    assert bases == [
        "http://proxy:8081/v1",
        "http://proxy:8082/v1",
        "http://proxy:8083/v1",
    ]
    path.write_text(path.read_text().replace("proxy:8083", "proxy:8082"))
    assert "another service's" in run(FILE=path, **inside).stdout


def test_without_a_file_the_command_names_what_it_wants() -> None:
    assert run().returncode == 2


def test_a_placeholder_is_an_error_at_whatever_port(tmp_path: Path) -> None:
    done = run(
        FILE=saved(
            tmp_path,
            json.loads((ROOT / "deploy" / "folotoy" / "roles.json").read_text()),
        )
    )

    assert done.returncode == 1
    assert done.stdout.count("key is a placeholder") == 15
