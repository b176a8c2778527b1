from pathlib import Path

import pytest

from chassis.server.auth import KeyOptions
from chassis.settings import Options, ServiceSettings, SettingError, read


class Sample(Options, frozen=True, kw_only=True):
    prefix = "X_"
    seconds: float = 4.0
    number: int = 1
    names: tuple[str, ...] = ("a",)
    on: bool = True
    api_key: int = 0
    folder: Path = Path("models")


class Named(Options, frozen=True, kw_only=True):
    prefix = "X_"
    api_key: str = ""


class Needy(Options, frozen=True, kw_only=True):
    url: str


def test_unset_and_empty_variables_keep_their_defaults() -> None:
    assert read(Sample, {"X_SECONDS": "", "X_NAMES": " "}) == Sample()


def test_values_are_read_as_their_types() -> None:
    environ = {"X_SECONDS": "2.5", "X_NUMBER": "7", "X_NAMES": "edge, espeak,", "X_ON": "off"}

    assert read(Sample, environ) == Sample(seconds=2.5, number=7, names=("edge", "espeak"), on=False)


@pytest.mark.parametrize(("text", "value"), [("on", True), ("Yes", True), ("1", True), ("No", False), ("FALSE", False)])
def test_switches_are_understood_in_every_common_form(text: str, value: bool) -> None:
    assert read(Sample, {"X_ON": text}).on is value


def test_a_folder_is_read_as_a_path() -> None:
    assert read(Sample, {"X_FOLDER": "~/models"}).folder == Path.home() / "models"


def test_a_prefix_can_be_given() -> None:
    assert read(Sample, {"Y_NUMBER": "3"}, prefix="Y_").number == 3


@pytest.mark.parametrize("variable", ["X_SECONDS", "X_NUMBER", "X_ON"])
def test_a_value_of_the_wrong_type_is_named_with_what_it_was(variable: str) -> None:
    with pytest.raises(SettingError, match=rf"{variable}.*'abc'"):
        read(Sample, {variable: "abc"})


@pytest.mark.parametrize(
    ("variable", "text"),
    [("FIRST_BYTE_SECONDS", "0"), ("MAX_CONCURRENT", "0"), ("MAX_QUEUED", "-1"), ("MAX_BODY_BYTES", "-1")],
)
def test_a_number_with_which_nothing_could_be_served_is_refused(variable: str, text: str) -> None:
    class Service(ServiceSettings, frozen=True, kw_only=True):
        prefix = "X_"
        engines: tuple[str, ...] = ("a",)

    with pytest.raises(SettingError, match=variable):
        read(Service, {f"X_{variable}": text})


def test_a_key_is_not_shown_in_the_complaint() -> None:
    with pytest.raises(SettingError) as raised:
        read(Sample, {"X_API_KEY": "sk-secret"})

    assert "sk-secret" not in str(raised.value)


def test_a_required_value_that_is_missing_is_named() -> None:
    with pytest.raises(SettingError, match="Set URL"):
        read(Needy, {})


@pytest.mark.parametrize("content", ["sk-1\n", "\ufeff sk-1 \r\n\r\n"])
def test_any_value_may_be_read_from_a_file(tmp_path: Path, content: str) -> None:
    (tmp_path / "secret").write_text(content, encoding="utf-8")

    assert read(Named, {"X_API_KEY_FILE": str(tmp_path / "secret")}).api_key == "sk-1"
    assert read(Named, {"X_API_KEY_FILE": " ", "X_API_KEY": "sk-2"}).api_key == "sk-2"


def test_a_file_that_cannot_be_read_or_is_one_too_many_is_named_without_its_content(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "odd").write_bytes(b"\xff\xfe\x00sk-1")
    for name, reason in (("absent", "No such file"), ("empty", "empty"), ("odd", "no text"), ("", "directory")):
        with pytest.raises(SettingError, match=f"X_API_KEY_FILE.*{reason}") as raised:
            read(Named, {"X_API_KEY_FILE": str(tmp_path / name)})
        assert "sk-1" not in str(raised.value)
    with pytest.raises(SettingError, match="not both"):
        read(Named, {"X_API_KEY_FILE": str(tmp_path / "empty"), "X_API_KEY": "sk-2"})


@pytest.mark.parametrize("text", [",", " , ,"])
def test_a_list_of_nothing_but_commas_is_an_error_and_no_open_door(text: str) -> None:
    with pytest.raises(SettingError, match="API_KEYS"):
        read(KeyOptions, {"API_KEYS": text})
