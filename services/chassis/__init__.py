"""The frame each service is bolted to; never runs alone."""

VERSION = "0.1.0"
"""The release that this is, as in CHANGELOG.md."""
