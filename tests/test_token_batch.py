"""Batches of tokens as the feature kernel takes them."""

from __future__ import annotations

import numpy as np
import pytest

from nlptk import _core
from nlptk.tag.features import TokenBatch


def test_batches_of_tokens_are_checked():
    def keys(**change):
        arguments = {
            "texts": ["ab c", "d"],
            "starts": np.array([0, 3, 0], np.int32),
            "ends": np.array([2, 4, 1], np.int32),
            "documents": np.array([0, 2, 3]),
            "sequences": np.array([0, 2, 3]),
            "columns": [np.zeros(3, np.uint64)],
        }
        kernel = _core.TokenFeatures(
            [(11, 0)], [[(0, 0, 0)]], [1], np.zeros(0, np.uint32), np.zeros((0, 0), np.uint16)
        )
        return kernel.keys(**{**arguments, **change})

    assert keys().shape == (3, 1)
    for change, message in [
        ({"ends": np.array([2, 5, 1], np.int32)}, "token 1 of document 0 lies outside"),
        ({"starts": np.array([0, -1, 0], np.int32)}, "token 1 of document 0 lies outside"),
        ({"starts": np.array([3, 3, 0], np.int32)}, "token 0 of document 0 lies outside"),
        ({"ends": np.array([2, 4], np.int32)}, "same length"),
        ({"documents": np.array([0, 3])}, "one longer than the texts"),
        ({"documents": np.array([0, 4, 3])}, "must not decrease"),
        ({"sequences": np.array([0, 3])}, "must not cross"),
        ({"sequences": np.array([[0, 3]])}, "one-dimensional"),
        ({"sequences": np.array([0, 2])}, "end at 3"),
        ({"columns": []}, "need 1 other columns"),
        ({"columns": [np.zeros(2, np.uint64)]}, "one value for each token"),
    ]:
        with pytest.raises(ValueError, match=message):
            keys(**change)
    with pytest.raises(TypeError, match="must be str"):
        keys(texts=["ab c", b"d"])


def test_from_words_places_words_behind_one_another():
    batch = TokenBatch.from_words([["ab", "c"], [], ["", "d"]])
    assert batch.texts == ["ab c", "", " d"]
    assert batch.starts.tolist() == [0, 3, 0, 1]
    assert batch.ends.tolist() == [2, 4, 0, 2]
    assert batch.sequences.tolist() == [0, 2, 2, 4]
