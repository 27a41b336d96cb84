"""What a report says in a few sentences, and which differences it calls significant."""

from __future__ import annotations

from typing import Any

from compare_results import results

from nlptk.compare.report.content import significant
from nlptk.compare.report.headlines import headlines, rate


def told(found: dict[str, Any]) -> dict[str, str]:
    return {line["title"]: f"{line['model']}: {line['text']}" for line in headlines(found)}


def one(name: str, kind: str, scores: list[float], speed: float) -> dict[str, Any]:
    curve = [{"size": 10**k, "tokens": 1, "score": s, "interval": [s, s]} for k, s in enumerate(scores, 1)]
    best = {"size": 1, "score": scores[-1], "interval": [0, 1], "tokens_per_second": speed}
    return {"name": name, "kind": kind, "about": "", "cells": [], "curve": curve, "best": best}


def small(models: list[dict[str, Any]], differences: list[dict[str, Any]]) -> dict[str, Any]:
    return {"task": "taggers", "metric": "accuracy", "models": models, "differences": differences}


def test_headlines() -> None:
    pair = {"a": "hmm", "b": "crf", "difference": -0.04, "interval": [-0.05, -0.03], "p": 1e-4, "size": 1}
    close = {"a": "crf", "b": "net", "difference": -0.005, "interval": [-0.01, 0.01], "p": 0.3, "size": 1}
    models = [
        one("hmm", "classical", [0.8, 0.9, 0.91], 2e6),
        one("crf", "classical", [0.7, 0.92, 0.95], 45_600),
        one("net", "neural", [0.9, 0.91, 0.955], 789),
        one("peer", "peer", [0.99, 0.99, 0.93], 5),
    ]
    assert told(small(models, [pair, close])) == {
        "Most accurate": "net: 95.50 % accuracy; not significantly better than crf, peer, hmm",
        "Fastest": "hmm: 91.00 % accuracy; 2M tokens/s",
        "Fastest within a point of the best": (
            "crf: 95.00 % accuracy; 45.6K tokens/s, 58 times as fast as net"
        ),
        # Better with 10 too, but not with 100.
        "Neural is ahead": "net: from 1,000 sentences on: 95.50 % against 95.00 % of crf there",
    }
    others = [{**pair, "b": "net"}, {**pair, "a": "peer", "b": "net"}]
    close |= {"p": 0.001}
    assert told(small(models, [pair, close, *others]))["Most accurate"].endswith("than crf")  # 0 is inside
    close["interval"] = [-0.01, -0.001]
    assert told(small(models, [pair, close, *others]))["Most accurate"].endswith(
        "; significantly better than every other"
    )
    models[0]["best"]["size"] = 0
    assert told(small(models, [pair, close, *others]))["Most accurate"].endswith(
        "; significantly better than every other that learnt from as much"
    )
    models[2]["best"]["size"] = 0  # left out at the greatest size, and yet the best
    assert told(small(models, [pair, close]))["Most accurate"] == (
        "net: 95.50 % accuracy, with 0 to learn from; not significantly better than hmm"
    )
    models[2]["best"]["size"] = 1
    # A difference at a smaller size says nothing of the greatest.
    assert told(small(models, [pair, {**close, "size": 0}, *others]))["Most accurate"].endswith("than crf")
    models[2]["curve"][-1]["score"] = 0.94
    assert told(small(models, []))["Neural is ahead"] == (
        "net: not with 1,000 sentences: 94.00 % against 95.00 % of crf there"
    )


def test_headlines_of_few() -> None:
    assert headlines(results(models=2, sizes=(300,), failed=("hmm", "crf"))) == []
    assert [line["title"] for line in headlines(results(models=1))] == ["Most accurate"]
    assert [rate(number) for number in (1.234e6, 45_600, 789, 0.5, 2e9)] == [
        "1.23M",
        "45.6K",
        "789",
        "0.5",
        "2B",
    ]


def test_holm_stops_at_the_first_that_fails() -> None:
    def held(*values: float | None) -> list[bool]:
        return significant({"differences": [{"p": p, "interval": [0.1, 0.2]} for p in values]})

    assert held(0.06, 0.001, 0.012, 0.011) == [False, True, True, True]  # against 0.05 / 4, / 3, / 2, / 1
    assert held(0.03, 0.02, 0.04) == [False] * 3
    assert held(0.03, None, 0.02) == [True, False, True]
    assert significant({}) == []
    assert significant({"differences": [{"p": 0.001, "interval": [-0.1, 0.2]}]}) == [False]
