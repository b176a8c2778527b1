"""Other people's servers: their settings and keys, the client that asks them, and what their refusals mean."""
