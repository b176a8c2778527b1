"""A class name means one thing: in services and tools it is used once, but for what each service has of its own."""

import ast
from collections import defaultdict
from pathlib import Path

from deploy.installation import ROOT

PARALLELS = {"Engine", "Settings", "Turn"}
"""One in each service, for the same thing there; `Turn` is a question and its answer, in llm and in `make talk`."""


def test_public_class_names_are_used_once() -> None:
    files: dict[str, list[Path]] = defaultdict(list)
    for folder in ("services", "deploy"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                    files[node.name].append(path.relative_to(ROOT))

    assert len(files) > 100
    assert {name: where for name, where in files.items() if len(where) > 1 and name not in PARALLELS} == {}
