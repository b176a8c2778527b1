"""Token and request budgets of each key, and where they are counted."""
