"""Budgets of each key, and where they are counted."""
