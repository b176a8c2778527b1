"""The frame each service is bolted to; never runs alone."""
