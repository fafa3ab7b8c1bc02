"""Deadlines as people write them: `06:00 Europe/London`, `06:00 Europe/London Mon-Fri`."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from alerting.settings.zones import first_moment, zone_of

_EXPECTED = (
    "expected a time of day with its time zone, such as 06:00 Europe/London, and weekdays if not "
    "every day: 06:00 Europe/London Mon-Fri, or Mon,Wed"
)
_FORMAT = re.compile(r"([01]\d|2[0-3]):([0-5]\d) +(\S+)(?: +(\S+))?", re.ASCII)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEK = len(_DAYS)
_RANGE = 3
"""Days from which on a range is how people write them."""
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time of day in a time zone, every day or on some weekdays.

    On days on which clocks are changed, a time that they skip is the moment at which they skip it,
    and one that they show twice is the first. The weekday is the zone's.
    """

    at: time
    time_zone: str
    weekdays: frozenset[int] = field(default=frozenset(range(_WEEK)))
    """Monday is 0."""

    @classmethod
    def parse(cls, value: object) -> Self:
        """Read a deadline. Raises ValueError when the text is none."""
        if isinstance(value, cls):
            return value
        match = _FORMAT.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            raise ValueError(_EXPECTED)
        hour, minute, zone, days = match.groups()
        zone_of(zone)
        weekdays = _weekdays(days) if days else range(_WEEK)
        return cls(time(int(hour), int(minute)), zone, frozenset(weekdays))

    def __str__(self) -> str:
        every_day = len(self.weekdays) == _WEEK
        days = "" if every_day else f" {_written(self.weekdays)}"
        return f"{self.at:%H:%M} {self.time_zone}{days}"

    def next_after(self, moment: datetime) -> datetime:
        """The first deadline after a moment, in UTC."""
        return next(due for due in self._from(moment, 1) if due > moment)

    def last_until(self, moment: datetime) -> datetime:
        """The last deadline up to a moment and including it, in UTC."""
        return next(due for due in self._from(moment, -1) if due <= moment)

    def _from(self, moment: datetime, step: int) -> Iterator[datetime]:
        """The deadlines from the day before a moment on, or backwards from the day after it."""
        zone = zone_of(self.time_zone)
        today = moment.astimezone(zone).date()
        for days in count(-1):
            day: date = today + step * days * _DAY
            if day.weekday() in self.weekdays:
                yield first_moment(datetime.combine(day, self.at), zone)

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: type[Any], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        """In models it is read from its text, and written as it."""
        return core_schema.no_info_plain_validator_function(
            cls.parse, serialization=core_schema.to_string_ser_schema()
        )


def _weekdays(text: str) -> Iterator[int]:
    for part in text.split(","):
        first, _, last = part.partition("-")
        begin = _weekday(first)
        end = _weekday(last) if "-" in part else begin
        for day in range(begin, begin + (end - begin) % _WEEK + 1):
            yield day % _WEEK


def _weekday(text: str) -> int:
    if text.title() not in _DAYS:
        raise ValueError(_EXPECTED)
    return _DAYS.index(text.title())


def _written(weekdays: frozenset[int]) -> str:
    """The days in the shortest of the forms that are read."""
    for first in sorted(weekdays):
        run = [(first + offset) % _WEEK for offset in range(len(weekdays))]
        if len(run) >= _RANGE and set(run) == weekdays:
            return f"{_DAYS[run[0]]}-{_DAYS[run[-1]]}"
    return ",".join(_DAYS[day] for day in sorted(weekdays))
