"""Ends that are heard of in another order than they happened in, and what must be known before."""

import pytest

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.judging import Judge
from tests.shared.example_stack import published_of
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

STREAK = VerdictKind.STREAK
ALL_DOWN, NOT_ALL_DOWN = VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN
SETTINGS = published_of()


def test_a_failure_that_is_heard_of_late_counts_in_its_place() -> None:
    judging = Judge(SETTINGS)
    first, second, third = runs("F F F", every=1)
    assert told(judging.observe(first), STREAK) == []
    assert told(judging.observe(third), STREAK) == []
    assert told(judging.observe(second), STREAK) == [("streak", 2, "orders")]


def test_a_success_that_is_heard_of_late_ends_the_streak_in_its_place() -> None:
    judging = Judge(SETTINGS)
    judging.observe(end("F", 0))
    judging.observe(end("F", 2))
    assert told(judging.observe(end("S", 1))) == [("recovery", 1, "orders")]
    assert told(judging.observe(end("F", 3)), STREAK) == []
    assert told(judging.observe(end("F", 4)), STREAK) == [("streak", 4, "orders")]


def test_a_success_that_is_heard_of_before_its_failure_is_a_recovery_then() -> None:
    judging = Judge(SETTINGS)
    assert judging.observe(end("S", 1)) == []
    assert told(judging.observe(end("F", 0))) == [
        ("failure", 0, "orders"),
        ("recovery", 1, "orders"),
    ]


def test_an_outage_that_ended_before_it_was_heard_of_is_told_all_the_same() -> None:
    judging = Judge(SETTINGS)
    judging.observe(end("F", 0))
    judging.observe(end("S", 2))
    found = judging.observe(end("F", 1, "load-clicks", "prod"))
    assert told(found, ALL_DOWN, NOT_ALL_DOWN) == [
        ("all-down", 1, "load-clicks"),
        ("not-all-down", 2, "orders"),
    ]


def test_what_was_given_is_not_given_again_when_something_comes_before_it() -> None:
    judging = Judge(SETTINGS)
    early, *others = runs("F F F F", every=1)
    given = [v for ended in [end("S", -1), *others] for v in judging.observe(ended)]
    assert told(given, STREAK) == [("streak", 3, "orders")]
    assert told(judging.observe(early)) == [("failure", 0, "orders")]


def test_a_step_is_not_given_again_when_something_comes_before_the_recovery() -> None:
    judging = Judge(SETTINGS)
    judging.observe(end("F", 0))
    assert told(judging.tick(minute(15))) == [("escalation 15m", 15, "orders")]
    assert told(judging.observe(end("S", 40))) == [
        ("recovery", 40, "orders"),
        ("resolved", 40, "orders"),
    ]
    assert told(judging.tick(minute(42))) == []
    assert told(judging.observe(end("F", 39))) == [("failure", 39, "orders")]


def test_the_same_end_counts_once_however_often_it_is_heard_of() -> None:
    judging = Judge(SETTINGS)
    first, second = runs("F F")
    heard = [judging.observe(ended) for ended in (first, second, first, second)]
    assert [told(found) for found in heard] == [
        [("failure", 0, "orders")],
        [("failure", 10, "orders")],
        [],
        [],
    ]


def test_a_pipelines_past_is_needed_at_first_and_when_an_outage_begins() -> None:
    judging = Judge(SETTINGS)
    assert judging.needs_past(end("S", 0))
    judging.observe(end("S", 0))
    assert not judging.needs_past(end("S", 1))
    assert judging.needs_past(end("F", 1))
    judging.observe(end("F", 1))
    assert not judging.needs_past(end("F", 2))
    assert judging.needs_past(end("F", 2, "load-clicks", "prod"))


def test_a_failure_that_is_heard_of_again_after_the_success_needs_no_past() -> None:
    judging = Judge(published_of())
    failure = end("F", 120)
    for ended in (end("S", 0), end("F", 60), end("F", 70), failure, end("S", 122)):
        judging.observe(ended)
    assert not judging.needs_past(failure)
    assert judging.observe(failure) == []


def test_pipelines_in_an_outage_are_known_by_their_latest_failure() -> None:
    judging = Judge(SETTINGS)
    latest = end("F", 1)
    for ended in (end("F", 0), latest, *runs("F S", "other")):
        judging.observe(ended)
    assert judging.failing() == [latest]
