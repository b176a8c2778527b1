"""Sound: decoded, levelled, and encoded as it is made."""
