"""Figures as people read them. Pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from alerting.observing.figures import DayCount
from alerting.settings.durations import format_duration

NOTHING = "-"
_BARS = "▁▂▃▄▅▆▇█"
_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0


def percent(share: float | None) -> str:
    """A share; what is not quite all is never said to be all."""
    if share is None:
        return NOTHING
    if share in (0.0, 1.0):
        return f"{share:.0%}"
    return f"{min(max(share * 100, 0.1), 99.9):.1f}%"


def lasting(seconds: float | None) -> str:
    """A duration, to two figures or so."""
    if seconds is None:
        return NOTHING
    if seconds < 10:  # noqa: PLR2004 - below, tenths matter
        return f"{seconds:.1f}s"
    if seconds < _MINUTE:
        return f"{seconds:.0f}s"
    if seconds < _HOUR:
        return f"{seconds // _MINUTE:.0f}m {seconds % _MINUTE:02.0f}s"
    if seconds < 2 * _DAY:
        return f"{seconds // _HOUR:.0f}h {seconds % _HOUR // _MINUTE:02.0f}m"
    return f"{seconds // _DAY:.0f}d {seconds % _DAY // _HOUR:02.0f}h"


def ago(time: datetime | None, now: datetime) -> str:
    """How long ago something was."""
    if time is None:
        return "never"
    seconds = max((now - time) / timedelta(seconds=1), 0.0)
    return "now" if seconds < 1 else f"{lasting(seconds).split()[0]} ago"


def bound(duration: timedelta | None) -> str:
    """How old data may be."""
    return format_duration(duration) if duration else NOTHING


def sparkline(days: Iterable[DayCount]) -> str:
    """A character for each day: the higher the more of its runs succeeded, a dot without any."""
    return "".join(map(_bar, days))


def _bar(day: DayCount) -> str:
    rate = day.success_rate
    return "·" if rate is None else _BARS[int(rate * (len(_BARS) - 1))]
