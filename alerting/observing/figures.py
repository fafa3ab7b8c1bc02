"""A pipeline's success rate and durations. Pure: no I/O, no clock.

Times are seconds since 1970 and durations are seconds: a month of a thousand pipelines is most of a
million runs.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple, Self

DAY = 86_400.0
DAYS = 30
"""How far back a pipeline is looked at."""
WINDOWS = (7, DAYS)
"""The windows that figures are given for, in days."""
P95 = 0.95


class PastRuns(NamedTuple):
    """Runs' ends that count, successes and failures, in the order of their ends.

    By columns: an object for each of a million runs would take most of the time.
    """

    ended: Sequence[float]
    seconds: Sequence[float]
    """How long each ran."""
    failed: Sequence[bool]

    @classmethod
    def of(cls, rows: Iterable[tuple[float, float, bool]]) -> Self:
        """From runs in the order of their ends."""
        ended: list[float] = []
        seconds: list[float] = []
        failed: list[bool] = []
        # One after another: with a million rows held at once, garbage is looked for all the time.
        for row in rows:
            ended.append(row[0])
            seconds.append(row[1])
            failed.append(row[2])
        return cls(ended, seconds, failed)

    def first_since(self, time: float) -> int:
        """The position of the first that ended then or later."""
        return bisect_left(self.ended, time)


class DayCount(NamedTuple):
    """The ends within a time, such as 24 hours."""

    runs: int
    failures: int

    @property
    def success_rate(self) -> float | None:
        """Share of the ends that were successes, None without any."""
        return 1 - self.failures / self.runs if self.runs else None


class Counted(NamedTuple):
    """Ends that were counted and not read."""

    windows: tuple[DayCount, ...]
    """Of each of the windows, in their order."""
    days: tuple[DayCount, ...] = ()
    """Of each of the last days, the oldest first; empty where only the windows were counted."""


@dataclass(frozen=True)
class Figures:
    """What is known of a pipeline's ends in the last days."""

    days: int
    runs: int
    failures: int
    timed: int
    """Successes whose durations are known."""
    mean: float | None
    """Mean duration of a success, in seconds."""
    p95: float | None
    """The duration that 95 of 100 successes do not exceed, by the nearest rank."""
    is_counted: bool = True
    """Whether all ends in the window are in `runs`."""

    @property
    def success_rate(self) -> float | None:
        """Share of the ends that were successes, None without any."""
        return 1 - self.failures / self.runs if self.runs else None

    @property
    def is_complete(self) -> bool:
        """Whether the durations are those of every success in the window."""
        return self.is_counted and self.timed >= self.runs - self.failures


def days_of(runs: PastRuns, now: float, days: int = DAYS) -> tuple[DayCount, ...]:
    """The ends of each of the last days, each 24 hours long, the oldest first."""
    ends = (bisect_right(runs.ended, now - ago * DAY) for ago in range(days, -1, -1))
    return tuple(
        DayCount(end - start, sum(runs.failed[start:end])) for start, end in pairwise(ends)
    )


def figures_of(
    runs: PastRuns,
    days: int,
    now: float,
    *,
    known_since: float,
    counted: Counted | None = None,
) -> Figures:
    """The figures of a window that ends now.

    All ends since `known_since` are among the runs. A window that begins before that has the ends
    that were counted, and the durations of the runs that are known.
    """
    first = runs.first_since(now - days * DAY)
    outcomes = runs.failed[first:]
    lasted = zip(runs.seconds[first:], outcomes, strict=True)
    durations = [seconds for seconds, failed in lasted if not failed]
    total, failures = len(outcomes), sum(outcomes)
    is_known = known_since <= now - days * DAY
    if not is_known and counted:
        window = counted.windows[WINDOWS.index(days)]
        total, failures = max(total, window.runs), max(failures, window.failures)
    return Figures(
        days=days,
        runs=total,
        failures=failures,
        timed=len(durations),
        mean=sum(durations) / len(durations) if durations else None,
        p95=percentile(durations, P95),
        is_counted=is_known or counted is not None,
    )


def counted_by_day(days: Sequence[DayCount]) -> Counted:
    """Counts of each day, the oldest first, with those of the windows."""
    return Counted(tuple(total(days[-window:]) for window in WINDOWS), tuple(days))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The least of the values that so great a share of them does not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[ceil(share * len(ordered)) - 1] if ordered else None


def failures_in_a_row(failed: Sequence[bool]) -> int:
    """How many of the last ends were failures, without a success in between."""
    return next((count for count, each in enumerate(reversed(failed)) if not each), len(failed))


def total(days: Sequence[DayCount]) -> DayCount:
    """The ends within several times together."""
    return DayCount(sum(day.runs for day in days), sum(day.failures for day in days))
