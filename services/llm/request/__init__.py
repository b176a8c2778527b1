"""A chat request on its way to an engine: its fields, its messages, and what each provider takes."""
