"""POST /v1/audio/speech: words in, sound out."""
