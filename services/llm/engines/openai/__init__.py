"""Engines that are servers of the OpenAI dialect: providers, and models on this machine or network."""
