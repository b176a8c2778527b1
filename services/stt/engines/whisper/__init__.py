"""Engine `whisper`: faster-whisper with short windows, batches of several callers, and a pool of models."""
