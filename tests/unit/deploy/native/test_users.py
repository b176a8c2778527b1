import os

import pytest
from deploy.installation import Addresses
from deploy.native import users
from deploy.native.layout import RUN
from deploy.native.render import nginx_main, supervisor_config


def programs(config: str) -> dict[str, str]:
    return {part.partition("]")[0]: part for part in config.split("[program:")[1:]}


def test_services_run_as_the_user_of_their_own_and_the_proxys_master_does_not_need_to() -> None:
    parts = programs(supervisor_config(Addresses(), "talkbox"))

    for service in ("stt", "llm", "tts"):
        assert "\nuser = talkbox\n" in parts[service]
    assert "user =" not in parts["proxy"]


def test_whoever_is_not_root_serves_as_who_they_are() -> None:
    assert "user =" not in "".join(programs(supervisor_config(Addresses(), None)).values())


@pytest.mark.skipif(os.getuid() != 0, reason="only root has a choice")
def test_nginxs_workers_run_as_that_user_too() -> None:
    assert nginx_main(RUN / "proxy.conf", "talkbox").startswith("user talkbox;\n")


@pytest.mark.skipif(os.getuid() == 0, reason="root has a choice")
def test_only_root_looks_for_another_user() -> None:
    assert users.prepare() is None
    assert users.serving_user() is None
