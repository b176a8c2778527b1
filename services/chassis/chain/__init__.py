"""The chain: which engine answers a request, in what order, and what happens when one fails."""
