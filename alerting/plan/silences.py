"""Silences: times in which nobody is told of a pipeline's failures. Pure: no I/O, no clock.

Some are added by people, for once. Others come again and again from the stack's maintenance
windows. A silence covers the moment at which it starts and not the one at which it ends.
"""

import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from alerting.plan.drill_events import STATE_TYPE, stack_resource
from alerting.plan.verdicts import EVENT_PREFIX, SCOPE_LABEL
from alerting.settings.cron import occurrences
from alerting.settings.maintenance import MaintenanceWindow

SILENCES_CHANGED_EVENT = f"{EVENT_PREFIX}silences-changed"
"""Emitted when a silence was added or ended, so that the sentinel reads them anew at once."""
WINDOW_PREFIX = "window-"
WINDOW_AUTHOR = "maintenance window"

# The stretches of time for which a window's occurrences are found at once, and kept.
_STRETCH = timedelta(days=7)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_KEPT = 5_000


class Silence(BaseModel):
    """One stretch of time in which some pipelines, or all, are silenced."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="what tells it from others")
    pipelines: tuple[str, ...] = Field(
        default=(), description="keys of listed pipelines, flows of others; none means all"
    )
    starts: AwareDatetime = Field(description="its first moment")
    ends: AwareDatetime = Field(description="the first moment after it")
    reason: str = Field(description="what it is for")
    author: str = Field(description="who asked for it")
    window: bool = Field(default=False, description="whether it is one of a recurring window's")
    ended_by: str | None = Field(default=None, description="who ended it early")
    end_reason: str | None = Field(default=None, description="why it was ended early")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends < self.starts:
            raise ValueError("ends before it starts")
        return self

    def covers(self, pipeline: str, at: datetime) -> bool:
        """Whether a pipeline is silenced by it at a time."""
        return self.starts <= at < self.ends and self.concerns(pipeline)

    def concerns(self, pipeline: str) -> bool:
        """Whether it is about a pipeline."""
        return not self.pipelines or pipeline in self.pipelines


class Window(BaseModel):
    """A recurring window as it is published."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    cron: str = Field(description="when it begins")
    time_zone: str = Field(description="the zone of these times")
    duration: timedelta = Field(description="how long it lasts")
    pipelines: tuple[str, ...] = Field(default=(), description="who is silenced; none means all")
    reason: str = Field(description="what it is for")

    @classmethod
    def of(cls, window: MaintenanceWindow) -> Self:
        """A window of the stack's settings."""
        return cls.model_validate(window.model_dump(by_alias=False))

    @cached_property
    def key(self) -> str:
        """What tells it from other windows; the reason does not."""
        parts = (self.cron, self.time_zone, str(self.duration), *sorted(self.pipelines))
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:8]

    def occurrence(self, starts: datetime) -> Silence:
        """The silence that begins at one of its times."""
        return Silence(
            id=f"{WINDOW_PREFIX}{self.key}-{starts.astimezone(UTC):%Y%m%dT%H%M%SZ}",
            pipelines=self.pipelines,
            starts=starts,
            ends=starts + self.duration,
            reason=self.reason,
            author=WINDOW_AUTHOR,
            window=True,
        )


class Silences:
    """What is silenced when, by silences that were added and by recurring windows."""

    def __init__(self, added: Iterable[Silence] = (), windows: Iterable[Window] = ()) -> None:
        """A registry that does not change; make another one when silences do."""
        # One that was ended before it began has never been.
        self._added = tuple(each for each in added if each.starts < each.ends)
        different = {window.key: window for window in windows}
        self._recurring = tuple(_Recurring(window) for window in different.values())
        by_pipeline = defaultdict(list)
        for silence in self._added:
            for pipeline in silence.pipelines or (None,):
                by_pipeline[pipeline].append(silence)
        self._timelines = {pipeline: _Timeline(each) for pipeline, each in by_pipeline.items()}
        self._by_end = sorted(self._added, key=_end)
        self._ends = [silence.ends for silence in self._by_end]

    def covering(self, pipeline: str, at: datetime) -> Silence | None:
        """A silence that the pipeline is in at a time, the one that ends last; None if in none."""
        found: Silence | None = None
        for timeline in self._of(pipeline):
            silence = timeline.at(at)
            if silence and (found is None or found.ends < silence.ends):
                found = silence
        for recurring in self._recurring_of(pipeline):
            silence = recurring.at(at)
            if silence and (found is None or found.ends < silence.ends):
                found = silence
        return found

    def over_between(self, after: datetime, until: datetime) -> list[Silence]:
        """The silences that ended after one time and up to another, by their ends."""
        first, last = bisect_right(self._ends, after), bisect_right(self._ends, until)
        found = self._by_end[first:last]
        for each in self._recurring:
            found += each.starting(after - each.duration, until - each.duration)
        return sorted(found, key=_end)

    def coming(self, after: datetime, until: datetime) -> list[Silence]:
        """The silences that start after one time and up to another, by their starts."""
        found = [silence for silence in self._added if after < silence.starts <= until]
        for each in self._recurring:
            found += each.starting(after, until)
        return sorted(found, key=_start)

    def running(self, at: datetime) -> list[Silence]:
        """The silences that are on at a time, by their starts."""
        found = [silence for silence in self._added if silence.starts <= at < silence.ends]
        for each in self._recurring:
            found += each.starting(at - each.duration, at)
        return sorted(found, key=_start)

    def last_end_before(self, pipeline: str, since: datetime, by: datetime) -> datetime | None:
        """The latest end, after `since` and up to `by`, of a silence of the pipeline."""
        ends = [
            *(timeline.last_end(by) for timeline in self._of(pipeline)),
            *(each.last_end(since, by) for each in self._recurring_of(pipeline)),
        ]
        return max((end for end in ends if end is not None and end > since), default=None)

    def _of(self, pipeline: str) -> Iterator["_Timeline"]:
        for key in (pipeline, None):
            timeline = self._timelines.get(key)
            if timeline:
                yield timeline

    def _recurring_of(self, pipeline: str) -> Iterator["_Recurring"]:
        for each in self._recurring:
            if not each.pipelines or pipeline in each.pipelines:
                yield each


class _Timeline:
    """Silences that were added, looked up by time."""

    def __init__(self, silences: Iterable[Silence]) -> None:
        ordered = sorted(silences, key=_start)
        self._starts = [silence.starts for silence in ordered]
        self._ends = sorted(silence.ends for silence in ordered)
        self._lasting: list[Silence] = []
        """For each silence that which ends last of it and those that started earlier."""
        for silence in ordered:
            longest = self._lasting[-1] if self._lasting else silence
            self._lasting.append(silence if silence.ends > longest.ends else longest)

    def at(self, time: datetime) -> Silence | None:
        """Of the silences that are on at a time the one that ends last."""
        begun = bisect_right(self._starts, time)
        if not begun or self._lasting[begun - 1].ends <= time:
            return None
        return self._lasting[begun - 1]

    def last_end(self, by: datetime) -> datetime | None:
        """The latest end up to a time."""
        over = bisect_right(self._ends, by)
        return self._ends[over - 1] if over else None


class _Recurring:
    """A recurring window's occurrences, found by the week and kept."""

    def __init__(self, window: Window) -> None:
        self.duration = window.duration
        self.pipelines = frozenset(window.pipelines)
        self._window = window
        self._stretches: dict[int, Sequence[datetime]] = {}
        self._silences: dict[datetime, Silence] = {}

    def at(self, time: datetime) -> Silence | None:
        """The occurrence that is on at a time."""
        starts = self._last_start(time - self.duration, time)
        return self._silence(starts) if starts else None

    def starting(self, after: datetime, until: datetime) -> list[Silence]:
        """The occurrences that start after one time and up to another."""
        return [
            self._silence(starts)
            for number in range(_stretch(after), _stretch(until) + 1)
            for starts in self._starts(number)
            if after < starts <= until
        ]

    def last_end(self, since: datetime, by: datetime) -> datetime | None:
        """The latest end after one time and up to another."""
        starts = self._last_start(since - self.duration, by - self.duration)
        return starts + self.duration if starts else None

    def _last_start(self, after: datetime, until: datetime) -> datetime | None:
        for number in range(_stretch(until), _stretch(after) - 1, -1):
            starts = self._starts(number)
            begun = bisect_right(starts, until)
            if begun:
                return starts[begun - 1] if starts[begun - 1] > after else None
        return None

    def _starts(self, number: int) -> Sequence[datetime]:
        found = self._stretches.get(number)
        if found is None:
            begin = _BEGINNING + number * _STRETCH
            window = self._window
            found = tuple(occurrences(window.cron, window.time_zone, begin, begin + _STRETCH))
            _make_room(self._stretches)
            self._stretches[number] = found
        return found

    def _silence(self, starts: datetime) -> Silence:
        found = self._silences.get(starts)
        if found is None:
            found = self._window.occurrence(starts)
            _make_room(self._silences)
            self._silences[starts] = found
        return found


def silences_changed(event_id: object, scope: str, now: datetime) -> Mapping[str, object]:
    """The event that tells a running sentinel to read the stack's silences anew.

    It has the labels by which the stack's requests pass the filter of the stream.
    """
    return {
        "id": str(event_id),
        "occurred": now.isoformat(),
        "event": SILENCES_CHANGED_EVENT,
        "resource": {
            "prefect.resource.id": f"{EVENT_PREFIX}silences.{scope}",
            "prefect.resource.name": f"silences of {scope}",
            SCOPE_LABEL: scope,
            "prefect.state-type": STATE_TYPE,
        },
        "related": [
            {
                "prefect.resource.id": stack_resource(scope),
                "prefect.resource.role": "data-alerts-stack",
            }
        ],
        "payload": {},
    }


def _stretch(time: datetime) -> int:
    """The number of the stretch in which a time is."""
    return (time - _BEGINNING) // _STRETCH


def _make_room(kept: dict[int, Sequence[datetime]] | dict[datetime, Silence]) -> None:
    if len(kept) >= _KEPT:
        kept.clear()


def _start(silence: Silence) -> tuple[datetime, str]:
    return silence.starts, silence.id


def _end(silence: Silence) -> tuple[datetime, str]:
    return silence.ends, silence.id
