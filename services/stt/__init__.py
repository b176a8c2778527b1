"""Speech in, words out: POST /v1/audio/transcriptions."""
