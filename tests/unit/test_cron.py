"""Cron expressions, and the days on which clocks are changed."""

from datetime import UTC, datetime, timedelta

import pytest

from alerting.settings.cron import checked_cron, occurrences, shortest_gap

pytestmark = pytest.mark.unit


def due(expression: str, zone: str, first: str, last: str) -> list[str]:
    """When an expression is due in UTC, from the beginning of one day to the end of another."""
    begin, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (first, last))
    second = timedelta(seconds=1)
    found = occurrences(expression, zone, begin - second, end + timedelta(days=1) - second)
    return [f"{moment:%m-%d %H:%M}" for moment in found]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("0 2 * * 0", "0 2 * * 0"),
        ("  0  2 *\t* sun ", "0 2 * * sun"),
        ("*/15 1-5,22 1,L jan-mar MON#1", "*/15 1-5,22 1,L jan-mar MON#1"),
        ("0 0 29 2 *", "0 0 29 2 *"),
    ],
)
def test_an_expression_is_taken_as_people_write_it(given: str, text: str) -> None:
    assert checked_cron(given) == text


@pytest.mark.parametrize(
    "expression",
    [
        *("", "0 2 * *", "0 0 2 * * 0", "@daily", "60 2 * * 0", "0 24 * * 0", "0 2 32 * 0"),
        *("0 2 * 13 0", "0 2 * * 8", "0 2 * * Sunday", "a b c d e", "0 2 * * 1-", "0/0 2 * * *"),
        *("0 2 * * 5L/2", f"{'9' * 5000} 2 * * *", "0 2 5-1 * *", "٣ 2 * * *", "0 0 30 2 *"),
    ],
    ids=lambda expression: expression[:20],
)
def test_anything_else_is_one_error_with_an_example(expression: str) -> None:
    with pytest.raises(ValueError, match=r"^expected a cron expression .*such as 0 2 \* \* 0"):
        checked_cron(expression)


def test_an_expression_that_is_never_due_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^is never due\."):
        checked_cron("0 0 */30 2 MON#5")


def test_a_time_that_clocks_skip_is_due_when_they_skip_it() -> None:
    # In London clocks go from 01:00 to 02:00 on 2026-03-29, at 01:00 UTC.
    assert due("30 1 * * *", "Europe/London", "2026-03-28", "2026-03-30") == [
        "03-28 01:30",
        "03-29 01:00",
        "03-30 00:30",
    ]


def test_times_that_clocks_skip_together_are_due_once() -> None:
    found = due("0,20,40 1 * * *", "Europe/London", "2026-03-29", "2026-03-29")
    assert found == ["03-29 01:00"]


def test_a_time_that_clocks_show_twice_is_due_at_first() -> None:
    # From 02:00 back to 01:00 on 2026-10-25, at 01:00 UTC.
    assert due("30 1 * * *", "Europe/London", "2026-10-24", "2026-10-26") == [
        "10-24 00:30",
        "10-25 00:30",
        "10-26 01:30",
    ]


def test_every_half_hour_goes_by_the_time_that_passes() -> None:
    assert due("*/30 1 * * *", "Europe/London", "2026-03-29", "2026-03-29") == []
    assert due("*/30 1 * * *", "Europe/London", "2026-10-25", "2026-10-25") == [
        "10-25 00:00",
        "10-25 00:30",
        "10-25 01:00",
        "10-25 01:30",
    ]


def test_clocks_that_are_changed_by_half_an_hour_are_followed() -> None:
    # On Lord Howe Island clocks go from 02:00 back to 01:30 on 2026-04-05, at 15:00 UTC before.
    assert due("*/15 1,2 * * *", "Australia/Lord_Howe", "2026-04-04", "2026-04-04") == [
        *("04-04 14:00", "04-04 14:15", "04-04 14:30", "04-04 14:45"),
        *("04-04 15:00", "04-04 15:15", "04-04 15:30", "04-04 15:45"),
        *("04-04 16:00", "04-04 16:15"),
    ]


def test_a_leap_day_comes_every_four_years() -> None:
    assert due("0 6 29 2 *", "UTC", "2024-01-01", "2031-12-31") == ["02-29 06:00"] * 2


@pytest.mark.parametrize(
    ("expression", "gap"),
    [
        ("0 2 * * *", timedelta(days=1)),
        ("0 2 * * 0", timedelta(days=7)),
        ("0 2 * * 1,3", timedelta(days=2)),
        ("0 2 * * MON#1", timedelta(days=28)),
        ("0 2 * * 5L", timedelta(days=28)),
        ("*/5 * * * *", timedelta(minutes=5)),
        ("0,50 * * * *", timedelta(minutes=10)),
        ("0 0,23 * * *", timedelta(hours=1)),
        ("0 0,23 * * 1,3", timedelta(hours=23)),
        ("0 0 1 * *", timedelta(days=28)),
        ("0 0 */2 * *", timedelta(days=1)),
        ("0 0 29 2 *", timedelta(days=1461)),
    ],
)
def test_the_shortest_gap_is_found_within_a_day_overnight_and_over_the_years(
    expression: str, gap: timedelta
) -> None:
    assert shortest_gap(expression) == gap
