"""Taggers: one label for each token."""
