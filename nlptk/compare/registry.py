"""All contestants by task and name."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from nlptk.compare import classifiers, segmenters, taggers
from nlptk.compare.contestant import Contestant, Task
from nlptk.compare.peers import peers
from nlptk.errors import ConfigError

#: Those of a comparison that names none.
USUAL: dict[Task, tuple[str, ...]] = {
    "taggers": ("hmm", "crf", "perceptron", "bilstm", "bilstm-crf", "transformer", "bert"),
    "classifiers": ("linear", "fasttext", "cnn", "bilstm", "transformer", "bert"),
    "segmenters": ("jieba", "hmm", "crf"),
}
_GROUPS = {"classical": "classical", "neural": "neural", "peers": "peer"}


def contestants(task: Task) -> dict[str, Contestant]:
    """Name -> contestant of a task."""
    everyone = (*taggers.CONTESTANTS, *classifiers.CONTESTANTS, *segmenters.CONTESTANTS, *peers())
    return {one.name: one for one in everyone if task in one.tasks}


def find(task: Task, names: Sequence[str] | None, hanlp: bool = False) -> list[Contestant]:
    """The contestants of these names, or of the groups "classical", "neural", "peers" and "all", each once.

    None: the usual ones, with HanLP's where a model of it is given.

    Raises ConfigError for a name that there is not, with the nearest that there is.
    """
    known = contestants(task)
    if names is None:
        return [known[name] for name in (*USUAL[task], *(["hanlp"] if hanlp else []))]
    found: dict[str, Contestant] = {}
    for name in names:
        if name in known:
            found[name] = known[name]
        elif name in ("all", *_GROUPS):
            kind = _GROUPS.get(name)
            found |= {one.name: one for one in known.values() if kind in (None, one.kind)}
        else:
            near = difflib.get_close_matches(name, [*known, "all", *_GROUPS], 1, 0.4)
            hint = f" (did you mean {near[0]!r}?)" if near else ""
            raise ConfigError(f"there is no model {name!r} among {task}{hint}; there are {', '.join(known)}")
    if not found:
        raise ConfigError(f"no model is named; there are {', '.join(known)}")
    return list(found.values())
