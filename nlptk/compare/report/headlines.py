"""The result in a few sentences: the best model, the fastest, the compromise, where neural is ahead."""

from __future__ import annotations

from typing import Any

from nlptk.compare.report.content import finished, significant

_NEAR = 0.01  # below the best score: "within a point"


def headlines(results: dict[str, Any]) -> list[dict[str, str]]:
    """Sentences to begin with, each {"title", "model", "text"}; none where no model has finished.

    "Neural is ahead" from the smallest size on from which, at every greater size too, the best neural model's
    score is above the best classical one's; peers of other toolkits are left out of that.
    """
    models = finished(results)
    if not models:
        return []
    best = models[0]
    found = [_line("Most accurate", best, results, _equals(best, results))]
    timed = [model for model in models if model["best"].get("tokens_per_second")]
    if timed and len(models) > 1:
        fastest = max(timed, key=_speed)
        found.append(_line("Fastest", fastest, results, f"{rate(_speed(fastest))} tokens/s"))
        near = [model for model in timed if model["best"]["score"] >= best["best"]["score"] - _NEAR]
        if near:
            choice = max(near, key=_speed)
            told = f"{rate(_speed(choice))} tokens/s"
            if choice is not best and best["best"].get("tokens_per_second"):
                told += f", {_speed(choice) / _speed(best):.2g} times as fast as {best['name']}"
            found.append(_line("Fastest within a point of the best", choice, results, told))
    return found + _pays_off(results)


def rate(number: float) -> str:
    """A rate in three digits, as the page writes it: 1.23M, 45.6K, 789."""
    for unit, name in ((1e9, "B"), (1e6, "M"), (1e3, "K")):
        if number >= unit:
            return f"{number / unit:.3g}{name}"
    return f"{number:.3g}"


def percent(score: float) -> str:
    return f"{100 * score:.2f} %"


def _speed(model: dict[str, Any]) -> float:
    return float(model["best"]["tokens_per_second"])


def _line(title: str, model: dict[str, Any], results: dict[str, Any], text: str) -> dict[str, str]:
    metric = "F1" if results["metric"] == "f1" else results["metric"]
    score = f"{percent(model['best']['score'])} {metric}"
    if (size := model["best"]["size"]) < max(one["best"]["size"] for one in finished(results)):
        score += f", with {size:,} to learn from"
    return {"title": title, "model": model["name"], "text": f"{score}; {text}" if text else score}


def _equals(best: dict[str, Any], results: dict[str, Any]) -> str:
    """Which models that learnt from as much it is not significantly better than, if there are such."""
    name, size = best["name"], best["best"]["size"]
    clear = {
        frozenset((pair["a"], pair["b"]))
        for pair, is_clear in zip(results.get("differences") or (), significant(results), strict=True)
        if is_clear and pair["size"] == size
    }
    rivals = [one["name"] for one in finished(results) if one is not best and one["best"]["size"] == size]
    if not rivals:
        return ""
    equals = [rival for rival in rivals if frozenset((name, rival)) not in clear]
    if equals:
        return f"not significantly better than {', '.join(equals)}"
    others = len(finished(results)) - 1 > len(rivals)
    return "significantly better than every other" + (" that learnt from as much" if others else "")


def _pays_off(results: dict[str, Any]) -> list[dict[str, str]]:
    scores: dict[str, dict[int, tuple[float, str]]] = {"classical": {}, "neural": {}}
    for model in results["models"]:
        best_at = scores.get(model["kind"])
        if best_at is not None:
            for point in model.get("curve") or ():
                now = (point["score"], model["name"])
                best_at[point["size"]] = max(now, best_at.get(point["size"], now))
    sizes = sorted(scores["classical"].keys() & scores["neural"].keys())
    if not sizes:
        return []
    unit = "texts" if results["task"] == "classifiers" else "sentences"
    ahead = None
    for size in reversed(sizes):
        if scores["neural"][size][0] <= scores["classical"][size][0]:
            break
        ahead = size
    at = ahead or sizes[-1]
    (neural, name), (classical, other) = scores["neural"][at], scores["classical"][at]
    told = f"{percent(neural)} against {percent(classical)} of {other} there"
    when = f"from {ahead:,} {unit} on" if ahead else f"not with {at:,} {unit}"
    return [{"title": "Neural is ahead", "model": name, "text": f"{when}: {told}"}]
