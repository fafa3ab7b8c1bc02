"""Pipelines that fail, recover and fail again: with flapFor that is one outage, told once."""

from itertools import permutations

import pytest

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, judge
from alerting.sentinel.messages import message_of
from tests.judging.gated import followed
from tests.shared.example_stack import published_of
from tests.shared.histories import end, minute, told

pytestmark = pytest.mark.judging

FAILURE, STREAK, RECOVERY = VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.RECOVERY
ESCALATION, RESOLVED = VerdictKind.ESCALATION, VerdictKind.RESOLVED
SETTINGS = published_of(noise={"flapFor": "30m"})
LATER = minute(1_000)


def history(text: str) -> list[Ended]:
    """Ends such as "F0 S10": an outcome and its minute."""
    return [end(each[0], float(each[1:])) for each in text.split()]


def judged(text: str, *kinds: VerdictKind) -> list[tuple[str, float]]:
    found = judge(history(text), SETTINGS, LATER)
    return [(kind, at) for kind, at, _ in told(found, *kinds)]


def test_a_pipeline_that_fails_again_before_it_stayed_well_is_told_once_and_recovers_once() -> None:
    assert judged("F0 S10 F20 S30", FAILURE, RECOVERY) == [("failure", 0), ("recovery", 60)]


def test_many_ups_and_downs_are_one_outage() -> None:
    ups_and_downs = " ".join(f"F{at} S{at + 5}" for at in range(0, 200, 10))
    assert judged(ups_and_downs, FAILURE, RECOVERY) == [("failure", 0), ("recovery", 225)]


@pytest.mark.parametrize(
    ("again", "expected"),
    [
        (39, [("failure", 0)]),
        (40, [("failure", 0), ("recovery", 40), ("failure", 40)]),
        (41, [("failure", 0), ("recovery", 40), ("failure", 41)]),
    ],
)
def test_a_failure_after_it_stayed_well_for_so_long_is_another_outage(
    again: int, expected: list[tuple[str, float]]
) -> None:
    assert judged(f"F0 S10 F{again}", FAILURE, RECOVERY) == expected


def test_a_recovery_is_told_when_it_has_lasted_and_not_before() -> None:
    judging = Judge(SETTINGS)
    for ended in history("F0 S10"):
        judging.observe(ended)
    assert judging.next_due(minute(10)) == minute(40)
    assert told(judging.tick(minute(39.99))) == []
    assert told(judging.tick(minute(40))) == [("recovery", 40, "orders")]
    assert told(judging.tick(minute(41))) == []
    assert judging.next_due(minute(41)) is None


def test_it_stays_well_from_the_first_success_on_and_further_ones_change_nothing() -> None:
    assert judged("F0 S10 S20 S35 S50", RECOVERY) == [("recovery", 40)]


def test_each_further_failure_of_an_outage_that_goes_on_is_told() -> None:
    # The one that ends the short recovery is known from before; those after it are news.
    assert judged("F0 S10 F20 F30", FAILURE) == [("failure", 0), ("failure", 30)]


@pytest.mark.parametrize(
    ("text", "streaks"),
    [
        ("F0 F1 S2 F3 S4 F5", []),
        ("F0 F1 S2 F3 F4", []),
        ("F0 S1 F2 F3 F4", [("streak", 4)]),
        ("F0 F1 F2 S3 F4 F5 F6", [("streak", 2), ("streak", 6)]),
    ],
)
def test_a_streak_begins_anew_with_each_success(
    text: str, streaks: list[tuple[str, float]]
) -> None:
    assert judged(text, STREAK) == streaks


def test_a_streak_says_how_many_failures_there_were_in_a_row_and_not_in_the_outage() -> None:
    [streak] = [v for v in judge(history("F0 S1 F2 F3 F4"), SETTINGS, LATER) if v.kind is STREAK]
    assert message_of(streak, SETTINGS).subject == "CRITICAL: orders failed 3 times in a row"


def test_a_recovery_counts_the_failures_of_all_its_ups_and_downs() -> None:
    [found] = [v for v in judge(history("F0 S1 F2 F3 S4"), SETTINGS, LATER) if v.kind is RECOVERY]
    assert message_of(found, SETTINGS).sentence == (
        "orders completed. It was failing since 2026-03-01 06:00:00 UTC, 3 time(s) in all."
    )


def test_escalation_counts_from_the_failure_after_the_last_success() -> None:
    found = judged("F0 S10 F12 S80", ESCALATION)
    assert found == [("escalation 15m", 27), ("escalation 1h", 72)]


def test_an_escalation_of_a_flapping_outage_may_come_again_and_the_page_is_resolved_once() -> None:
    tiers = {"warning": {"notify": ["alerts"]}}  # so that escalation alone pages
    settings = published_of(noise={"flapFor": "30m"}, tiers=tiers)
    found = judge(history("F0 S16 F20 S22"), settings, LATER)
    assert told(found, ESCALATION, RESOLVED) == [
        ("escalation 15m", 15, "orders"),
        ("resolved", 52, "orders"),
    ]


def test_nothing_is_resolved_where_nobody_was_paged() -> None:
    tiers = {"warning": {"notify": ["alerts"]}}
    settings = published_of(noise={"flapFor": "30m"}, tiers=tiers)
    found = judge(history("F0 S10 F12 S14"), settings, LATER)
    assert told(found, ESCALATION, RESOLVED) == []
    assert told(found, RECOVERY) == [("recovery", 44, "orders")]


@pytest.mark.parametrize(
    "text", ["F0 S10 F20 S30", "S0 F1 S2 F3 S4 F20", "F0 S20 F49 F60 F70 S100 F125 S126 F400"]
)
def test_whoever_looks_often_finds_the_same_as_whoever_looks_once(text: str) -> None:
    often = followed(Judge(SETTINGS), history(text), LATER)
    assert {v.id: v.at for v in often} == {
        v.id: v.at for v in judge(history(text), SETTINGS, LATER)
    }


def test_one_that_is_started_anew_amid_the_flapping_gives_the_same_ids() -> None:
    ends = history("F0 S10 F20 S30")
    before = list(followed(Judge(SETTINGS), ends[:3], minute(25)))
    after = judge(ends, SETTINGS, LATER)
    assert {v.id for v in before} <= {v.id for v in after}
    assert told(v for v in after if v.id not in {b.id for b in before}) == [
        ("recovery", 60, "orders")
    ]


def test_the_recovery_is_the_same_in_whatever_order_ends_are_heard_of() -> None:
    ends = history("S-5 F0 S3 F6 S9")
    expected = {v.id for v in judge(ends, SETTINGS, LATER) if v.kind is RECOVERY}
    for order in permutations(ends):
        judging = Judge(SETTINGS)
        found = [v for ended in order for v in judging.observe(ended)]
        found += judging.tick(LATER)
        assert {v.id for v in found if v.kind is RECOVERY} == expected


def test_steps_after_a_short_recovery_are_not_given_again_for_a_failure_heard_of_late() -> None:
    steps = [{"after": "5m", "to": "on-call engineer", "notify": ["on-call"]}]
    judging = Judge(published_of(noise={"flapFor": "30m"}, escalation=steps))
    for ended in history("S-5 F0 S3 F6"):
        judging.observe(ended)
    assert told(judging.tick(minute(11)), ESCALATION) == [("escalation 5m", 11, "orders")]
    assert told(judging.observe(end("F", 5)), ESCALATION) == []
    assert told(judging.tick(minute(12)), ESCALATION) == []


def test_without_flap_for_a_recovery_is_told_at_once() -> None:
    found = judge(history("F0 S10 F20 S30"), published_of(), LATER)
    assert told(found, FAILURE, RECOVERY) == [
        ("failure", 0, "orders"),
        ("recovery", 10, "orders"),
        ("failure", 20, "orders"),
        ("recovery", 30, "orders"),
    ]


def test_flap_for_changes_nothing_for_an_outage_without_a_success() -> None:
    found = judge(history("F0 F5 F10 F15"), SETTINGS, LATER)
    other = judge(history("F0 F5 F10 F15"), published_of(), LATER)
    assert {v.id for v in found} == {v.id for v in other}
