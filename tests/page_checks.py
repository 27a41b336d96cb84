"""What several test files ask of HTML pages: contrast of colours, and what Chromium makes of them."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest


def contrast(one: str, other: str) -> float:
    """Of colours #rrggbb, as WCAG 2.1 has it: it asks for 4.5 between text and what is behind it."""
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


DARK = "--blink-settings=preferredColorScheme=0"  # an option of `chromium`: a reader who prefers dark pages


def chromium(page: Path, *options: str) -> tuple[str, list[str]]:
    """The page's DOM when it is loaded, and what it said on the console. Skips where there is no Chromium."""
    if shutil.which("chromium") is None:
        pytest.skip("chromium is not installed")
    command = [
        "chromium",
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--enable-logging=stderr",
        "--v=0",
        f"--user-data-dir={page.parent / 'profile'}",
        *options,
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    said = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8"), [line for line in said if "CONSOLE" in line]


_TOOLS = """<script>{
const result = {};
const each = (what) => [...document.querySelectorAll(what)];
const texts = (what) => each(what).map((one) => one.textContent);
const set = (id, value) => {
  const one = document.getElementById(id);
  one.value = value;
  for (const name of ["input", "change"]) one.dispatchEvent(new Event(name, { bubbles: true }));
};
"""
_RESULT = """
document.body.insertAdjacentHTML("beforeend", "<pre id=result></pre>");
document.getElementById("result").textContent = JSON.stringify(result);
}</script>"""


def scripted(steps: str) -> str:
    """A script of these steps with helpers, which leaves what it put into `result` where `used` finds it."""
    return _TOOLS + steps + _RESULT


def used(page: str, script: str, path: Path, *options: str) -> dict[str, Any]:
    """What a script that is put at a page's end writes into an element "result", in Chromium."""
    path.write_text(page.replace("</body>", f"{script}</body>"), encoding="utf-8")
    dom, said = chromium(path, *options)
    assert said == []
    found = re.search(r'<pre id="result">(.*?)</pre>', dom, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(html.unescape(found[1]))
    return result


def narrow_and_wide(pages: list[str], script: str, path: Path, *options: str) -> list[dict[str, Any]]:
    """What a script that is put at the pages' ends adds to `parent.document.body`, as JSON in elements <pre>:
    each page 400 and 1400 pixels wide, the narrow ones first. The JSON must have a "width"."""
    inners = [html.escape(page.replace("</body>", f"{script}</body>")) for page in pages]
    frames = "".join(
        f'<iframe width="{width}" height="900" srcdoc="{inner}"></iframe>'
        for inner in inners
        for width in (400, 1400)
    )
    path.write_text(f'<!doctype html><meta charset="utf-8"><body>{frames}</body>', encoding="utf-8")
    dom, said = chromium(path, *options)
    assert said == []
    found = [json.loads(html.unescape(text)) for text in re.findall(r"<pre>(.*?)</pre>", dom, re.DOTALL)]
    assert sorted(one["width"] for one in found) == [400] * len(pages) + [1400] * len(pages)
    return sorted(found, key=lambda one: one["width"])
