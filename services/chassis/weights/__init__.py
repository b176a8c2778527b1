"""Model weights: found on disk, or downloaded from a hub and checked."""
