"""Engines that are transcription servers of the OpenAI dialect."""
