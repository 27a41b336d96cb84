"""Feature templates: a small language for saying which features a linear model sees.

A template is a conjunction of atoms joined by ``|``; an atom is a name, where it takes one a parameter behind
a colon, and a position in brackets relative to the unit at hand (``[0]`` may be left out)::

    word            the word itself
    suffix:3[-1]    the last three characters of the word before
    lower[-1]|lower the word before together with this one

The kernels never build strings: each value is a 64-bit hash, each feature a 32-bit key. The manner is CRF++'s
(``%x[-1,0]``), with names in place of columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nlptk.errors import ConfigError

_ATOM = re.compile(r"^([a-z]+)(?::([^\[\]|]+))?(?:\[([+-]?\d{1,9})\])?$")
_MAX_OFFSET = 16
_NONE = {"lexicon": "no word list or word classes", "gazetteer": "no gazetteer"}


@dataclass(frozen=True)
class AtomKind:
    """How an atom is spelled and what its parameter means.

    ``table`` is the kernel's table of units that it belongs to (tokens; characters, runs), ``code`` the
    kernel's number for it, ``parameter`` one of ``None``, ``"number"``, ``"column"``, ``"lexicon"``,
    ``"gazetteer"``.
    """

    code: int
    parameter: str | None = None
    table: int = 0


@dataclass(frozen=True)
class CompiledTemplates:
    """Templates in the kernel's form.

    ``atoms[table]`` lists (code, parameter) of the atoms of that table; ``elements[k]`` the (table, atom,
    offset) triples of template k; ``columns`` the names that column parameters stand for, in order.
    """

    atoms: tuple[tuple[tuple[int, int], ...], ...]
    elements: tuple[tuple[tuple[int, int, int], ...], ...]
    seeds: tuple[int, ...]
    columns: tuple[str, ...]


def compile_templates(
    templates: Sequence[str],
    kinds: Mapping[str, AtomKind],
    lexicons: Sequence[str] = (),
    gazetteers: Sequence[str] = (),
) -> CompiledTemplates:
    """Parse ``templates`` against the atoms in ``kinds``.

    Raises:
        ConfigError: there are no templates, or one is malformed, repeats another, or names an unknown atom,
            lexicon or gazetteer.
    """
    from nlptk import _core

    tables = 1 + max(kind.table for kind in kinds.values())
    atoms: list[dict[tuple[int, int], int]] = [{} for _ in range(tables)]
    columns: dict[str, int] = {}
    lists = {"lexicon": lexicons, "gazetteer": gazetteers}
    elements: list[tuple[tuple[int, int, int], ...]] = []
    seen: set[str] = set()
    if not templates:
        raise ConfigError("at least one feature template is needed")
    for template in templates:
        if not isinstance(template, str):
            raise ConfigError(f"a feature template must be a string, not {template!r}")
        if template in seen:
            raise ConfigError(f"feature template {template!r} stands twice; remove one")
        seen.add(template)
        parts = []
        for part in template.split("|"):
            name, parameter, offset = _parse_atom(part.strip(), template, kinds)
            kind = kinds[name]
            number = _parameter(kind, parameter, columns, lists, template)
            index = atoms[kind.table].setdefault((kind.code, number), len(atoms[kind.table]))
            parts.append((kind.table, index, offset))
        elements.append(tuple(parts))
    return CompiledTemplates(
        tuple(tuple(table) for table in atoms),
        tuple(elements),
        tuple(_core.hash_string(template) for template in templates),
        tuple(columns),
    )


def _parse_atom(part: str, template: str, kinds: Mapping[str, AtomKind]) -> tuple[str, str | None, int]:
    match = _ATOM.match(part)
    if match is None:
        raise ConfigError(
            f"cannot read {part!r} in feature template {template!r}; "
            "write name, name:parameter or name[offset]"
        )
    name, parameter, offset = match.group(1), match.group(2), int(match.group(3) or 0)
    if name not in kinds:
        raise ConfigError(
            f"unknown feature {name!r} in template {template!r}; known: {', '.join(sorted(kinds))}"
        )
    if (parameter is None) != (kinds[name].parameter is None):
        need = "takes no parameter" if kinds[name].parameter is None else "needs a parameter, as in suffix:3"
        raise ConfigError(f"feature {name!r} in template {template!r} {need}")
    if abs(offset) > _MAX_OFFSET:
        raise ConfigError(f"offset {offset} in template {template!r} is over {_MAX_OFFSET}")
    return name, parameter, offset


def _parameter(
    kind: AtomKind,
    parameter: str | None,
    columns: dict[str, int],
    lists: Mapping[str, Sequence[str]],
    template: str,
) -> int:
    if parameter is None or kind.parameter is None:
        return 0
    if kind.parameter == "column":
        return columns.setdefault(parameter, len(columns))
    if kind.parameter in lists:
        names = list(lists[kind.parameter])
        if parameter not in names:
            known = ", ".join(names) or _NONE[kind.parameter]
            raise ConfigError(f"template {template!r} names {parameter!r}, but the model has {known}")
        return names.index(parameter)
    if not parameter.isdecimal() or len(parameter) > 2 or not 1 <= int(parameter) <= 16:
        raise ConfigError(f"parameter {parameter!r} in template {template!r} must be a number from 1 to 16")
    return int(parameter)
