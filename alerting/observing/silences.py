"""Silences and maintenance windows, as far as they are shown. Pure: no I/O, no clock."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol


class Silence(Protocol):
    """A time in which nobody is told of some pipelines."""

    @property
    def id(self) -> object:
        """What tells it from others."""
        ...

    @property
    def pipelines(self) -> Sequence[str]:
        """The pipelines' keys in the settings; none for all."""
        ...

    @property
    def starts(self) -> datetime:
        """From when on."""
        ...

    @property
    def ends(self) -> datetime:
        """Until when."""
        ...

    @property
    def reason(self) -> str:
        """What for."""
        ...

    @property
    def author(self) -> str:
        """Who asked for it."""
        ...


def silenced_until(silences: Iterable[Silence], pipeline: str, now: datetime) -> datetime | None:
    """Until when nobody is told of a pipeline, as things stand; None when people are told."""
    ends = (each.ends for each in silences if is_now(each, now) and covers(each, pipeline))
    return max(ends, default=None)


def is_now(silence: Silence, now: datetime) -> bool:
    """Whether it is on."""
    return silence.starts <= now < silence.ends


def covers(silence: Silence, pipeline: str) -> bool:
    """Whether it is about a pipeline, by its key in the settings."""
    return not silence.pipelines or pipeline in silence.pipelines
