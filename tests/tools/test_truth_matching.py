"""How what was sent is compared with what was due."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from alerting.plan import Tier
from sandbox.truth.due import ALL, Due, Outage
from sandbox.truth.matching import Sent, Tally, compare

pytestmark = pytest.mark.tools

START = datetime(2026, 3, 2, tzinfo=UTC)
RUN = uuid4()
OUTAGE = Outage("orders", START, START + timedelta(hours=1))


def _at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def _due(tier: Tier = Tier.CRITICAL, run: UUID | None = RUN, step: str | None = None) -> Due:
    return Due(tier, OUTAGE, _at(100), run, step)


def _sent(
    seconds: float, *, pipeline: str = "orders", run: UUID | None = RUN, tier: Tier = Tier.CRITICAL
) -> Sent:
    return Sent(tier, pipeline, _at(seconds), run)


def _escalated(seconds: float, step: str = "15m") -> Sent:
    return Sent(Tier.ESCALATION, "orders", _at(seconds), None, step)


ESCALATION = _due(Tier.ESCALATION, None, "15m")


def test_a_page_for_the_run_in_time_is_right() -> None:
    assert compare([_due()], [_sent(100)])[Tier.CRITICAL] == Tally(due=1, right=1)


def test_ten_seconds_are_in_time_and_more_is_late() -> None:
    assert compare([_due()], [_sent(110)])[Tier.CRITICAL] == Tally(due=1, right=1)
    assert compare([_due()], [_sent(111)])[Tier.CRITICAL] == Tally(due=1, late=1)


def test_a_page_that_was_not_sent_is_missed_and_its_outage_unpaged() -> None:
    assert compare([_due()], [])[Tier.CRITICAL] == Tally(due=1, missed=1, unpaged=1)


def test_a_page_for_another_run_is_false_but_tells_of_the_outage() -> None:
    found = compare([_due()], [_sent(50, run=uuid4())])[Tier.CRITICAL]
    assert found == Tally(due=1, missed=1, false=1)


def test_a_page_for_another_pipeline_does_not_tell_of_the_outage() -> None:
    found = compare([_due()], [_sent(100, pipeline="clicks")])[Tier.CRITICAL]
    assert found == Tally(due=1, missed=1, false=1, unpaged=1)


def test_a_page_in_another_tier_is_no_page_in_this_one() -> None:
    found = compare([_due()], [_sent(100, tier=Tier.WARNING)])
    assert found[Tier.CRITICAL] == Tally(due=1, missed=1, unpaged=1)
    assert found[Tier.WARNING] == Tally(false=1)


def test_a_page_that_is_sent_twice_is_right_once_and_false_once() -> None:
    found = compare([_due()], [_sent(100), _sent(101)])[Tier.CRITICAL]
    assert found == Tally(due=1, right=1, false=1)


def test_a_page_before_it_is_due_is_false() -> None:
    found = compare([ESCALATION], [_escalated(99)])[Tier.ESCALATION]
    assert found == Tally(due=1, missed=1, false=1)


def test_an_escalation_is_late_as_long_as_the_outage_lasts() -> None:
    assert compare([ESCALATION], [_escalated(3_600)])[Tier.ESCALATION] == Tally(due=1, late=1)
    after = compare([ESCALATION], [_escalated(3_601)])[Tier.ESCALATION]
    assert after == Tally(due=1, missed=1, false=1)


def test_another_step_of_the_escalation_does_not_stand_for_this_one() -> None:
    found = compare([ESCALATION], [_escalated(100, "30m")])[Tier.ESCALATION]
    assert found == Tally(due=1, missed=1, false=1)


def test_any_page_in_the_tier_tells_of_an_outage_of_all() -> None:
    due = Due(Tier.P1, Outage(ALL, START, _at(3_600)), START, RUN)
    found = compare([due], [_sent(10, pipeline=ALL, run=uuid4(), tier=Tier.P1)])[Tier.P1]
    assert found == Tally(due=1, missed=1, false=1)


def test_only_all_in_time_and_nothing_besides_is_exact() -> None:
    assert compare([_due()], [_sent(100)])[Tier.CRITICAL].is_exact
    for sent in ([], [_sent(111)], [_sent(100), _sent(101)]):
        assert not compare([_due()], sent)[Tier.CRITICAL].is_exact
