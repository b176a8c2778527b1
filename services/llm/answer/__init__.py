"""A chat answer on its way to the caller: relayed, filtered, encoded and counted."""
