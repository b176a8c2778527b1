"""The stack file for a Swarm is one that Docker understands."""

import json

from containers.installation import run


def test_docker_reads_the_stack_and_each_service_has_its_rules_for_updates() -> None:
    stack = json.loads(run("docker", "compose", "--file", "deploy/swarm/stack.yaml", "config", "--format", "json"))
    services = stack["services"]

    assert set(services) == {"stt", "llm", "tts", "proxy"}
    for name in ("stt", "llm", "tts"):
        assert services[name]["deploy"]["update_config"]["order"] == "start-first"
        assert services[name]["read_only"]
        assert services["proxy"]["environment"][f"TALKBOX_HOST_{name.upper()}"] == f"tasks.{name}"
