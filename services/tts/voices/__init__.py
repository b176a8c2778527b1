"""Which of an engine's voices speaks for the one that was asked for."""
