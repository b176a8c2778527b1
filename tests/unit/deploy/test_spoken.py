"""`make spoken` as a parent runs it: a process of its own, without a service."""

import os
import subprocess
from pathlib import Path

import pytest
from deploy.installation import ROOT
from deploy.spoken import main

FIELDS = ("TEXT", "FILE", "VOICE", "LANGUAGE", "V", "TTS_LANGUAGE", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")


def spoken(*arguments: str, stdin: bytes = b"", **environ: str) -> "subprocess.CompletedProcess[bytes]":
    clean = {name: value for name, value in os.environ.items() if name not in FIELDS}
    return subprocess.run(
        ["make", "spoken", *arguments], cwd=ROOT, input=stdin, capture_output=True, env=clean | environ, check=False
    )


def said(*arguments: str, stdin: bytes = b"", **environ: str) -> list[str]:
    done = spoken(*arguments, stdin=stdin, **environ)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().split("\n")[:-1]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["TEXT=25", "LANGUAGE=zh"], "二十五"),
        (["TEXT=25", "VOICE=de-DE-KatjaNeural"], "25"),
        (["TEXT=$n^2$"], "n squared"),
        (["TEXT=“5”, '6', \"7\", `8` \\ 9"], "“five”, 'six', \"seven\", eight nine"),
    ],
)
def test_what_make_is_given_arrives_as_it_is(arguments: list[str], text: str) -> None:
    assert said(*arguments) == [text]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["5-3等于几"], "五减三等于几"),
        (["What is 12 - 7?"], "What is twelve minus seven?"),
        (["25"], "twenty-five"),
        (["25。"], "二十五。"),
        (["25", "--voice=zh-CN-XiaoxiaoNeural"], "二十五"),
        (["25", "--voice=alloy"], "twenty-five"),
        (["😀"], ""),
    ],
)
def test_a_text_is_printed_as_it_would_be_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], text: str
) -> None:
    for name in FIELDS:
        monkeypatch.delenv(name, raising=False)

    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{text}\n"


def test_a_file_gives_a_line_for_each_of_its_lines(tmp_path: Path) -> None:
    lines = tmp_path / "lines.txt"
    lines.write_bytes("\ufeff3只熊\r\n\nroom 302\n😀\n".encode() + b"\xff5 bears\xed\xa0\x80\n" + "最后2台".encode())

    assert said(f"FILE={lines}") == ["三只熊", "", "room three zero two", "", "five bears", "最后两台"]


def test_lines_come_from_standard_input_too() -> None:
    assert said("FILE=-", stdin="1+1=2\n2人\n".encode()) == ["one plus one equals two", "两人"]


def test_what_else_there_is_to_know_is_shown_on_request() -> None:
    lines = said("TEXT=￥5元。", "V=1")

    assert lines[0] == "五元。"
    assert [line.split() for line in lines[1:]] == [["language", "zh"], ["text", "￥5元。"], ["clauses", "五元。"]]


def test_the_language_of_the_terminal_is_not_that_of_the_voice() -> None:
    assert said("TEXT=25", LANGUAGE="zh_CN:zh") == ["twenty-five"]


def test_the_house_speaks_its_language() -> None:
    assert said("TEXT=25", TTS_LANGUAGE="zh") == ["二十五"]


@pytest.mark.parametrize("file", ["/nowhere/lines.txt", "/"])
def test_a_file_that_cannot_be_read_is_named(file: str) -> None:
    done = spoken(f"FILE={file}")

    assert (done.returncode, done.stdout) == (2, b"")  # make's own status for a target that failed
    assert f"FILE={file} cannot be read" in done.stderr.decode()
    assert "Traceback" not in done.stderr.decode()


def test_nothing_to_read_says_how_it_is_used() -> None:
    assert "make spoken TEXT=" in spoken().stderr.decode()


def test_only_what_python_has_is_needed() -> None:
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(['msgspec', 'starlette', 'httpx'])); import deploy.spoken as s"
    )
    python = subprocess.run([ROOT / "deploy" / "python"], capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [python, "-c", f"{blocked}; sys.exit(s.main(['3只熊']))"],
        cwd=ROOT,
        env={"PYTHONPATH": ".:services", "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )

    assert done.stdout.decode() == "三只熊\n", done.stderr.decode()
