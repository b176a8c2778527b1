import pytest

from chassis.upstream.pasted import plain_keys


@pytest.mark.parametrize(
    ("written", "keys"),
    [
        ("sk-1", ("sk-1",)),
        (" “sk-1” ", ("sk-1",)),
        ("Bearer sk-1", ("sk-1",)),
        ("sk-1，sk-2；sk-3、sk-1", ("sk-1", "sk-2", "sk-3")),
        ("'sk-1', 'sk-2'", ("sk-1", "sk-2")),
        ("sk-1\nsk-2\n", ("sk-1", "sk-2")),
        ("ｓｋ－1\u200b", ("sk-1",)),
        ("bce-v3/ALTAK-x/y:z", ("bce-v3/ALTAK-x/y:z",)),
        ("", ()),
    ],
)
def test_keys_are_read_however_they_are_pasted(written: str, keys: tuple[str, ...]) -> None:
    assert plain_keys(written) == keys
