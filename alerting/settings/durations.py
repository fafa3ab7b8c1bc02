"""Durations as people write them in stack configuration: `15m`, `24h`, `1h30m`, `2d`."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

_FORMAT = re.compile(
    r"(?=.)(?:(?P<days>\d{1,5})d)?(?:(?P<hours>\d{1,6})h)?"
    r"(?:(?P<minutes>\d{1,7})m)?(?:(?P<seconds>\d{1,9})s)?",
    re.ASCII,
)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def parse_duration(value: object) -> timedelta:
    """Read a duration above zero.

    Raises:
        ValueError: when the text is not one or more of d, h, m, s in that order.
    """
    if isinstance(value, timedelta):
        return value
    match = _FORMAT.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("expected a duration such as 30s, 15m, 24h, 1h30m or 2d")
    duration = timedelta(**{unit: int(text) for unit, text in match.groupdict("0").items()})
    if not duration:
        raise ValueError("expected a duration above zero, such as 30s, 15m or 24h")
    return duration


def format_duration(duration: timedelta) -> str:
    """Write a duration of whole seconds the shortest way `parse_duration` reads back.

    Days are used only from two on: people say 24h, and 3d.
    """
    rest = int(duration.total_seconds())
    parts = []
    for unit, size in _UNITS:
        if unit == "d" and (rest < 2 * size or rest % size):
            continue
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
