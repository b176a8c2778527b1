"""No library tells anybody anything."""

import subprocess
import sys
from pathlib import Path

import pytest

CODE = """
import chassis, onnxruntime
from onnxruntime.datasets import get_example
onnxruntime.InferenceSession(get_example("sigmoid.onnx"))
"""


def test_onnxruntime_keeps_no_number_of_the_device(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    root = Path(__file__).resolve().parents[3] / "services"
    subprocess.run([sys.executable, "-c", CODE], env={"HOME": str(tmp_path), "PYTHONPATH": str(root)}, check=True)

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
