"""Deadlines in stack configuration, and when they are."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import BaseModel, TypeAdapter, ValidationError

from alerting.settings.deadlines import Deadline

pytestmark = pytest.mark.unit


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ("06:00 Europe/London", "06:00 Europe/London"),
        (" 23:59  UTC ", "23:59 UTC"),
        ("06:00 Europe/London Mon-Fri", "06:00 Europe/London Mon-Fri"),
        ("06:00 Europe/London mon,tue,WED", "06:00 Europe/London Mon-Wed"),
        ("06:00 Europe/London Wed,Mon", "06:00 Europe/London Mon,Wed"),
        ("06:00 Europe/London Sat,Sun", "06:00 Europe/London Sat,Sun"),
        ("06:00 Europe/London Fri-Mon", "06:00 Europe/London Fri-Mon"),
        ("06:00 Europe/London Mon-Wed,Fri", "06:00 Europe/London Mon,Tue,Wed,Fri"),
        ("06:00 Europe/London Mon-Sun", "06:00 Europe/London"),
        ("06:00 Europe/London Mon-Mon", "06:00 Europe/London Mon"),
    ],
)
def test_a_deadline_is_read_as_people_write_it_and_written_in_one_form(
    given: str, text: str
) -> None:
    deadline = Deadline.parse(given)
    assert str(deadline) == text
    assert Deadline.parse(text) == deadline


@pytest.mark.parametrize(
    "value",
    [
        *("", "06:00", "Europe/London", "6:00 Europe/London", "24:00 UTC", "06:60 UTC"),
        *("06:00 UTC Funday", "06:00 UTC Mon,", "06:00 UTC -Fri", "06:00 UTC Mon Fri"),
        *("06:00 UTC Mon-", "06:00:00 UTC", "\u06606:00 UTC", 600, None, ["06:00 UTC"]),
    ],
    ids=repr,
)
def test_anything_else_is_refused_with_an_example(value: object) -> None:
    with pytest.raises(ValueError, match=r"^expected a time of day with its time zone, such as"):
        Deadline.parse(value)


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Europe/Londn", "such as Europe/London. Did you mean Europe/London?"),
        ("europe/paris", "Did you mean Europe/Paris?"),
        ("Europe", "expected a time zone such as Europe/London"),
        ("localtime", "expected a time zone such as Europe/London"),
        ("../../etc/passwd", "such as Europe/London or UTC"),
        ("+01:00", "such as Europe/London or UTC"),
    ],
)
def test_a_zone_that_is_not_is_refused_with_one_that_is(zone: str, hint: str) -> None:
    with pytest.raises(ValueError, match="expected a time zone") as caught:
        Deadline.parse(f"06:00 {zone}")
    assert hint in str(caught.value)


def test_a_deadline_in_a_model_is_its_text_in_json() -> None:
    class Pipeline(BaseModel):
        deadline: Deadline | None = None

    pipeline = Pipeline.model_validate({"deadline": "06:00 Europe/London Mon,Tue,Wed"})
    assert json.loads(pipeline.model_dump_json()) == {"deadline": "06:00 Europe/London Mon-Wed"}
    assert Pipeline.model_validate(pipeline.model_dump(mode="json")) == pipeline
    assert hash(pipeline.deadline) == hash(Deadline.parse("06:00 Europe/London Mon-Wed"))
    with pytest.raises(ValidationError, match="expected a time of day"):
        TypeAdapter(Deadline).validate_python("soon")


@pytest.mark.parametrize(
    ("text", "at", "last", "following"),
    [
        # By winter's clocks, and by summer's.
        ("06:00 Europe/London", "2026-03-28 06:00", "2026-03-28 06:00", "2026-03-29 05:00"),
        ("06:00 Europe/London", "2026-03-29 04:59", "2026-03-28 06:00", "2026-03-29 05:00"),
        ("06:00 Europe/London", "2026-10-25 05:59", "2026-10-24 05:00", "2026-10-25 06:00"),
        # Skipped: 01:30 is not, and 01:00 UTC is when clocks skip it.
        ("01:30 Europe/London", "2026-03-29 00:59", "2026-03-28 01:30", "2026-03-29 01:00"),
        ("01:30 Europe/London", "2026-03-29 01:00", "2026-03-29 01:00", "2026-03-30 00:30"),
        # Shown twice: the first counts.
        ("01:30 Europe/London", "2026-10-25 00:29", "2026-10-24 00:30", "2026-10-25 00:30"),
        ("01:30 Europe/London", "2026-10-25 01:30", "2026-10-25 00:30", "2026-10-26 01:30"),
        # A leap day, and a year without one.
        ("06:00 UTC", "2028-02-28 07:00", "2028-02-28 06:00", "2028-02-29 06:00"),
        ("06:00 UTC", "2026-02-28 07:00", "2026-02-28 06:00", "2026-03-01 06:00"),
        # 2026-03-06 is a Friday.
        ("06:00 UTC Mon-Fri", "2026-03-06 06:00", "2026-03-06 06:00", "2026-03-09 06:00"),
        # The weekday is the zone's: Monday 06:00 in Auckland is Sunday in UTC.
        ("06:00 Pacific/Auckland Mon", "2026-06-01 00:00", "2026-05-31 18:00", "2026-06-07 18:00"),
        # Newfoundland went from 00:01 back to 23:01 of the day before, at 02:31 UTC.
        ("00:00 America/St_Johns", "2010-11-07 03:00", "2010-11-07 02:30", "2010-11-08 03:30"),
        # A day that Samoa left out: its deadline is the moment at which the next began.
        ("06:00 Pacific/Apia", "2011-12-30 10:00", "2011-12-30 10:00", "2011-12-30 16:00"),
    ],
)
def test_the_last_and_the_next_deadline_are_right_on_every_day(
    text: str, at: str, last: str, following: str
) -> None:
    deadline = Deadline.parse(text)
    assert deadline.last_until(moment(at)) == moment(last)
    assert deadline.next_after(moment(at)) == moment(following)
    assert deadline.next_after(moment(at)).utcoffset() == timedelta(0)
