"""Time zones, by the names of the IANA database."""

import re
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+)*", re.ASCII)
# These mean something else on each machine, or nothing.
_NO_PLACE = {"localtime", "posixrules", "Factory"}


@cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of a name such as Europe/London.

    Raises:
        ValueError: when there is none. The text names one that is spelled alike, if there is.
    """
    if _NAME.fullmatch(name) and name not in _NO_PLACE:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: the name of a folder
            pass
    close = get_close_matches(name, sorted(available_timezones() - _NO_PLACE), n=1)
    hint = f". Did you mean {close[0]}?" if close else " or UTC"
    raise ValueError(f"expected a time zone such as Europe/London{hint}")


def _checked(name: str) -> str:
    zone_of(name)
    return name


def first_moment(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which clocks of the zone show this time or a later one.

    `wall` is what a clock shows, without a zone. A time that clocks show twice means the first, and
    one that they skip means the moment at which they skip it.
    """
    moment = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if _shown(moment, zone) == wall:
        return moment
    # Clocks skip it: they are put forward between the time as the zone's new offset has it and as
    # the old one does.
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    while moment - before > timedelta(seconds=1):
        middle = before + (moment - before) // 2
        if _shown(middle, zone) >= wall:
            moment = middle
        else:
            before = middle
    return moment.replace(microsecond=0)


def moments(wall: datetime, zone: ZoneInfo) -> tuple[datetime, ...]:
    """Every moment, in UTC, at which clocks of the zone show this time: one, two, or none."""
    found = {wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1)}
    return tuple(sorted(moment for moment in found if _shown(moment, zone) == wall))


def _shown(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


TimeZone = Annotated[str, AfterValidator(_checked)]
