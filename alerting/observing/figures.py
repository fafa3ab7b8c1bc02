"""A pipeline's success rate and durations. Pure: no I/O, no clock.

Times are seconds since 1970 and durations are seconds: a month of a thousand pipelines is most of a
million runs.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from operator import attrgetter
from typing import NamedTuple

DAY = 86_400.0
DAYS = 30
"""How far back a pipeline is looked at."""
WINDOWS = (7, DAYS)
"""The windows that figures are given for, in days."""
P95 = 0.95


class PastRun(NamedTuple):
    """A run's end that counts: a success or a failure."""

    ended: float
    seconds: float
    """How long it ran."""
    failed: bool


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


def days_of(runs: Sequence[PastRun], now: float, days: int = DAYS) -> tuple[DayCount, ...]:
    """The ends of each of the last days, each 24 hours long, the oldest first.

    `runs` are in the order of their ends.
    """
    counts = [[0, 0] for _ in range(days)]
    for run in runs[first_since(runs, now - days * DAY) :]:
        index = days - 1 - int((now - run.ended) // DAY)
        if 0 <= index < days:
            counts[index][0] += 1
            counts[index][1] += run.failed
    return tuple(DayCount(runs, failures) for runs, failures in counts)


def figures_of(
    runs: Sequence[PastRun],
    days: int,
    now: float,
    *,
    known_since: float,
    counted: Counted | None = None,
) -> Figures:
    """The figures of a window that ends now.

    `runs` are in the order of their ends, and all since `known_since` are among them. A window
    that begins before that has the ends that were counted, and the durations of the runs that are
    known.
    """
    recent = runs[first_since(runs, now - days * DAY) :]
    durations = [run.seconds for run in recent if not run.failed]
    total, failures = len(recent), len(recent) - len(durations)
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


def failures_in_a_row(runs: Sequence[PastRun]) -> int:
    """How many of the last ends were failures, without a success in between."""
    count = 0
    for run in reversed(runs):
        if not run.failed:
            break
        count += 1
    return count


def first_since(runs: Sequence[PastRun], time: float) -> int:
    """The position of the first run that ended then or later."""
    return bisect_left(runs, time, key=attrgetter("ended"))


def total(days: Sequence[DayCount]) -> DayCount:
    """The ends within several times together."""
    return DayCount(sum(day.runs for day in days), sum(day.failures for day in days))
