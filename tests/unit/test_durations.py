"""Durations in stack configuration."""

from datetime import timedelta

import pytest

from alerting.settings.durations import format_duration, parse_duration

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("30s", timedelta(seconds=30)),
        ("15m", timedelta(minutes=15)),
        ("24h", timedelta(hours=24)),
        ("2d", timedelta(days=2)),
        ("1h30m", timedelta(minutes=90)),
        ("1d2h3m4s", timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ("90m", timedelta(minutes=90)),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize(
    "value",
    [
        *("", " ", "15", "m", "15 m", " 15m", "15m ", "15m\n", "-15m", "+15m", "1.5h", "15M"),
        *("15min", "m15", "1m1h", "1h1h", "0s", "0h0m", "PT15M", "٣h", "9999999999s"),
        *(15, 1.5, True, None, ["15m"], {"m": 15}),
    ],
    ids=repr,
)
def test_anything_else_is_refused_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a duration .*such as 30s, 15m"):
        parse_duration(value)


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(seconds=10), "10s"),
        (timedelta(minutes=15), "15m"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(hours=24), "24h"),
        (timedelta(hours=36), "36h"),
        (timedelta(days=3), "3d"),
        (timedelta(hours=49), "49h"),
        (timedelta(0), "0s"),
    ],
)
def test_a_duration_is_written_the_shortest_way(duration: timedelta, text: str) -> None:
    assert format_duration(duration) == text


@pytest.mark.parametrize("seconds", [1, 59, 60, 61, 3_599, 3_661, 86_400, 90_061, 172_800, 604_801])
def test_what_is_written_is_read_back(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration
