"""`make safety`: how a guarded llm ends what children ask, attacks and harmless questions alike, as a sheet."""
