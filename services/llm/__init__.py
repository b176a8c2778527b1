"""POST /v1/chat/completions: a mind."""
