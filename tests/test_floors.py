"""The house: files import only from floors below, kernels know nothing of Python, `import nlptk` is lazy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import nlptk

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "nlptk"

# From the ground up; a name is a module or package of nlptk. Files of one floor may import one another,
# but the crafts may not.
FLOORS: list[set[str]] = [
    {"errors", "machine", "pickling", "_core"},
    {
        "extensions",
        "lexical",
        "offsets",
        "align",
        "store",
        "similarity",
        "views",
        "doc",
        "doc_io",
        "docbin",
        "registry",
        "pickling",
    },
    {
        "component",
        "estimator",
        "decoding",
        "perplexity",
        "analysis",
        "corpora",
        "scoring",
        "parallel",
        "state",
        "chain",
        "crf",
        "crf_compact",
        "features",
        "templates",
        "lexicons",
        "evaluation",
        "render",
        "draw",
        "linear_svm",
    },
    {"tokenize", "vectors", "tag", "classify", "lm", "hanlp"},
    {"neural"},
    {"pipes", "language_io", "language_pipe", "language"},
    {"evaluation"},
    {"compare"},
    {"cli", "__main__"},
]
# Subclasses of scikit-learn's classes, imported when one of them is asked for; what imports one is one.
OF_SKLEARN = {PACKAGE / name for name in ("linear_svm.py", "vectors/counts.py", "vectors/documents.py")}
# May import torch outside neural/, in their functions: vectors of several machines, and a peer that is torch.
OF_TORCH = {PACKAGE / "vectors" / "distributed.py", PACKAGE / "compare" / "peers" / "transformers.py"}
CRAFTS = {"tokenize", "vectors", "tag", "classify", "lm"}

SOURCES = sorted(PACKAGE.rglob("*.py"))


def room(path: Path) -> str:
    """The module or package of nlptk that a file belongs to; "" for nlptk/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return "" if parts == ("__init__",) else parts[0]


def floor(name: str) -> int:
    for level, rooms in enumerate(FLOORS):
        if name in rooms:
            return level
    pytest.fail(f"nlptk/{name} stands on no floor: add it to FLOORS in {Path(__file__).name}")


def imports(path: Path, *, top_level_only: bool = False) -> Iterator[str]:
    """The absolute names of the modules that a file imports when it runs (TYPE_CHECKING blocks do not)."""

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        yield node
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            return
        if top_level_only and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            return
        for child in ast.iter_child_nodes(node):
            yield from walk(child)

    package = ("nlptk", *path.relative_to(PACKAGE).parent.parts)
    for node in walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module or "") if part)
            if module == "nlptk" or module == ".".join(package):
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def rooms_of(names: Iterator[str]) -> set[str]:
    """The rooms that these imports reach; what nlptk/__init__.py exports counts as what it stands for."""
    inner = [name.split(".")[1] for name in names if name.startswith("nlptk.")]
    reached = [nlptk._EXPORTS.get(name, f"nlptk.{name}").partition(":")[0].split(".")[1] for name in inner]
    return set(reached) - {"__version__"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_go_down(path: Path) -> None:
    here = room(path)
    if not here:
        assert rooms_of(imports(path, top_level_only=True)) == set(), (
            "nlptk/__init__.py imports on demand only"
        )
        return
    for there in rooms_of(imports(path)) - {here}:
        assert floor(there) <= floor(here), f"{here} imports {there} from a floor above it"
    # What nlptk exports is not a craft's inside: a classifier may be built on `nlptk.TfidfVectorizer`.
    insides = {name.split(".")[1] for name in imports(path) if name.startswith("nlptk.")}
    assert not (here in CRAFTS and insides & CRAFTS - {here}), (
        f"the craft {here} must not know the insides of {insides & CRAFTS - {here}}"
    )


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_stay_in_their_rooms(path: Path) -> None:
    here = room(path)
    used = {name.split(".")[0] for name in imports(path)}
    if here != "cli":
        assert not used & {"typer", "click", "rich"}
    if here != "neural" and path not in OF_TORCH:
        assert "torch" not in used
    on_import = {name.split(".")[0] for name in imports(path, top_level_only=True)}
    of_sklearn = {"scipy", "sklearn"} if path in OF_SKLEARN else set()
    assert not on_import & ({"sklearn", "scipy", "spacy", "hanlp", "matplotlib"} - of_sklearn)


def test_sklearn_is_imported_by_its_subclasses_alone() -> None:
    theirs = {".".join(path.relative_to(ROOT).with_suffix("").parts) for path in OF_SKLEARN}
    for path in set(SOURCES) - OF_SKLEARN:
        names = set(imports(path, top_level_only=True))
        assert not {name for name in names for own in theirs if name == own or name.startswith(f"{own}.")}


def test_the_import_reader_sees_all_forms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The test of the test: each way of writing an import is read."""
    file = PACKAGE / "tag" / "imaginary.py"
    text = (
        "from __future__ import annotations\nimport os.path\nimport nlptk.doc as d\nfrom nlptk import store\n"
        "from ..align import x\nfrom . import hmm\nfrom .. import views\n"
        "if TYPE_CHECKING:\n    import torch\ndef f():\n    from nlptk.language import load\n"
    )
    monkeypatch.setattr(Path, "read_text", lambda self, encoding: text)
    assert set(imports(file)) == {
        "__future__", "os.path", "nlptk.doc", "nlptk.store", "nlptk.align", "nlptk.tag.hmm", "nlptk.views",
        "nlptk.language",
    }  # fmt: skip
    assert "nlptk.language" not in set(imports(file, top_level_only=True))
    assert rooms_of(iter(["os", "nlptk.load", "nlptk.tag.hmm", "nlptk.__version__"])) == {"language", "tag"}


def test_kernels_know_nothing_of_python() -> None:
    sources = [p for p in (ROOT / "csrc" / "core").rglob("*") if p.suffix in (".cpp", ".hpp", ".h")]
    assert sources
    for source in sources:
        assert not re.search(r"pybind11|Python\.h", source.read_text("utf-8")), f"{source} includes Python"


LAZY = """
import sys
import nlptk
nlptk.__version__, dir(nlptk), nlptk.errors.ModelError
heavy = set("numpy safetensors torch sklearn jieba hanlp typer rich spacy multiprocessing".split())
print(sorted(heavy & set(sys.modules)))
from nlptk import Doc, load, blank, component, factory, Token, Span, DocBin, Language
nlp = blank("xx")
nlp("text")
heavy -= {"numpy", "safetensors"}
print(sorted(heavy & set(sys.modules)))
"""


def test_import_loads_nothing_heavy() -> None:
    out = subprocess.run(
        [sys.executable, "-c", LAZY], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert out.splitlines() == ["[]", "[]"]


def test_the_source_folder_without_kernels_says_so(tmp_path: Path) -> None:
    (tmp_path / "nlptk").mkdir()
    (tmp_path / "nlptk" / "__init__.py").write_bytes((PACKAGE / "__init__.py").read_bytes())

    def failure() -> str:
        code = "from nlptk import _core"
        run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
        assert run.returncode == 1
        return run.stderr.splitlines()[-1]

    assert failure().startswith(f"ImportError: nlptk in {tmp_path / 'nlptk'} has no compiled kernels")
    assert "make run" in failure()
    (tmp_path / "nlptk" / "_core.py").write_text("import what_kernels_need")
    assert failure() == "ModuleNotFoundError: No module named 'what_kernels_need'"


def test_exports() -> None:
    assert set(nlptk._EXPORTS) <= set(dir(nlptk))
    assert set(nlptk._EXPORTS) <= set(nlptk.__all__)
    for name in (
        "Doc",
        "Token",
        "Span",
        "DocBin",
        "Language",
        "load",
        "blank",
        "component",
        "factory",
        "errors",
    ):
        assert getattr(nlptk, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        nlptk.nothing  # noqa: B018
    version = re.search(r'^version = "(.*)"$', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    assert version is not None
    assert nlptk.__version__ == version[1]
