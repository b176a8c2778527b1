"""Whatever a file changes for the whole process is in ARCHITECTURE.md's table."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from deploy.installation import ROOT

SERVICES = ROOT / "services"
CALLS = re.compile(
    r"(gc\.(freeze|set_threshold|disable)|sys\.(setswitchinterval|setrecursionlimit)|signal\.signal"
    r"|os\.environ\.(setdefault|update|pop)|os\.putenv|locale\.setlocale|logging\.basicConfig"
    r"|logging\.getLogger\(.*\)\.setLevel|.*\.(mallopt|av_max_alloc))"
)


def changes(path: Path) -> Iterator[str]:
    """Yield the statements of a file that reach beyond it."""
    tree = ast.parse(path.read_text())
    imported = {
        (alias.asname or alias.name).partition(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and CALLS.fullmatch(ast.unparse(node.func)):
            yield ast.unparse(node)
        if isinstance(node, ast.Constant) and node.value == "mallopt":
            yield "mallopt"
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            text = ast.unparse(target)
            outside = isinstance(target, ast.Attribute) and text.partition(".")[0] in imported
            if outside or text.startswith(("os.environ[", "vars(")):
                yield text


def table() -> str:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    return text[text.index("## What is changed for the whole process") : text.index("## Words")]


def test_every_file_that_changes_the_whole_process_is_in_the_table() -> None:
    files = {str(path.relative_to(SERVICES)) for path in SERVICES.rglob("*.py") if list(changes(path))}

    assert len(files) > 6
    assert {file for file in files if f"`{file}`" not in table()} == set()
