"""Texts through a trained network: encode, search, decode, and what was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

@dataclass(frozen=True)
class Translation:
    text: str

class Translator:
    pass
