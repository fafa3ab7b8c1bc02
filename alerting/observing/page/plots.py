"""Where the marks of a plot are. Pure; the templates draw them, and the style sheet colours them.

Coordinates are those of an SVG whose viewBox is `WIDTH` by `HEIGHT`, stretched to its place.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from alerting.observing.figures import P95, DayCount, percentile
from alerting.observing.pipelines import EndedRun
from alerting.observing.wording import lasting

WIDTH, HEIGHT = 1_000.0, 100.0
LEAST = 2.0
"""The least height of a mark, so that it can be seen."""
THINNEST = 2.5
FEWEST = 30
"""Bars that a plot has room for at least: few bars stay thin, and stand at the right."""
_GAP = 0.25
"""Share of a bar's place that stays free."""


class Kind(StrEnum):
    """What a mark stands for; also its class in the style sheet."""

    SUCCESS = "success"
    FAILURE = "failure"
    NOTHING = "nothing"


@dataclass(frozen=True)
class Mark:
    """A rectangle."""

    x: float
    y: float
    width: float
    height: float
    kind: Kind
    title: str = ""
    """What it says to those who point at it."""


@dataclass(frozen=True)
class Level:
    """A horizontal line."""

    y: float
    name: str
    text: str


@dataclass(frozen=True)
class Plot:
    """Marks, lines, and what stands at its edges."""

    marks: tuple[Mark, ...]
    summary: str
    """What it shows, for those who do not see it."""
    first: str = ""
    last: str = ""
    top: str = ""
    levels: tuple[Level, ...] = ()


def daily_success(days: Sequence[DayCount]) -> Plot:
    """A bar for each day: as much of it is a failure as of its runs failed."""
    place = WIDTH / max(len(days), 1)
    marks: list[Mark] = []
    for number, day in enumerate(days):
        x, width = place * (number + _GAP / 2), place * (1 - _GAP)
        if not day.runs:
            marks.append(_rounded(x, HEIGHT - LEAST * 4, width, LEAST * 4, Kind.NOTHING))
            continue
        failed = HEIGHT * day.failures / day.runs
        if day.failures:
            # One of a hundred runs has to be seen.
            failed = max(failed, HEIGHT / 8)
            marks.append(_rounded(x, 0, width, failed, Kind.FAILURE))
        if day.failures < day.runs:
            marks.append(_rounded(x, failed, width, HEIGHT - failed, Kind.SUCCESS))
    runs, failures = sum(day.runs for day in days), sum(day.failures for day in days)
    return Plot(tuple(marks), f"{len(days)} days: {runs} runs, {failures} failed")


def daily_runs(days: Sequence[DayCount]) -> Plot:
    """A bar for each day, as high as there were runs, failures at its foot."""
    most = max((day.runs for day in days), default=0)
    place = WIDTH / max(len(days), 1)
    marks: list[Mark] = []
    for number, day in enumerate(days):
        x, width = place * (number + _GAP / 2), place * (1 - _GAP)
        back = len(days) - number - 1
        when = "the last 24 hours" if back == 0 else f"{back} days ago"
        title = f"{when}: {day.runs} runs, {day.failures} failed"
        if not day.runs:
            marks.append(_rounded(x, HEIGHT - LEAST, width, LEAST, Kind.NOTHING, title))
            continue
        failed = HEIGHT * day.failures / most
        succeeded = HEIGHT * (day.runs - day.failures) / most
        if day.failures:
            marks.append(_rounded(x, HEIGHT - failed, width, failed, Kind.FAILURE, title))
        if succeeded:
            top = HEIGHT - failed - succeeded
            marks.append(_rounded(x, top, width, succeeded, Kind.SUCCESS, title))
    runs, failures = sum(day.runs for day in days), sum(day.failures for day in days)
    return Plot(
        tuple(marks),
        f"{runs} runs in {len(days)} days, {failures} failed",
        first=f"{len(days)} days ago",
        last="now",
        top=f"{most} runs",
    )


def timeline(runs: Sequence[EndedRun]) -> Plot:
    """Each of the last runs where it was in time, as long as it lasted."""
    if not runs:
        return Plot((), "no runs")
    begin, end = min(run.started for run in runs), max(run.ended for run in runs)
    whole = max((end - begin) / timedelta(seconds=1), 1.0)
    marks = []
    for run in runs:
        x = WIDTH * ((run.started - begin) / timedelta(seconds=1)) / whole
        width = max(WIDTH * run.seconds / whole, THINNEST)
        kind = Kind.FAILURE if run.failed else Kind.SUCCESS
        marks.append(_rounded(min(x, WIDTH - width), 0, width, HEIGHT, kind, _title(run)))
    failed = sum(run.failed for run in runs)
    return Plot(
        tuple(marks),
        f"the last {len(runs)} runs in time, {failed} failed",
        first=f"{begin:%d %b %H:%M}",
        last=f"{end:%d %b %H:%M}",
    )


def durations(runs: Sequence[EndedRun]) -> Plot:
    """A bar for each of the last runs, as high as it took long."""
    longest = max((run.seconds for run in runs), default=0.0) or 1.0
    places = max(len(runs), FEWEST)
    place = WIDTH / places
    marks = []
    for number, run in enumerate(runs, places - len(runs)):
        height = max(HEIGHT * run.seconds / longest, LEAST)
        x, width = place * (number + _GAP / 2), place * (1 - _GAP)
        kind = Kind.FAILURE if run.failed else Kind.SUCCESS
        marks.append(_rounded(x, HEIGHT - height, width, height, kind, _title(run)))
    succeeded = [run.seconds for run in runs if not run.failed]
    levels = []
    if succeeded:
        mean, p95 = sum(succeeded) / len(succeeded), percentile(succeeded, P95) or 0.0
        for name, seconds in (("mean", mean), ("p95", p95)):
            y = round(HEIGHT * (1 - seconds / longest), 2)
            levels.append(Level(y, name, f"{name} {lasting(seconds)}"))
    said = ", ".join(level.text for level in levels) or "no success"
    return Plot(
        tuple(marks),
        f"durations of the last {len(runs)} runs: {said}",
        first=f"{len(runs)} runs ago",
        last="last run",
        top=lasting(longest) if runs else "",
        levels=tuple(levels),
    )


def _title(run: EndedRun) -> str:
    return f"{run.state} at {run.ended:%Y-%m-%d %H:%M:%S} UTC after {lasting(run.seconds)}"


def _rounded(x: float, y: float, width: float, height: float, kind: Kind, title: str = "") -> Mark:
    return Mark(round(x, 2), round(y, 2), round(width, 2), round(height, 2), kind, title)
