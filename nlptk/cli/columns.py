"""The names that columns have on the command line."""

from __future__ import annotations

from nlptk.errors import ConfigError

NAMES = {"upos": "pos", "xpos": "tag", "ner": "ent", "lemma": "lemma"}
HELP = "upos, xpos, ner, or N: column N of a column file, counted from 0, where column 0 is the word."


def column_of(name: str) -> str:
    """The Doc's column for a name on the command line: "pos" for ``upos``, "tag" for ``xpos`` and so on."""
    known = {**NAMES, **{column: column for column in NAMES.values()}}
    if name.lower() in known:
        return known[name.lower()]
    if name.isascii() and name.isdigit() and int(name) > 0:
        return str(int(name))
    raise ConfigError(f"--column {name!r} is unknown; use {HELP}")


def name_of(column: str) -> str:
    """The command line's name for a Doc's column."""
    return next((name for name, known in NAMES.items() if known == column), column)
