"""Deadlines, cron and silences against what they mean, played minute by minute."""

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from alerting.plan.silences import Silence, Silences, Window
from alerting.settings.cron import occurrences
from alerting.settings.deadlines import Deadline

pytestmark = pytest.mark.properties

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
# Days on which clocks change: by an hour, by half of one, at midnight, after it, by a day; and a
# leap day.
PLACES = (
    ("Europe/London", datetime(2026, 3, 29, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 10, 25, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 3, 8, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 3, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 18, tzinfo=UTC)),
    ("America/St_Johns", datetime(2010, 11, 7, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, tzinfo=UTC)),
    ("Asia/Kolkata", datetime(2028, 2, 29, tzinfo=UTC)),
)
PLACE = st.sampled_from(PLACES)
BETWEEN = st.tuples(st.integers(-1440, 600), st.integers(0, 1440)).map(lambda b: (b[0], sum(b)))
"""Minutes from the day's beginning."""


@dataclass(frozen=True)
class Clocks:
    """Every minute of some days before and after one, and what clocks of a zone show at it."""

    moments: list[datetime]
    shown: list[datetime]
    latest: list[datetime]
    """The latest that clocks have shown by then."""

    def first_moments(self, times: set[time], weekdays: set[int]) -> list[datetime]:
        """The first moments at which clocks show these times, or later ones, of each day."""
        first = self.shown[0].date()
        days = [first + number * DAY for number in range((self.latest[-1].date() - first).days + 1)]
        walls = (
            datetime.combine(day, each)
            for day in days
            for each in times
            if day.weekday() in weekdays
        )
        places = {bisect_left(self.latest, wall) for wall in walls if wall > self.shown[0]}
        return [self.moments[place] for place in sorted(places) if place < len(self.moments)]


@cache
def clocks_of(zone: str, around: datetime, days: int = 2) -> Clocks:
    moments = [around + number * MINUTE for number in range(-days * 1440, (days + 1) * 1440)]
    place = ZoneInfo(zone)
    shown = [moment.astimezone(place).replace(tzinfo=None, fold=0) for moment in moments]
    return Clocks(moments, shown, list(accumulate(shown, max)))


@given(
    place=PLACE,
    at=st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    offset=st.integers(-1440, 2880),
)
@example(place=PLACES[0], at=time(1, 30), weekdays=set(range(7)), offset=60)
@example(place=PLACES[1], at=time(1, 30), weekdays=set(range(7)), offset=60)
@example(place=PLACES[6], at=time(0, 0), weekdays=set(range(7)), offset=180)
def test_a_deadline_is_the_first_moment_at_which_clocks_show_it_or_later(
    place: tuple[str, datetime], at: time, weekdays: set[int], offset: int
) -> None:
    zone, around = place
    deadline = Deadline(at, zone, frozenset(weekdays))
    due = clocks_of(zone, around, days=9).first_moments({at}, weekdays)
    now = around + offset * MINUTE
    assert deadline.next_after(now) == min(moment for moment in due if moment > now)
    assert deadline.last_until(now) == max(moment for moment in due if moment <= now)


@given(
    place=PLACE,
    hours=st.sets(st.integers(0, 23), min_size=1, max_size=3),
    past=st.sets(st.integers(0, 59), min_size=1, max_size=3),
    weekdays=st.sets(st.integers(0, 6), min_size=1),
    between=BETWEEN,
)
@example(place=PLACES[0], hours={1, 2}, past={0, 30}, weekdays=set(range(7)), between=(0, 1440))
@example(place=PLACES[1], hours={1}, past={0, 30}, weekdays=set(range(7)), between=(0, 1440))
def test_times_of_day_are_due_once_a_day_whatever_clocks_do(
    place: tuple[str, datetime],
    hours: set[int],
    past: set[int],
    weekdays: set[int],
    between: tuple[int, int],
) -> None:
    zone, around = place
    first, last = (around + minute * MINUTE for minute in between)
    clocks = clocks_of(zone, around)
    due = clocks.first_moments({time(hour, each) for hour in hours for each in past}, weekdays)
    cron = f"{listed(past)} {listed(hours)} * * {listed({(day + 1) % 7 for day in weekdays})}"
    assert occurrences(cron, zone, first, last) == [m for m in due if first < m <= last]


@given(
    place=PLACE,
    step=st.sampled_from([7, 15, 30]),
    hours=st.sets(st.integers(0, 23)),
    between=BETWEEN,
)
@example(place=PLACES[4], step=15, hours={1, 2}, between=(0, 1440))
@example(place=PLACES[1], step=15, hours={1}, between=(50, 90))
@example(place=PLACES[1], step=15, hours={1}, between=(0, 65))
def test_every_so_many_minutes_are_due_whenever_clocks_show_them(
    place: tuple[str, datetime], step: int, hours: set[int], between: tuple[int, int]
) -> None:
    zone, around = place
    first, last = (around + minute * MINUTE for minute in between)
    clocks = clocks_of(zone, around)
    due = [
        moment
        for moment, clock in zip(clocks.moments, clocks.shown, strict=True)
        if clock.minute % step == 0
        and (not hours or clock.hour in hours)
        and first < moment <= last
    ]
    cron = f"*/{step} {listed(hours) if hours else '*'} * * *"
    assert occurrences(cron, zone, first, last) == due


BEGIN = datetime(2026, 3, 27, tzinfo=UTC)
HOURS = st.integers(0, 120)
ADDED = st.lists(
    st.builds(
        lambda number, starts, lasts, pipelines: Silence(
            id=str(number),
            pipelines=tuple(sorted(pipelines)),
            starts=BEGIN + timedelta(hours=starts),
            ends=BEGIN + timedelta(hours=starts + lasts),
            reason="moved",
            author="ada",
        ),
        st.uuids(),
        HOURS,
        st.integers(0, 40),
        st.sets(st.sampled_from(["orders", "clicks"])),
    ),
    max_size=8,
)
WINDOWS = st.lists(
    st.builds(
        lambda cron, hours, pipelines: Window(
            cron=cron,
            time_zone="Europe/London",
            duration=timedelta(hours=hours),
            pipelines=tuple(sorted(pipelines)),
            reason="patches",
        ),
        st.sampled_from(["30 1 * * *", "0 2 * * 0", "0 */6 * * *", "0 22 28 3 *"]),
        st.integers(1, 5),
        st.sets(st.sampled_from(["orders", "clicks"])),
    ),
    max_size=2,
)


@given(added=ADDED, windows=WINDOWS, first=HOURS, length=st.integers(0, 60))
def test_the_registry_finds_what_a_look_at_every_silence_finds(
    added: list[Silence], windows: list[Window], first: int, length: int
) -> None:
    silences = Silences(added, windows)
    every = [silence for silence in added if silence.starts < silence.ends]
    for window in {each.key: each for each in windows}.values():
        starts = occurrences(
            window.cron, window.time_zone, BEGIN - 9 * DAY, BEGIN + timedelta(hours=200)
        )
        every += [window.occurrence(each) for each in starts]
    since = BEGIN + timedelta(hours=first)
    until = since + timedelta(hours=length)
    for pipeline in ("orders", "products"):
        on = [silence for silence in every if silence.covers(pipeline, until)]
        found = silences.covering(pipeline, until)
        assert (found is None) == (not on)
        if found:
            assert found in on
            assert found.ends == max(silence.ends for silence in on)
        ends = [s.ends for s in every if s.concerns(pipeline) and since < s.ends <= until]
        assert silences.last_end_before(pipeline, since, until) == max(ends, default=None)
    assert ids(silences.over_between(since, until)) == sorted(
        silence.id for silence in every if since < silence.ends <= until
    )
    assert ids(silences.coming(since, until)) == sorted(
        silence.id for silence in every if since < silence.starts <= until
    )
    assert ids(silences.running(until)) == sorted(
        silence.id for silence in every if silence.starts <= until < silence.ends
    )


def ids(silences: list[Silence]) -> list[str]:
    return sorted(silence.id for silence in silences)


def listed(numbers: set[int]) -> str:
    return ",".join(map(str, sorted(numbers)))
