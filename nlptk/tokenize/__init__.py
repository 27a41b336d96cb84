"""Tokenizers and segmenters: components that assign "doc.tokens"."""
