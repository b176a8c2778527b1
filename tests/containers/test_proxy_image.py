"""The proxy's image finds out by itself where it runs."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from containers.installation import SECONDS_TO_BUILD, docker, run, wait_until

HARDENED = ("--read-only", "--tmpfs=/tmp", "--tmpfs=/etc/nginx/conf.d:uid=10001,gid=10001", "--cap-drop=ALL")


@pytest.fixture(scope="module")
def image() -> Iterator[str]:
    name = f"talkbox-test-{os.getpid()}-proxy"
    run("docker", "build", "--quiet", "--tag", name, "proxy", seconds=SECONDS_TO_BUILD)
    yield name
    docker("image", "rm", "--force", name)


@contextmanager
def started(image: str, *options: str) -> Iterator[str]:
    """A container of it, once its nginx has workers."""
    container = docker("run", "--detach", *HARDENED, *options, image).strip()
    try:
        wait_until(lambda: workers(container) > 0, "nginx has workers")
        yield container
    finally:
        docker("rm", "--force", container)


def workers(container: str) -> int:
    return docker("top", container).count("nginx: worker process")


def filled_in(container: str) -> str:
    return docker("exec", container, "cat", "/etc/nginx/conf.d/talkbox.conf")


def test_half_a_cpu_is_one_worker(image: str) -> None:
    with started(image, "--cpus=0.5") as container:
        assert workers(container) == 1


def test_the_dns_servers_are_those_of_the_container(image: str) -> None:
    with started(image, "--dns=192.0.2.53", "--dns=2001:db8::53") as container:
        assert "\nresolver 192.0.2.53 [2001:db8::53] valid=1s ipv6=off;\n" in filled_in(container)


def test_in_a_cluster_a_service_has_its_whole_name(image: str) -> None:
    cluster = ("--env=KUBERNETES_SERVICE_HOST=192.0.2.1", "--dns-search=toys.svc.cluster.local")
    with started(image, *cluster, "--env=TALKBOX_HOST_LLM=llm.elsewhere.example") as container:
        conf = filled_in(container)

    assert "server stt.toys.svc.cluster.local:8000 resolve" in conf
    assert "server llm.elsewhere.example:8000 resolve" in conf


def test_a_resolver_that_is_set_stays(image: str) -> None:
    with started(image, "--env=TALKBOX_RESOLVER=resolver 192.0.2.9;") as container:
        assert "\nresolver 192.0.2.9;\n" in filled_in(container)


def test_a_network_of_ipv6_alone_reaches_it(image: str) -> None:
    with started(image, "--sysctl=net.ipv6.conf.all.disable_ipv6=0") as container:
        docker("exec", container, "bash", "-c", "exec 3<>/dev/tcp/::1/8080")
