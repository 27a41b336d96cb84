"""Vectorizers go out as settings and arrays and come in again; altered states are refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from test_vectorizers import SMALL, same_matrix

from nlptk.errors import ConfigError, ModelError
from nlptk.store import pack, unpack
from nlptk.vectors import counts as ours


@pytest.mark.parametrize(
    "our",
    [
        ours.CountVectorizer(ngram_range=(1, 2), stop_words=["the"], dtype=np.float32),
        ours.CountVectorizer(vocabulary=["dog", "cat"]),
        ours.CountVectorizer(analyzer="char", lowercase=False),
        ours.TfidfVectorizer(sublinear_tf=True, tokenizer="en"),
        ours.TfidfVectorizer(use_idf=False, min_df=2),
        ours.HashingVectorizer(n_features=50, norm="l1"),
    ],
)
def test_states_go_out_and_in(our: Any) -> None:
    documents = [*SMALL, "\ud800 lone İ"]
    expected = our.fit_transform(documents)
    config, arrays = our.to_state()
    again = type(our).from_state(config, unpack(pack(arrays, "it"), "it"))
    same_matrix(expected, again.transform(documents))
    assert repr(again) == repr(our) or our.vocabulary is not None
    assert again.to_state()[0] == config


def test_code_is_not_saved() -> None:
    with pytest.warns(UserWarning, match="token_pattern"):
        our = ours.CountVectorizer(tokenizer=str.split).fit(SMALL)
    with pytest.raises(ConfigError, match="tokenizer is code"):
        our.to_state()
    with pytest.raises(NotFittedError):
        ours.TfidfVectorizer().to_state()


def test_altered_states_are_refused() -> None:
    config, arrays = ours.TfidfVectorizer().fit(SMALL).to_state()
    offsets, terms, idf = arrays["offsets"], arrays["terms"], arrays["idf"]
    swapped = offsets.copy()
    swapped[[1, 2]] = swapped[[2, 1]]
    for change in (
        {"offsets": offsets[:-1]},
        {"offsets": swapped},
        {"offsets": offsets.astype(np.int32)},
        {"terms": terms[:-1]},
        {"terms": np.full_like(terms, 0xFF)},
        {"terms": np.full_like(terms, ord("a")), "offsets": np.arange(len(terms) + 1)},
        {"idf": idf[1:]},
        {"idf": idf * np.nan},
    ):
        with pytest.raises(ModelError, match=r"altered|another kind"):
            ours.TfidfVectorizer.from_state(config, arrays | change)
    with pytest.raises(ModelError, match="lacks its arrays"):
        ours.CountVectorizer.from_state(config, {})
    for params in ({"min_df": -1}, {"dtype": "cat"}, {"ngram_range": 3}, {"made_up": 1}):
        with pytest.raises(ModelError, match="settings are altered"):
            ours.TfidfVectorizer.from_state({**config, "params": config["params"] | params}, arrays)
    with pytest.raises(ModelError, match="settings are altered"):
        ours.TfidfVectorizer.from_state({}, arrays)
    with pytest.raises(ModelError, match="settings are altered"):
        ours.HashingVectorizer.from_state({}, {})
