"""The report as one page that needs nothing but a browser: style, scripts and numbers are in it."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

from nlptk.compare.report.content import checked, packed_sentences, significant
from nlptk.compare.report.headlines import headlines
from nlptk.compare.report.palette import DARK, LIGHT, variables

_FOLDER = Path(__file__).parent
_SCRIPTS = ("basics.js", "charts.js", "panels.js", "tables.js", "browser.js")


def to_html(results: dict[str, Any], note: str = "") -> str:
    """The page of a comparison's results.

    Args:
        note: a sentence for its foot: what lies beside it.

    Raises:
        DataError: results of another schema, or broken ones.
    """
    results = checked(results)
    data = {name: value for name, value in results.items() if name != "sentences"}
    data.update(browser=packed_sentences(results), headlines=headlines(results), note=note)
    data["significant"] = significant(results)
    parts = {
        "TITLE": html.escape(str(results.get("title") or "Comparison")),
        "STYLE": _read("page.css")
        .replace("/* LIGHT */", variables(LIGHT))
        .replace("/* DARK */", variables(DARK)),
        "SCRIPT": "".join(map(_read, _SCRIPTS)),
        # ASCII only, and no "<": no text can end the element that the data stands in.
        "DATA": json.dumps(data, separators=(",", ":")).replace("<", "\\u003c"),
    }
    return re.sub(f"@({'|'.join(parts)})@", lambda found: parts[found[1]], _read("page.html"))


def _read(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")
