"""Errors that nlptk raises: each message is one sentence that names the problem and what to do."""

from __future__ import annotations


class NlptkError(Exception):
    """Base of every error that nlptk raises on purpose."""


class ConfigError(NlptkError, ValueError):
    """A setting, component name or argument is not usable."""


class DataError(NlptkError, ValueError):
    """A corpus file or training set is malformed; names file and line where there is one."""


class ModelError(NlptkError):
    """A model on disk is missing, truncated, altered or of an unknown version; names file and cause."""


class MissingDependencyError(NlptkError, ImportError):
    """An optional package is needed; the message says how to install it."""
