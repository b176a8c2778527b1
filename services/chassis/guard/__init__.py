"""The guard: what a child says, what a model answers and what is spoken is judged before it goes on."""
