"""Escalation steps: when each is due, what a silence does to them, and that each is given once."""

from datetime import timedelta
from itertools import permutations

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, silences_of
from alerting.sentinel.verdicts import Verdict
from tests.judging.gated import followed, judge_with, silence
from tests.shared.example_stack import published_of
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

ESCALATION, RESOLVED = VerdictKind.ESCALATION, VerdictKind.RESOLVED
SETTINGS = published_of()  # after 15 minutes and an hour, for orders
LATER = minute(1_000)


def steps(
    history: list[Ended], *silences: Silence, settings: PublishedSettings = SETTINGS
) -> list[tuple[str, float]]:
    """The steps by time, and the minutes in which they are due."""
    found = followed(judge_with(settings, *silences), history, LATER)
    return [(kind.removeprefix("escalation "), at) for kind, at, _ in told(found, ESCALATION)]


class TestSilences:
    """A silence is an acknowledgement: an outage that outlasts it counts from its end."""

    @pytest.mark.parametrize(
        ("begins", "ends", "expected"),
        [
            # It is over before the first step was due.
            (5, 10, [("15m", 25), ("1h", 70)]),
            # The first step falls in it, and comes after it.
            (10, 40, [("15m", 55), ("1h", 100)]),
            # The first step is told before it, and again when nobody has mended it since.
            (20, 40, [("15m", 15), ("15m", 55), ("1h", 100)]),
            # Both fall in it.
            (10, 200, [("15m", 215), ("1h", 260)]),
            # The outage begins in it.
            (-10, 5, [("15m", 20), ("1h", 65)]),
            # All was told before it.
            (70, 80, [("15m", 15), ("1h", 60), ("15m", 95), ("1h", 140)]),
            # It is over before there is anything.
            (-20, -10, [("15m", 15), ("1h", 60)]),
        ],
    )
    def test_steps_fall_silent_in_it_and_begin_anew_after_it(
        self, begins: float, ends: float, expected: list[tuple[str, float]]
    ) -> None:
        assert steps([end("F", 0)], silence(begins, ends, "orders")) == expected
        assert steps([end("F", 0)], silence(begins, ends)) == expected

    def test_it_covers_its_first_moment_and_not_its_last(self) -> None:
        assert steps([end("F", 0)], silence(15, 20))[0] == ("15m", 35)
        # At its end the outage is new, and has all the time it had.
        assert steps([end("F", 0)], silence(5, 15))[0] == ("15m", 30)
        assert steps([end("F", 0)], silence(15.1, 20))[:2] == [("15m", 15), ("15m", 35)]

    def test_one_of_another_pipeline_changes_nothing(self) -> None:
        assert steps([end("F", 0)], silence(10, 40, "clicks")) == [("15m", 15), ("1h", 60)]

    @pytest.mark.parametrize(
        "both",
        [
            (silence(10, 30), silence(20, 100)),
            (silence(10, 100), silence(20, 30)),
            (silence(10, 100, "orders"), silence(10, 30)),
        ],
    )
    def test_of_several_that_overlap_the_last_end_counts(
        self, both: tuple[Silence, Silence]
    ) -> None:
        assert steps([end("F", 0)], *both) == [("15m", 115), ("1h", 160)]

    def test_looking_within_the_second_of_two_gives_no_step_that_fell_in_the_first(self) -> None:
        judging = judge_with(SETTINGS, silence(10, 30), silence(20, 100))
        judging.observe(end("F", 0))
        assert told(judging.tick(minute(25))) == []

    def test_two_one_after_the_other_each_begin_it_anew(self) -> None:
        found = steps([end("F", 0)], silence(10, 20), silence(30, 50))
        assert found == [("15m", 65), ("1h", 110)]
        found = steps([end("F", 0)], silence(10, 20), silence(40, 50))
        assert found == [("15m", 35), ("15m", 65), ("1h", 110)]

    def test_a_success_in_it_ends_the_outage_and_no_step_follows(self) -> None:
        assert steps([end("F", 0), end("S", 30)], silence(10, 40)) == []

    def test_a_failure_after_that_success_is_another_outage_that_counts_from_the_end(self) -> None:
        assert steps(runs("F S F", every=15), silence(10, 40)) == [("15m", 55), ("1h", 100)]

    def test_further_failures_in_it_change_nothing(self) -> None:
        assert steps(runs("F F F F F", every=10), silence(10, 40)) == [("15m", 55), ("1h", 100)]

    def test_a_window_of_the_settings_is_one_as_well(self) -> None:
        # The history begins at 06:00 UTC.
        window = {"cron": "10 6 * * *", "timeZone": "UTC", "duration": "30m", "reason": "patching"}
        found = steps([end("F", 0), end("S", 600)], settings=published_of(maintenance=[window]))
        assert found == [("15m", 55), ("1h", 100)]

    def test_one_that_is_added_meanwhile_counts_from_then_on(self) -> None:
        judging = Judge(SETTINGS)
        judging.observe(end("F", 0))
        judging.silences = silences_of(SETTINGS, [silence(10, 40)])
        assert told(judging.tick(minute(15))) == []
        assert judging.next_due(minute(15)) == minute(40)
        assert told(judging.tick(minute(40))) == []
        assert judging.next_due(minute(40)) == minute(55)
        assert told(judging.tick(minute(55))) == [("escalation 15m", 55, "orders")]

    def test_one_that_is_ended_early_counts_until_it_was_ended(self) -> None:
        judging = judge_with(SETTINGS, silence(10, 40))
        judging.observe(end("F", 0))
        judging.silences = silences_of(SETTINGS, [silence(10, 20)])
        assert judging.next_due(minute(20)) == minute(35)
        assert told(judging.tick(minute(35))) == [("escalation 15m", 35, "orders")]

    @pytest.mark.parametrize(("mended", "resolved"), [(30, []), (54, []), (56, [56])])
    def test_a_page_is_resolved_where_a_step_was_told_and_only_there(
        self, mended: float, resolved: list[float]
    ) -> None:
        settings = published_of(tiers={"warning": {"notify": ["alerts"]}})  # no streak pages
        judging = judge_with(settings, silence(10, 40))
        found = followed(judging, [end("F", 0), end("S", mended)], LATER)
        assert [at for _, at, _ in told(found, RESOLVED)] == resolved


def _ids(verdicts: list[Verdict]) -> set[tuple[str | None, str]]:
    return {(v.step, str(v.id)) for v in verdicts if v.kind is ESCALATION}


@pytest.mark.parametrize("silences", [(), (silence(3, 6),), (silence(-20, 2),)])
def test_a_step_is_the_same_in_whatever_order_ends_are_heard_of(
    silences: tuple[Silence, ...],
) -> None:
    history = [end("S", -5), *runs("F F F", every=2)]
    expected = _ids(list(followed(judge_with(SETTINGS, *silences), history, LATER)))
    assert {step for step, _ in expected} == {"15m", "1h"}
    for order in permutations(history):
        judging = judge_with(SETTINGS, *silences)
        found = [v for ended in order for v in judging.observe(ended)]
        assert _ids([*found, *judging.tick(LATER)]) == expected


def test_a_failure_heard_of_after_the_step_was_told_does_not_have_it_told_again() -> None:
    for silences in [(), (silence(1, 2),)]:
        settings = published_of(
            escalation=[{"after": "2m", "to": "on-call", "notify": ["on-call"]}]
        )
        judging = judge_with(settings, *silences)
        judging.observe(end("S", -5))
        judging.observe(end("F", 0))
        assert len(told(judging.tick(minute(5)), ESCALATION)) == 1
        assert told(judging.observe(end("F", -1)), ESCALATION) == []
        assert told(judging.tick(minute(6)), ESCALATION) == []


@pytest.mark.parametrize("away", [14.9, 15, 30, 59, 60.1, 100])
@pytest.mark.parametrize("silences", [(), (silence(20, 40),), (silence(10, 50),)])
def test_steps_are_the_same_for_one_that_is_started_anew(
    away: float, silences: tuple[Silence, ...]
) -> None:
    history = [end("F", 0)]
    unbroken = list(followed(judge_with(SETTINGS, *silences), history, LATER))
    before = list(followed(judge_with(SETTINGS, *silences), history, minute(away)))
    # It comes back five minutes later, with nothing but the history.
    later = judge_with(SETTINGS, *silences)
    after = later.observe(history[0]) + later.tick(minute(away + 5))
    after += [v for at in range(int(away) + 6, 200) for v in later.tick(minute(at))]
    assert _ids(before) <= _ids(after)
    assert _ids(after) == _ids(unbroken)
    assert sorted(v.at for v in after) == sorted(v.at for v in unbroken)


def test_a_step_is_known_to_be_due_to_the_moment() -> None:
    judging = judge_with(SETTINGS, silence(10, 40))
    judging.observe(end("F", 0))
    assert judging.next_due(minute(0)) == minute(15)  # a silence that is yet to come may be ended
    assert judging.next_due(minute(15)) == minute(40)
    assert told(judging.tick(minute(55) - timedelta(microseconds=1))) == []
    assert told(judging.tick(minute(55))) == [("escalation 15m", 55, "orders")]
