"""Answers that were spoken before, in memory and in a folder, and those being spoken now."""
