"""Word classes from text: Brown clusters against a plain oracle, k-means, files, the command."""

from __future__ import annotations

import itertools
import json

import numpy as np
import pytest
from cli_process import run  # noqa: F401
from hypothesis import given, settings
from hypothesis import strategies as st

from nlptk.errors import ConfigError, DataError
from nlptk.lexicons import WordClasses
from nlptk.vectors.clusters import BrownClusters, brown_clusters, kmeans_classes, write_classes
from nlptk.vectors.keyed_vectors import KeyedVectors
