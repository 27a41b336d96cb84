"""Maps of words: projections, pages and pictures, and ``nlptk vectors plot``."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nlptk.errors import ConfigError, MissingDependencyError
from nlptk.vectors.keyed_vectors import KeyedVectors
from nlptk.vectors.plot import project, save_html, save_png

Run = Callable[..., tuple[int, str, str]]

MARKUP = ["</script><script>alert(1)</script>", "<b>&amp;", '"', "\\", "$x$"]
NASTY = [*MARKUP, "\u2028", "\ud800", "\0", "猫", "🦦"]


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    words = [f"w{i}" for i in range(30)] + ["king", "queen", "猫"]
    rows = np.random.default_rng(0).normal(size=(len(words), 8)).astype(np.float32)
    KeyedVectors(words, rows).save(tmp_path / "vectors.txt")
    return tmp_path / "vectors.txt"


def data_of(page: str) -> dict[str, list[object]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    data: dict[str, list[object]] = json.loads(found[1])
    return data


def test_pca_is_the_directions_of_largest_variance() -> None:
    rows = np.random.default_rng(1).normal(size=(50, 6)) * [1, 9, 1, 4, 1, 1]
    points = project(rows)
    from sklearn.decomposition import PCA

    np.testing.assert_allclose(np.abs(points), np.abs(PCA(2).fit_transform(rows)), atol=1e-9)
    assert (project(rows) == points).all()
    assert (points[np.abs(points).argmax(axis=0), [0, 1]] > 0).all()


@pytest.mark.parametrize("method", ["pca", "tsne"])
@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_few_words_have_places(method: str, count: int) -> None:
    rows = np.random.default_rng(count).normal(size=(count, 3))
    rows[0] = 0
    points = project(rows, method)  # type: ignore[arg-type]
    assert points.shape == (count, 2)
    assert np.isfinite(points).all()


def test_tsne_is_seeded_and_keeps_neighbours() -> None:
    rng = np.random.default_rng(2)
    centres = np.eye(3, 10)[np.arange(30) % 3] * 20
    rows = centres + rng.normal(size=(30, 10))
    points = project(rows, "tsne", seed=4)
    assert (project(rows, "tsne", seed=4) == points).all()
    distance = ((points[:, None] - points) ** 2).sum(-1) + np.diag(np.full(30, np.inf))
    assert (distance.argmin(axis=1) % 3 == np.arange(30) % 3).all()


def test_nothing_to_plot() -> None:
    with pytest.raises(ConfigError, match="nothing to plot"):
        project(np.zeros((0, 3)))
    with pytest.raises(ConfigError, match="method 'umap'"):
        project(np.zeros((2, 3)), "umap")  # type: ignore[arg-type]


def test_a_page_holds_any_word_and_asks_for_nothing(tmp_path: Path) -> None:
    points = np.arange(2.0 * len(NASTY)).reshape(-1, 2)
    save_html(tmp_path / "map.html", NASTY, points, title="<i>\ud800 words")
    page = (tmp_path / "map.html").read_text("utf-8")
    assert data_of(page) == {"words": NASTY, "x": points[:, 0].tolist(), "y": points[:, 1].tolist()}
    assert page.count("<script") == 2
    assert "alert(1)</script>" not in page
    assert "<title>&lt;i&gt;? words</title>" in page
    assert not re.search(r"https?:|src=|@import|url\(", page)
    assert "@DATA@" not in page
    for part in ("wheel", "pointermove", "search"):
        assert part in page


def test_a_picture_of_any_word(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    missing = save_png(tmp_path / "map.png", [*NASTY, "\U0010fffd"], np.zeros((len(NASTY) + 1, 2)))
    assert (tmp_path / "map.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert "\U0010fffd" in missing  # private use: no font has it
    assert [path.name for path in tmp_path.iterdir()] == ["map.png"]
    assert save_png(tmp_path / "map.png", ["plain"], np.zeros((1, 2))) == []


def test_without_matplotlib_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'nlptk\[plot\]'"):
        save_png(tmp_path / "map.png", ["a"], np.zeros((1, 2)))


def test_the_pages_program_is_sound(tmp_path: Path) -> None:
    """Its syntax, where there is a Node to ask."""
    page = (Path(sys.modules["nlptk.vectors.plot"].__file__ or "").with_suffix(".html")).read_text("utf-8")
    program = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[0]
    assert program.count("{") == program.count("}")
    (tmp_path / "map.js").write_text(program)
    try:
        done = subprocess.run(["node", "--check", str(tmp_path / "map.js")], capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no Node to check the syntax")
    assert done.returncode == 0, done.stderr.decode()


# ---- the command ----


def test_command_writes_a_page(run: Run, vectors: Path, tmp_path: Path) -> None:
    page = tmp_path / "map.html"
    status, out, err = run("vectors", "plot", vectors, "-o", page, "--top", 12)
    assert (status, out) == (0, "")
    assert "12 words" in err
    wv = KeyedVectors.load(vectors)
    data = data_of(page.read_text("utf-8"))
    assert data["words"] == wv.index_to_key[:12]
    np.testing.assert_allclose(data["x"], project(wv.vectors[:12])[:, 0], atol=1e-4)


def test_command_takes_words_from_anywhere(run: Run, vectors: Path, tmp_path: Path) -> None:
    listed = tmp_path / "words.txt"
    listed.write_text("猫\nking\n\nnone\n", "utf-8")
    page = tmp_path / "map.html"
    words = ("--words", "queen w1", "--words", "w2", "--words-file", listed)
    status, _, err = run("vectors", "plot", vectors, "-o", page, *words, "--method", "tsne")
    assert status == 0
    assert data_of(page.read_text("utf-8"))["words"] == ["queen", "w1", "w2", "猫", "king"]
    assert "without a vector, left out: none" in err


def test_command_draws_a_picture(run: Run, vectors: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    status, _, err = run(
        "vectors", "plot", vectors, "-o", tmp_path / "map.png", "--words", "king queen", "--size", 3
    )
    assert (status, "2 words" in err) == (0, True)
    assert (tmp_path / "map.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("-o", "map.svg"), 2, "must end in .png or .html"),
        (("-o", "map.html", "--words", "none"), 1, "none of these words has a vector"),
        (("-o", "no/map.html"), 2, "there is no folder"),
    ],
)
def test_command_refuses(
    run: Run,
    vectors: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[object, ...],
    status: int,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    got, out, err = run("vectors", "plot", vectors, *arguments)
    assert (got, out, err.count("\n")) == (status, "", 1)
    assert message in err
