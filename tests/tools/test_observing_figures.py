"""Success rates and durations of a pipeline's runs, as words and as marks."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alerting.observing.figures import (
    DAY,
    DAYS,
    Counted,
    DayCount,
    PastRuns,
    counted_by_day,
    days_of,
    failures_in_a_row,
    figures_of,
    percentile,
)
from alerting.observing.page.plots import (
    HEIGHT,
    WIDTH,
    Kind,
    Plot,
    daily_runs,
    daily_success,
    durations,
    timeline,
)
from alerting.observing.pipelines import EndedRun
from alerting.observing.wording import ago, lasting, percent, sparkline

pytestmark = pytest.mark.tools

NOW = 1_000 * DAY
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)


def runs(*outcomes: tuple[float, float, bool]) -> PastRuns:
    """Runs by how many days ago they ended, how long they took, and whether they failed."""
    found = [(NOW - days * DAY, seconds, failed) for days, seconds, failed in outcomes]
    return PastRuns.of(sorted(found))


def test_success_rate_and_durations_are_those_of_the_window() -> None:
    history = runs((20, 500, False), (6, 10, False), (5, 20, False), (4, 3, True), (1, 60, False))
    week = figures_of(history, 7, NOW, known_since=0)
    assert (week.runs, week.failures, week.success_rate) == (4, 1, 0.75)
    assert (week.mean, week.p95, week.timed) == (30, 60, 3)
    month = figures_of(history, 30, NOW, known_since=0)
    assert (month.runs, month.success_rate, month.p95) == (5, 0.8, 500)
    assert week.is_complete
    assert month.is_complete


def test_a_failed_run_says_nothing_of_how_long_a_load_takes() -> None:
    figures = figures_of(runs((1, 100, False), (2, 1, True)), 7, NOW, known_since=0)
    assert figures.mean == figures.p95 == 100


def test_without_any_run_there_is_no_rate_and_no_duration() -> None:
    figures = figures_of(runs(), 7, NOW, known_since=0)
    assert figures.success_rate is None
    assert figures.mean is None
    assert figures.p95 is None


def test_what_was_counted_stands_in_for_what_is_not_known_yet_and_says_so() -> None:
    counted = counted_by_day([DayCount(20, 2)] * 23 + [DayCount(10, 1)] * 7)
    known = runs((0.5, 40, False), (0.4, 60, False))
    week, month = (
        figures_of(known, days, NOW, known_since=NOW - DAY, counted=counted) for days in (7, 30)
    )
    assert (week.runs, week.failures) == (70, 7)
    assert (month.runs, month.failures) == (530, 53)
    assert (month.mean, month.timed) == (50, 2)
    assert week.is_counted
    assert not week.is_complete


def test_what_is_neither_known_nor_counted_is_no_figure() -> None:
    figures = figures_of(runs((1, 5, False)), 30, NOW, known_since=NOW - 2 * DAY)
    assert not figures.is_counted
    assert not figures.is_complete


def test_counts_are_not_used_where_all_runs_are_known() -> None:
    counted = Counted((DayCount(9, 9), DayCount(99, 99)))
    figures = figures_of(runs((1, 5, False)), 7, NOW, known_since=NOW - 7 * DAY, counted=counted)
    assert (figures.runs, figures.failures) == (1, 0)


@pytest.mark.parametrize(
    ("values", "p95"),
    [([], None), ([3.0], 3.0), (list(range(1, 101)), 95), (list(range(1, 21)), 19), ([2, 1], 2)],
)
def test_a_percentile_is_one_of_the_values_by_the_nearest_rank(
    values: list[float], p95: float | None
) -> None:
    assert percentile(values, 0.95) == p95


def test_a_day_ends_now_and_the_oldest_comes_first() -> None:
    days = days_of(runs((0, 1, True), (0.9, 1, False), (1.1, 1, False), (29.9, 1, True)), NOW)
    assert len(days) == DAYS
    assert days[-1] == (2, 1)
    assert days[-2] == (1, 0)
    assert days[0] == (1, 1)
    assert sum(day.runs for day in days) == 4
    assert days_of(runs((30.1, 1, True)), NOW) == (DayCount(0, 0),) * DAYS


@pytest.mark.parametrize(("outcomes", "streak"), [("", 0), ("FFS", 0), ("SFF", 2), ("FFF", 3)])
def test_a_streak_are_the_failures_since_the_last_success(outcomes: str, streak: int) -> None:
    assert failures_in_a_row([each == "F" for each in outcomes]) == streak


@pytest.mark.parametrize(
    ("share", "text"),
    [(None, "-"), (1.0, "100%"), (0.0, "0%"), (0.9999, "99.9%"), (0.0001, "0.1%"), (0.5, "50.0%")],
)
def test_a_share_that_is_not_all_is_never_said_to_be_all(share: float | None, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0.04, "0.0s"),
        (9.94, "9.9s"),
        (59.4, "59s"),
        (61, "1m 01s"),
        (3_600, "1h 00m"),
        (90_000, "25h 00m"),
        (3 * DAY + 3_700, "3d 01h"),
    ],
)
def test_a_duration_is_said_shortly(seconds: float | None, text: str) -> None:
    assert lasting(seconds) == text


def test_how_long_ago_is_said_in_one_unit() -> None:
    assert ago(None, AT) == "never"
    assert ago(AT, AT) == "now"
    assert ago(AT + timedelta(seconds=3), AT) == "now"
    assert ago(AT - timedelta(minutes=61, seconds=5), AT) == "1h ago"


def test_a_sparkline_is_higher_the_more_runs_succeeded() -> None:
    assert sparkline([DayCount(0, 0), DayCount(4, 4), DayCount(4, 2), DayCount(4, 0)]) == "·▁▄█"
    # A day with one failure of a hundred is not like one without.
    assert sparkline([DayCount(100, 1)]) == "▇"


def ended(minutes: float, seconds: float, *, failed: bool = False) -> EndedRun:
    end = AT - timedelta(minutes=minutes)
    state = "Failed" if failed else "Completed"
    started = end - timedelta(seconds=seconds)
    return EndedRun(UUID(int=1), state, started, end, failed)


HISTORY = (ended(50, 120), ended(30, 60, failed=True), ended(10, 30))
DAYS_SEEN = (DayCount(0, 0), DayCount(10, 10), DayCount(10, 1), DayCount(5, 0))


@pytest.mark.parametrize(
    "plot",
    [
        timeline(HISTORY),
        durations(HISTORY),
        daily_runs(DAYS_SEEN),
        daily_success(DAYS_SEEN),
        timeline(HISTORY[:1]),
        durations([ended(1, 0)]),
        daily_runs(()),
        daily_success([DayCount(1_000, 1)]),
    ],
)
def test_every_mark_is_inside_its_plot(plot: Plot) -> None:
    for mark in plot.marks:
        assert 0 <= mark.x <= mark.x + mark.width <= WIDTH + 0.01
        assert 0 <= mark.y <= mark.y + mark.height <= HEIGHT + 0.01
        assert mark.width > 0
        assert mark.height > 0


def test_a_run_is_drawn_as_long_as_it_took_and_when_it_was() -> None:
    long, short, last = durations(HISTORY).marks
    assert long.height == HEIGHT
    assert (short.height, last.height) == (HEIGHT / 2, HEIGHT / 4)
    assert [mark.kind for mark in (long, short, last)] == ["success", "failure", "success"]
    assert [level.text for level in durations(HISTORY).levels] == ["mean 1m 15s", "p95 2m 00s"]
    places = [mark.x for mark in timeline(HISTORY).marks]
    assert places == sorted(places)
    assert places[0] == 0


def test_a_days_failures_are_its_share_of_the_bar_and_one_of_a_thousand_is_seen() -> None:
    empty, failed, mixed_bad, mixed_good, good = daily_success(DAYS_SEEN).marks
    assert empty.kind is Kind.NOTHING
    assert (failed.kind, failed.height) == (Kind.FAILURE, HEIGHT)
    assert mixed_bad.height + mixed_good.height == HEIGHT
    assert (good.kind, good.height) == (Kind.SUCCESS, HEIGHT)
    bad, _ = daily_success([DayCount(1_000, 1)]).marks
    assert bad.height > HEIGHT / 10
    assert daily_runs(DAYS_SEEN).summary == "25 runs in 4 days, 11 failed"
