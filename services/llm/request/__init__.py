"""A chat request: parsed and checked, its fields, its messages, what each provider takes of it."""
