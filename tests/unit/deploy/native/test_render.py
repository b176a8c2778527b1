import re

import pytest
from deploy.installation import ROOT, Addresses
from deploy.native.render import TEMPLATE, max_body_bytes, proxy_config

from llm.settings import Settings as Thinking
from stt.settings import Settings as Hearing
from tts.settings import Settings as Speaking

NAMES = set(re.findall(r"\$\{(TALKBOX_\w+)\}", TEMPLATE.read_text()))


def rendered(**settings: str) -> str:
    return proxy_config(TEMPLATE.read_text(), Addresses.of(settings), settings)


def test_every_variable_of_the_template_is_filled_in() -> None:
    assert NAMES
    assert "${TALKBOX_" not in rendered()


def test_the_image_fills_in_the_same_variables() -> None:
    image = "".join((ROOT / "proxy" / file).read_text() for file in ("Dockerfile", "start"))

    assert set(re.findall(r"\b(TALKBOX_(?!HOST_)\w+)=", image)) == NAMES


def test_nginxs_own_variables_stay() -> None:
    assert "$proxy_add_x_forwarded_for" in rendered()


def test_services_are_reached_on_loopback_and_the_proxy_where_it_shall_be() -> None:
    text = rendered(TALKBOX_PORT="9000", TALKBOX_BIND="10.0.0.7")

    assert "server 127.0.0.1:9013 " in text
    assert set(re.findall(r"listen (\S+);", text)) == {f"10.0.0.7:{port}" for port in (9000, 9001, 9002, 9003)}


@pytest.mark.parametrize(("limit", "megabytes"), [("", 32), ("1000", 32), (str(100 * 2**20), 101)])
def test_the_proxy_takes_a_little_more_than_any_service(limit: str, megabytes: int) -> None:
    assert max_body_bytes({"STT_MAX_BODY_BYTES": limit}) == megabytes * 2**20


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("deploy/containers/settings", "TALKBOX_MAX_BODY=$((32 * 1024 * 1024))"),
        ("proxy/Dockerfile", "TALKBOX_MAX_BODY=32m"),
        ("compose.yaml", "${TALKBOX_MAX_BODY:-32m}"),
        ("deploy/kubernetes/components/ingress/ingress.yaml", "proxy-body-size: 32m"),
    ],
)
def test_every_proxy_takes_as_much_where_nothing_is_set(file: str, said: str) -> None:
    assert max_body_bytes({}) == 32 * 2**20
    assert said in (ROOT / file).read_text()


@pytest.mark.parametrize("limit", [settings().max_body_bytes for settings in (Hearing, Thinking, Speaking)])
def test_what_a_service_takes_where_nothing_is_set_comes_through_the_proxy(limit: int) -> None:
    assert limit < max_body_bytes({})
