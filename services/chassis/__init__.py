"""The frame each service is bolted to; never runs alone."""

import os

VERSION = "0.1.0"
"""The release that this is, as in CHANGELOG.md."""
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime notes each start on the disk, and tells Microsoft
