"""Voices: their names, and which of an engine's voices speaks for the one that was asked for."""
