"""What several test files ask of HTML pages: contrast of colours, and what Chromium makes of them."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def contrast(one: str, other: str) -> float:
    """Of colours #rrggbb, as WCAG 2.1 has it: it asks for 4.5 between text and what is behind it."""
    low, high = sorted([_luminance(one), _luminance(other)])
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def chromium(page: Path) -> tuple[str, list[str]]:
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
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, timeout=300, check=True)
    said = done.stderr.decode("utf-8", "replace").splitlines()
    return done.stdout.decode("utf-8"), [line for line in said if "CONSOLE" in line]
