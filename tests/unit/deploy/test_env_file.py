"""One `.env` means the same natively and in containers; what cannot be read is an error, never an open door."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from deploy.env_file import UnreadableEnv, UnreadableLine, parse_env, read_env

ALIKE = {
    "PLAIN=word": "word",
    "A =  two words  # a comment": "two words",
    "export A=yes": "yes",
    'A="with # inside" # a comment': "with # inside",
    "A='$kept as it \\n is'": "$kept as it \\n is",
    "A='it\\'s'": "it's",
    "A=a#b": "a#b",
    "A=#abc": "#abc",
    "A= #abc": "#abc",
    "A=": "",
    "A: colon": "colon",
    "A==b": "=b",
    'A="say \\"hi\\" now"': 'say "hi" now',
    'A="line1\\nline2"': "line1\nline2",
    'A="two\nlines"': "two\nlines",
    'A="a\\$b"': "a$b",
    'A="tab\\tq\\q"': "tab\tq\\q",
    "A=ab$$cd": "ab$cd",
    "A=costs 5$ or $5": "costs 5$ or $5",
    "A=${NOT_SET:-default}": "default",
    "A=${EMPTY:-default}": "default",
    "A=${EMPTY-default}": "",
    "A=${SET}x$SET": "valuexvalue",
    "A=\\n": "\\n",
    "A=(a) `b` $(c)": "(a) `b` $(c)",
    "A=é熊": "é熊",
    "A=tab\t#c": "tab\t#c",
    "\ufeffA=1\r": "1",
    "  A=indented": "indented",
}
BEFORE = "SET=value\nEMPTY=\n"


def last(text: str) -> str:
    return list(parse_env(text.removeprefix("\ufeff").replace("\r", ""), {}).values())[-1]


@pytest.mark.parametrize("line", ALIKE)
def test_a_line_means_what_it_says(line: str) -> None:
    bom = "\ufeff" if line.startswith("\ufeff") else ""

    assert last(bom + BEFORE + line.removeprefix(bom) + "\n") == ALIKE[line]


@pytest.mark.skipif(not shutil.which("docker"), reason="compares with Docker Compose")
def test_compose_reads_every_line_as_we_do(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text("services: {a: {image: a, env_file: .env}}\n")
    lines = [line.strip("\ufeff\r ").removeprefix("export ") for line in ALIKE]
    names = [f"A{number}" for number in range(len(lines))]
    renamed = [f"{name}{line.removeprefix('PLAIN').removeprefix('A')}" for name, line in zip(names, lines, strict=True)]
    (tmp_path / ".env").write_text("\ufeff" + BEFORE + "".join(line + "\r\n" for line in renamed), newline="")
    command = ["docker", "compose", "config", "--format", "json"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no Compose: {done.stderr[:80]}")
    theirs = json.loads(done.stdout)["services"]["a"]["environment"]

    ours = read_env(tmp_path / ".env", {})

    # In what it prints, Compose doubles each dollar sign.
    assert {name: theirs[name].replace("$$", "$") for name in names} == {name: ours[name] for name in names}


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("A=1\nAPI_KEYS=k$ecret\n", 2, "single quotes"),
        ('API_KEYS="a$b"', 1, "single quotes"),
        ("A=$2a$10$bY3Zx", 1, "single quotes"),
        ("A=ab${cd}e", 1, "single quotes"),
        ("A=${cd", 1, "single quotes"),
        ("A=a\\$b", 1, "single quotes"),
        ('API_KEYS="k1","k2"', 1, "one pair of quotes"),
        ("# fine\n\nA='never closed\nB=2\n", 3, "never closed"),
        ('A="never closed', 1, "never closed"),
        ("API_KEYS", 1, "NAME=value"),
        ("API KEYS=abc", 1, "NAME=value"),
        ("=abc", 1, "NAME=value"),
        ("1A=abc", 1, "NAME=value"),
        ("- A=abc", 1, "NAME=value"),
        ("熊=abc", 1, "NAME=value"),
    ],
)
def test_a_line_that_cannot_be_read_is_an_error_that_names_it(text: str, line: int, words: str) -> None:
    with pytest.raises(UnreadableLine, match=words) as raised:
        parse_env(text, {})

    assert f"line {line}:" in str(raised.value)


def test_an_error_shows_no_key() -> None:
    with pytest.raises(UnreadableLine) as raised:
        parse_env("OPENAI_API_KEY=sk$ecret", {})

    assert "ecret" not in str(raised.value)


def test_the_shell_wins_where_a_value_refers_to_a_variable() -> None:
    assert parse_env("X=file\nY=$X\n", {"X": "shell"}) == {"X": "file", "Y": "shell"}


def test_an_env_file_of_any_editor_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"\xef\xbb\xbfTALKBOX_PORT=9000\r\n# " + "设置".encode("gbk") + b"\r\nLAST=1")

    assert read_env(tmp_path / ".env") == {"TALKBOX_PORT": "9000", "LAST": "1"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-32"])
def test_an_env_file_that_is_no_utf8_says_so(tmp_path: Path, encoding: str) -> None:
    (tmp_path / ".env").write_bytes("API_KEYS=abc\n".encode(encoding))

    with pytest.raises(UnreadableEnv, match="UTF-8"):
        read_env(tmp_path / ".env")


@pytest.mark.parametrize(("text", "encoding"), [("LLM_SYSTEM_PROMPT=你是小熊", "gbk"), ("API_KEYS='clé'", "latin-1")])
def test_a_value_in_an_old_encoding_is_an_error_and_no_other_value(tmp_path: Path, text: str, encoding: str) -> None:
    (tmp_path / ".env").write_bytes(f"A=1\n{text}\n".encode(encoding))

    with pytest.raises(UnreadableLine, match=r"line 2: .*UTF-8"):
        read_env(tmp_path / ".env")


def test_an_env_file_that_may_not_be_read_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / ".env").mkdir()  # root may read any file

    with pytest.raises(UnreadableEnv, match=r"Is a directory.*chown"):
        read_env(tmp_path / ".env")


def test_no_env_file_means_no_settings(tmp_path: Path) -> None:
    assert read_env(tmp_path / ".env") == {}
