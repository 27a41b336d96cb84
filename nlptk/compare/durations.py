"""Durations as people write them: "90", "30m", "1h30m"."""

from __future__ import annotations

import re

from nlptk.errors import ConfigError

_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}
_PART = r"(?:(\d+(?:\.\d+)?)\s*{})?"
_WHOLE = re.compile(r"\s*".join(_PART.format(unit) for unit in _UNITS))


def parse_duration(text: str | float | int) -> float:
    """Seconds. A number alone is seconds; else hours, minutes and seconds, such as 1h30m or 90s.

    Raises ConfigError for anything else, and for nothing or less.
    """
    if isinstance(text, str):
        match = _WHOLE.fullmatch(text.strip().lower())
        try:
            seconds = float(text)
        except ValueError:
            parts = match.groups() if match is not None else ()
            seconds = sum(float(part or 0) * _UNITS[unit] for part, unit in zip(parts, _UNITS, strict=False))
    else:
        seconds = float(text)
    if not 0 < seconds < float("inf"):
        raise ConfigError(f"{text!r} is no duration; write 90s, 30m or 1h30m")
    return seconds


def shown(seconds: float) -> str:
    """Seconds for people: "4.2 s", "12 min", "1 h 30 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"
