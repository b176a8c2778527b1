"""Compose files of folotoy-server, as people write them, and what is said of them."""

import subprocess
from pathlib import Path

import pytest
from deploy import folotoy_yaml
from deploy.folotoy_compose import compose_mistakes, file_mistakes, named_files
from deploy.folotoy_environment import environment_of, settings_of
from deploy.folotoy_facts import Facts
from deploy.installation import ROOT

GOOD = """services:
  folotoy:
    image: folotoy-server
    extra_hosts: ["host.docker.internal:host-gateway"]
    ports:
      - "8085:8085/udp"
    volumes:
      - ./config:/config
    environment:
      ROLES_FILE_PATH: /config/roles.json
      AUDIO_DOWNLOAD_URL: http://192.168.1.20:8086
      SPEECH_UDP_SERVER_HOST: 192.168.1.20
      SPEECH_UDP_SERVER_PORT: 8085
      OPENAI_TTS_API_BASE: http://host.docker.internal:18080/v1
      OPENAI_TTS_KEY: k1
      OPENAI_TTS_VOICE_NAME: alloy
      TTS_TYPE: openai-tts
"""
FACTS = Facts(port=18080, keys=("k1",), voices=("zh-CN-XiaoxiaoNeural",))
HOSTS = '    extra_hosts: ["host.docker.internal:host-gateway"]\n'
UDP = '      - "8085:8085/udp"\n'


def found(text: str) -> list[tuple[int, str, str]]:
    return [(one.line, one.level, one.cause) for one in compose_mistakes(text, FACTS)]


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new, 1)


REFUSED = [
    ("hello\n", 1, "no service"),
    ("- a\n- b\n", 1, "no service"),
    ("# nothing\n", 1, "empty"),
    ("services: hello\n", 1, "no service"),
    ("services:\n  - folotoy\n", 2, "no service"),
    ("services:\n  folotoy:\n", 2, "no settings"),
    ("services:\n  folotoy:\n    environment: hello\n", 3, "no settings"),
    ("services:\n  folotoy:\n    environment:\n      OPENAI_TTS_KEY：k1\n", 4, "Chinese keyboard"),
    ("services:\n  folotoy:\n    environment:\n      OPENAI_TTS_KEY:k1\n", 4, "blank is missing"),
    ("services:\n  folotoy:\n    environment:\n      OPENAI_TTS_KEY=k1\n", 4, "mixed"),
    ("services: {folotoy: {image: x\n", 2, "no YAML"),
    ("[" * 5000, 1, "without end"),
    (changed("services:\n", ""), 1, "no YAML|no service"),
    (GOOD + "\0\n", 18, "belongs in no text"),
    (changed('8085/udp"', "8085/udp"), 6, "quote is left open"),
    (changed("folotoy:\n", "folotoy\n"), 2, ": is missing"),
    (GOOD + "    environment:\n      TZ: x\n", 18, "there twice"),
    (GOOD + GOOD.removeprefix("services:\n"), 18, "there twice"),
    (changed("environment", "enviroment"), 9, "misspelt"),
    (changed("services", "sevices"), 1, "misspelt|no service"),
    (changed(f"ports:\n{UDP}", "ports: 8085:8085/udp\n"), 5, "no list"),
    (changed("KEY: k1", "KEY:\n        a: b"), 15, "more than one value"),
    (changed(UDP, "      - 8085:8085\n"), 6, "UDP"),
    (changed(UDP, "      - 8080-8090:8080-8090\n"), 6, "UDP"),
    (changed(UDP, "      - {target: 8085, published: 8085}\n"), 6, "UDP"),
    (changed(UDP, "      - target: 8085\n        protocol: tcp\n"), 6, "UDP"),
    (changed(UDP, '      - "${PORT:-8085}:8085"\n'), 6, "UDP"),
    (changed("KEY: k1", "KEY: k9"), 15, "none of API_KEYS"),
    (changed("alloy", "zh-CN-XiaoxiaNeural"), 16, "unknown here"),
    (changed("VOICE_NAME", "VOICENAME"), 16, "OPENAI_TTS_VOICENAME is not read"),
    (changed("TTS_API_BASE", "TTS_APIBASE"), 14, "OPENAI_TTS_APIBASE is not read"),
    (changed("TTS_API_BASE", "TTS_BASE_URL"), 14, "OPENAI_TTS_BASE_URL is not read"),
    (changed("OPENAI_TTS_KEY", "OPENAI_STT_KEY"), 15, "OPENAI_STT_KEY is not read"),
    (changed("host.docker.internal:host-gateway", "db:10.0.0.1"), 14, "cannot be found"),
    (
        changed(HOSTS, '    extra_hosts:\n      - db:10.0.0.1\n      # - "host.docker.internal:x"\n'),
        16,
        "cannot be found",
    ),
    (changed("TTS_KEY: k1", "TTS_KEY=k1"), 15, "mixed"),
    (changed("OPENAI_TTS_KEY", "Openai_TTS-Key"), 15, "write|is not read"),
    (changed("HOST: 192.168.1.20", "HOST: 192.168.1.20:8085"), 12, "has a port"),
    (changed("HOST: 192.168.1.20", "HOST: <your address>"), 12, "placeholder"),
    (changed("HOST: 192.168.1.20", "HOST: LocalHost"), 12, "the toy itself"),
    (changed("http://host.docker.internal", "HTTP://127.0.1.1"), 14, "own container"),
    (changed("http://host.docker.internal", "http://192.168.1.300"), 14, "is no base"),
    (changed("ROLES_FILE_PATH: ", "- ROLES_FILE_PATH="), 10, "mixed"),
    (changed("      OPENAI_TTS_KEY", "\tOPENAI_TTS_KEY"), 15, "tab"),
    ("x: &e\n  OPENAI_TTS_API_KEY: k\nservices: {folotoy: {environment: {<<: *e}}}\n", 2, "is not read"),
]


@pytest.mark.parametrize(("text", "line", "words"), REFUSED, ids=range(len(REFUSED)))
def test_a_file_that_does_not_work_has_an_error_at_its_line_and_no_other(text: str, line: int, words: str) -> None:
    listed = [one for one in found(text) if one[1] == "error"]

    assert {at for at, *_ in listed} == {line}, listed
    assert any(word in cause for word in words.split("|") for *_, cause in listed), listed
    assert len(listed) <= 1 + words.count("|"), listed


LONG_TEXTS = [
    GOOD + "    command: |\n      OPENAI_API_KEY=x\n      AUDIO_DOWNLOAD_URL: foo\n",
    GOOD + '    labels:\n      a: "one\n\n        AUDIO_DOWNLOAD_URL: two"\n',
    changed("BASE: http", "BASE: >-\n        http"),
]
"""Files with a text over several lines, of which lines alone do not tell what it is."""
FINE = [
    GOOD,
    changed("http://192.168.1.20:8086", "HTTP://toys.example.com"),
    changed("http://host.docker.internal:18080", "http://${HOST}:18080"),
    GOOD.replace("\n", "\r\n"),
    *LONG_TEXTS,
    changed(UDP, "      - 8080-8090:8080-8090/udp\n"),
    changed(UDP, UDP + "      - 8085:8085\n"),
    changed(UDP, "      - {target: 8085, published: 8085, protocol: udp}\n"),
    changed(HOSTS, "    extra_hosts:\n      host.docker.internal: host-gateway\n"),
    changed(HOSTS, "    extra_hosts:\n      - db:10.0.0.1\n      - host.docker.internal=host-gateway\n"),
    GOOD
    + "  folotoy-b:\n    <<: &b {environment: {TZ: x}}\n  folotoy-c:\n    environment: &d\n      TZ: x\n"
    + "  folotoy-d:\n    environment: *d\n",
    GOOD + "---\nservices:\n  web: {image: x}\n",
    GOOD + "  web:\n    image: x\n    ports: [8085:8085]\n    environment: {OPENAI_API_KEY: x}\n",
]


def test_an_address_of_talkbox_without_a_key_is_a_warning() -> None:
    without = changed("      OPENAI_TTS_KEY: k1\n", "")

    assert found(without) == [(14, "warning", "OPENAI_TTS_KEY is absent, and Talkbox refuses whoever has no key")]


@pytest.mark.parametrize("text", FINE, ids=range(len(FINE)))
def test_a_file_that_works_has_no_mistake(text: str) -> None:
    assert found(text) == []


@pytest.mark.parametrize(
    "text", ["x: &a\n  <<: *a\nservices:\n  folotoy: *a\n", "? [a, b]\n: c\n1: 2\n", "a: &a [*a]\n"]
)
def test_odd_yaml_comes_to_an_end(text: str) -> None:
    assert all(level in ("error", "warning") for _, level, _ in found(text))


@pytest.mark.parametrize("text", [text for text in FINE if text not in LONG_TEXTS])
def test_the_lines_alone_give_the_same_settings(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    as_yaml = list(settings_of(text))
    monkeypatch.setattr(folotoy_yaml, "yaml", None)

    assert list(settings_of(text)) == as_yaml


def test_what_another_service_is_given_is_not_folotoy_servers(tmp_path: Path) -> None:
    path = tmp_path / "docker-compose.yml"
    shared = "x-keys: &keys\n  OPENAI_OPENAI_KEY: k2\n"
    text = changed("      OPENAI_TTS_KEY", "      <<: *keys\n      OPENAI_TTS_KEY")
    path.write_text(shared + text + "  web:\n    environment:\n      OPENAI_TTS_KEY: x\n")

    given = environment_of(path)
    assert (given["OPENAI_TTS_KEY"], given["OPENAI_OPENAI_KEY"]) == ("k1", "k2")


def test_a_python_that_has_pyyaml_is_preferred(tmp_path: Path) -> None:
    for name, has_yaml in (("plain", False), ("rich", True)):
        (tmp_path / name).write_text("#!/bin/sh\n" + ("" if has_yaml else 'case "$2" in *yaml*) exit 1; esac\n'))
        (tmp_path / name).chmod(0o755)

    def chosen(*names: str) -> str:
        said = {"PATH": f"{tmp_path}:/usr/bin:/bin", "PYTHON": " ".join(names)}
        done = subprocess.run([ROOT / "deploy/python", "3.9", "yaml"], env=said, capture_output=True, check=True)
        return Path(done.stdout.decode().strip()).name

    assert chosen("plain", "rich") == "rich"
    assert chosen("plain") == "plain"


def test_without_pyyaml_the_lines_are_looked_at_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folotoy_yaml, "yaml", None)

    assert [(line, level) for line, level, _ in found(changed("TTS_KEY", "TTS_API_KEY"))] == [
        (1, "warning"),
        (15, "error"),
    ]


def listed(said: str) -> dict[str, list[int]]:
    return {file.name: [one.line for one in ones] for file, ones in file_mistakes(named_files(said), FACTS) if ones}


@pytest.mark.parametrize("form", ["{a} {b}", "{a}:{b}", "-f {a} -f {b}"])
def test_a_later_file_wins_and_what_the_others_say_counts(form: str, tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(changed("host.docker.internal:18080", "127.0.0.1:18080"))
    base = "      OPENAI_TTS_API_BASE: http://host.docker.internal:18080/v1\n"
    (tmp_path / "b.yml").write_text(f"services:\n  folotoy:\n    environment:\n{base}      OPENAI_TTS_API_KEY: x\n")

    assert listed(form.format(a=tmp_path / "a.yml", b=tmp_path / "b.yml")) == {"b.yml": [5]}
    assert listed(str(tmp_path / "a.yml")) == {"a.yml": [14]}


@pytest.mark.parametrize(
    "text",
    [
        "services:\n  folotoy:\n    extends:\n      file: base.yml\n      service: folotoy\n",
        "services:\n  folotoy: {extends: {service: folotoy, file: ./base.yml}}\n",
        "include: [base.yml]\nservices: {web: {image: x}}\n",
        "include:\n  - path: base.yml\nservices: {web: {image: x}}\n",
    ],
)
def test_a_file_that_one_is_built_on_is_read_and_must_be_there(text: str, tmp_path: Path) -> None:
    (tmp_path / "c.yml").write_text(text)
    line = text[: text.index("base.yml")].count("\n") + 1
    assert listed(str(tmp_path / "c.yml")) == {"c.yml": [line]}

    (tmp_path / "base.yml").write_text(changed("TTS_KEY", "TTS_API_KEY"))
    assert listed(str(tmp_path / "c.yml")) == {"base.yml": [15]}


def test_a_name_with_a_blank_is_one_file_and_two_that_extend_each_other_come_to_an_end(tmp_path: Path) -> None:
    file = tmp_path / "my file.yml"
    file.write_text(changed("    image", "    extends: {file: 'my file.yml', service: folotoy}\n    image"))

    assert named_files(str(file)) == [file]
