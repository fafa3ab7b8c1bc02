"""Cron expressions: when they are due, in a time zone whose clocks may be changed.

The days on which clocks are changed go as Debian's cron has it. A time of day, or several, that
clocks skip is due at the moment they skip it, and one that they show twice is due once, at first.
With `*` or `*/n` for minute or hour, what counts is the time that passes: an hour that is skipped
has no occurrences, and one that is repeated has them twice.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise, takewhile
from typing import Annotated
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from pydantic import AfterValidator

from alerting.settings.zones import first_moment, moments, zone_of

_FIELDS = 5
# Longer than clocks were ever changed by.
_LEAD = timedelta(hours=25)
_DAY, _WEEK = timedelta(days=1), timedelta(days=7)
# After 28 years weekdays and leap days come together again.
_CYCLE = timedelta(days=28 * 365 + 7)
_BEFORE = datetime(2000, 12, 31, 23, 59)  # noqa: DTZ001 - what a clock on a wall shows


def checked_cron(expression: str) -> str:
    """The expression, in its usual form.

    Raises:
        ValueError: when it is none, or is never due.
    """
    fields = expression.split()
    if len(fields) != _FIELDS:
        raise ValueError(
            "expected a cron expression of five fields: minute, hour, day of month, month, "
            "day of week, such as 0 2 * * 0"
        )
    text = " ".join(fields)
    try:
        first = next(_shown(text, _BEFORE), None)
    # The last two are how it takes a number of a thousand digits, and a step from a last weekday.
    except (CronSimError, ValueError, AssertionError) as error:
        detail = f" ({str(error).lower()})" if isinstance(error, CronSimError) else ""
        raise ValueError(
            f"expected a cron expression such as 0 2 * * 0, at two on Sundays{detail}"
        ) from None
    if first is None:
        raise ValueError("is never due. Expected a cron expression with a day that exists")
    return text


def occurrences(
    expression: str, time_zone: str, after: datetime, until: datetime
) -> list[datetime]:
    """When the expression is due after one time and up to another, in UTC and in order."""
    zone = zone_of(time_zone)
    first, last = (
        moment.astimezone(zone).replace(tzinfo=None, fold=0) + lead
        for moment, lead in ((after, -_LEAD), (until, _LEAD))
    )
    due = {
        moment
        for wall in takewhile(lambda wall: wall <= last, _shown(expression, first))
        for moment in _due(expression, wall, zone)
    }
    return sorted(moment for moment in due if after < moment <= until)


def shortest_gap(expression: str) -> timedelta:
    """The shortest time between two occurrences, as long as no clock is changed."""
    minute, hour, *days = expression.split()
    times = list(_within(f"{minute} {hour} * * *", _DAY))
    gaps = [later - earlier for earlier, later in pairwise(times)]
    overnight = _days_between(f"0 0 {' '.join(days)}") - (times[-1] - times[0])
    return min([*gaps, overnight])


def _days_between(expression: str) -> timedelta:
    """The least distance between two of the expression's days."""
    *_, day, month, weekday = expression.split()
    # Unless it is the first or last one of a month, a weekday comes every week.
    every_week = (day, month) == ("*", "*") and not set("#Ll") & set(weekday)
    least = period = 2 * _WEEK if every_week else _CYCLE
    for earlier, later in pairwise(_within(expression, period)):
        least = min(least, later - earlier)
        if least == _DAY:
            break
    return least


def _within(expression: str, period: timedelta) -> Iterator[datetime]:
    return takewhile(lambda wall: wall <= _BEFORE + period, _shown(expression, _BEFORE))


def _due(expression: str, wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """The moments of an occurrence that is due when clocks show a time."""
    if any(field.startswith("*") for field in expression.split()[:2]):
        return moments(wall, zone)
    return (first_moment(wall, zone),)


def _shown(expression: str, after: datetime) -> Iterator[datetime]:
    """What clocks show when it is due. Changes of clocks are no concern of the library's here."""
    return iter(CronSim(expression, after))


Cron = Annotated[str, AfterValidator(checked_cron)]
