"""Rows for making and examining: where they come from, what they look like, how they are split."""
