"""A recording: decoded, measured, and cut where nobody speaks."""
