"""The manifests for Kubernetes, rendered by the real kustomize and held against the real schemas."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy.installation import ROOT

from fixtures.tools import needs

FOLDER = ROOT / "deploy" / "kubernetes"
OVERLAYS = sorted(path.name for path in (FOLDER / "overlays").iterdir())
SERVICES = ("stt", "llm", "tts")
OF_OPERATORS = {"ScaledObject", "PodMonitor"}
"""Kinds that Kubernetes itself does not have."""

pytestmark = needs(shutil.which("kustomize"), "kustomize is not here")


def rendered(overlay: str) -> list[dict[str, Any]]:
    command = ["kustomize", "build", str(FOLDER / "overlays" / overlay)]
    return list(yaml.safe_load_all(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def of_kind(manifests: list[dict[str, Any]], kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in manifests if each["kind"] == kind}


def containers(manifests: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each Pod with its one container."""
    for deployment in of_kind(manifests, "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        yield pod, container


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_field_is_one_that_kubernetes_knows(overlay: str) -> None:
    known = [each for each in rendered(overlay) if each["kind"] not in OF_OPERATORS]
    command = [str(os.path.join(os.path.dirname(sys.executable), "kubernetes-validate")), "--strict", "/dev/stdin"]
    checked = subprocess.run(command, input=yaml.safe_dump_all(known), capture_output=True, text=True, check=False)

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_runs_as_root_or_writes_outside_its_volumes(overlay: str) -> None:
    for pod, container in containers(rendered(overlay)):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        assert kinds <= {"emptyDir", "persistentVolumeClaim", "secret"}
        assert not pod["automountServiceAccountToken"]
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_a_service_is_ready_when_warm_and_leaves_after_the_proxy_has_forgotten_it() -> None:
    manifests = rendered("cpu")
    for service in SERVICES:
        pod = of_kind(manifests, "Deployment")[service]["spec"]["template"]["spec"]
        [container] = pod["containers"]
        pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])

        assert container["startupProbe"]["exec"]["command"][-1] == "--loaded"
        assert pod["terminationGracePeriodSeconds"] > pause + 20
        assert of_kind(manifests, "Service")[service]["spec"]["clusterIP"] == "None"


def test_a_start_that_fetches_weights_is_no_failed_update() -> None:
    deployments = of_kind(rendered("cpu"), "Deployment")
    for service in SERVICES:
        spec = deployments[service]["spec"]
        probe = spec["template"]["spec"]["containers"][0]["startupProbe"]

        assert spec["progressDeadlineSeconds"] > probe["periodSeconds"] * probe["failureThreshold"]


@pytest.mark.parametrize("overlay", [each for each in OVERLAYS if each != "podman"])
def test_no_node_is_held_up_by_a_single_replica_or_a_sick_one(overlay: str) -> None:
    budgets = of_kind(rendered(overlay), "PodDisruptionBudget")

    assert budgets.keys() == {*SERVICES, "proxy"}
    for budget in budgets.values():
        assert (budget["spec"]["maxUnavailable"], budget["spec"]["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")


def test_an_update_waits_for_no_gpu_that_only_the_former_replica_could_give_back() -> None:
    spec = of_kind(rendered("gpu"), "Deployment")["stt"]["spec"]

    assert spec["strategy"]["rollingUpdate"] == {"maxUnavailable": 1, "maxSurge": 0}


@pytest.mark.parametrize(("overlay", "kind"), [("cpu", "HorizontalPodAutoscaler"), ("keda", "ScaledObject")])
def test_each_service_scales_alone(overlay: str, kind: str) -> None:
    scalers = of_kind(rendered(overlay), kind)

    assert {name: each["spec"]["scaleTargetRef"]["name"] for name, each in scalers.items()} == dict(
        zip(SERVICES, SERVICES, strict=True)
    )


def test_what_scaling_asks_prometheus_for_is_what_the_services_count() -> None:
    from chassis import metrics

    queries = [
        trigger["metadata"]["query"]
        for each in of_kind(rendered("keda"), "ScaledObject").values()
        for trigger in each["spec"]["triggers"]
    ]
    counted = {metrics.places, metrics.places_taken, metrics.queued, metrics.first_byte}
    names = {sample.name for metric in counted for family in metric.collect() for sample in family.samples}

    asked = {
        word for query in queries for word in query.replace("{", " ").replace("(", " ").split() if "talkbox_" in word
    }
    assert asked
    assert asked <= names | {"talkbox_first_byte_seconds_bucket"}


@needs(shutil.which("promtool"), "promtool is not here")
@pytest.mark.parametrize("service", SERVICES)
def test_scaling_counts_nobody_twice(service: str, tmp_path: Path) -> None:
    """Two replicas: eight callers have places, three of whom wait for an engine; two more wait for a place."""
    figures: dict[str, float] = {"talkbox_places{%s}": 10, "talkbox_places_taken{%s}": 4}
    figures |= {'talkbox_queued{for="place",%s}': 1, 'talkbox_queued{for="engine",%s}': 1.5}
    series = [
        {"series": name % f'service="{of}",instance="{replica}"', "values": f"{value}x5"}
        for name, value in figures.items()
        for of in SERVICES
        for replica in "ab"
    ]
    query = of_kind(rendered("keda"), "ScaledObject")[service]["spec"]["triggers"][0]["metadata"]["query"]
    wanted = {"expr": query, "eval_time": "5m", "exp_samples": [{"labels": "{}", "value": (8 + 2 + 1) / 10}]}
    test = {"tests": [{"interval": "1m", "input_series": series, "promql_expr_test": [wanted]}]}
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))

    done = subprocess.run(["promtool", "test", "rules", tmp_path / "test.yml"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_keys_come_from_a_secret_and_from_nowhere_else() -> None:
    manifests = rendered("cpu")
    [settings] = [each for name, each in of_kind(manifests, "ConfigMap").items() if name.startswith("settings")]

    assert not [name for name in settings["data"] if name.endswith(("_KEY", "_KEYS"))]
    assert not of_kind(manifests, "Secret")
