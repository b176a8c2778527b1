"""Engines that are speech servers of the OpenAI dialect."""
