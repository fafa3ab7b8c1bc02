"""Outages that last over several silences: what is told in between, and of their ends."""

import pytest

from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import silences_of
from tests.judging.gated import Live, judge_with, silence
from tests.shared.example_stack import published_of
from tests.shared.histories import end, minute, runs, told

pytestmark = pytest.mark.judging

ALL_DOWN, RECOVERY = VerdictKind.ALL_DOWN, VerdictKind.RECOVERY
FAILURE, ESCALATION = VerdictKind.FAILURE, VerdictKind.ESCALATION
PIPELINES = {"a": {"owner": "web"}, "b": {"owner": "web"}}
AB = published_of(pipelines=PIPELINES, escalation=[])
DOWN = [end("F", 1, "a"), end("F", 2, "b")]


class TestAllDown:
    """P1 that was held back became true when the silences of enough pipelines were over."""

    @pytest.mark.parametrize("looked", [60, 60.5, 61, 600, 10_000])
    def test_whoever_looks_later_finds_the_same_moment(self, looked: float) -> None:
        judge = judge_with(AB, silence(-1, 30, "a"), silence(-1, 60, "b"))
        gate = Gate(judge)
        assert gate.admit([v for ended in DOWN for v in judge.observe(ended)]) == []
        assert told(gate.tick(minute(looked)), ALL_DOWN) == [("all-down", 60, "b")]
        assert gate.tick(minute(looked + 1)) == []

    def test_a_silence_that_has_begun_since_does_not_hold_it_back(self) -> None:
        for looks in ([70], [59, 61, 70], [59, 70, 90]):
            judge = judge_with(AB, silence(-1, 60), silence(65, 100))
            gate = Gate(judge)
            found = gate.admit([v for ended in DOWN for v in judge.observe(ended)])
            found += [v for look in looks for v in gate.tick(minute(look))]
            assert told(found, ALL_DOWN) == [("all-down", 60, "b")]

    def test_silences_that_follow_on_each_other_hold_it_back_until_the_last_is_over(self) -> None:
        judge = judge_with(AB, silence(-1, 60), silence(60, 100))
        live = Live(judge).hears(DOWN).waits_until(minute(200))
        assert told(live.verdicts, ALL_DOWN) == [("all-down", 100, "b")]

    def test_a_silence_that_somebody_ended_holds_it_back_until_then(self) -> None:
        judge = judge_with(AB, silence(-1, 60))
        gate = Gate(judge)
        gate.admit([v for ended in DOWN for v in judge.observe(ended)])
        assert gate.tick(minute(30)) == []
        # It was ended before the last look, and that is heard of now.
        judge.silences = silences_of(AB, [silence(-1, 29)])
        assert told(gate.tick(minute(31)), ALL_DOWN) == [("all-down", 29, "b")]

    def test_one_that_was_taken_away_holds_it_back_no_longer(self) -> None:
        judge = judge_with(AB, silence(-1, 60))
        gate = Gate(judge)
        gate.admit([v for ended in DOWN for v in judge.observe(ended)])
        judge.silences = silences_of(AB)
        assert told(gate.tick(minute(31)), ALL_DOWN) == [("all-down", 31, "b")]

    def test_what_is_heard_of_late_does_not_tell_it_before_it_was_so(self) -> None:
        judge = judge_with(AB, silence(0.5, 60))
        gate = Gate(judge)
        gate.admit([v for ended in DOWN for v in judge.observe(ended)])
        assert told(gate.admit(judge.observe(end("F", 0, "late"))), ALL_DOWN) == []
        assert told(gate.tick(minute(60)), ALL_DOWN) == [("all-down", 60, "b")]


def told_of(history: list[Ended], *silences: Silence) -> list[tuple[str, float, str]]:
    live = Live(judge_with(published_of(pipelines=ESCALATING), *silences))
    found = live.hears(history).waits_until(minute(5_000)).verdicts
    return told(found, FAILURE, ESCALATION, RECOVERY)


ESCALATING = {"a": {"owner": "web", "escalate": True}, "b": {"owner": "web"}}
NIGHTS = (silence(0, 60), silence(1_440, 1_500))


class TestRecovery:
    """Who heard of a failure also hears of its end, in whatever silences it began and ended."""

    def test_of_an_outage_that_was_told_between_two_silences(self) -> None:
        history = [*runs("F F F F", "b", at=30, every=60), end("F", 1_450, "b")]
        found = told_of([*history, end("S", 1_460, "b")], *NIGHTS)
        assert found == [
            ("failure", 90, "b"),
            ("failure", 150, "b"),
            ("failure", 210, "b"),
            ("recovery", 1_460, "b"),
        ]

    def test_of_an_outage_of_which_the_escalation_alone_was_told(self) -> None:
        history = [end("F", 30, "a"), end("F", 1_450, "a"), end("S", 1_460, "a")]
        assert told_of(history, *NIGHTS) == [
            ("escalation 15m", 75, "a"),
            ("escalation 1h", 120, "a"),
            ("recovery", 1_460, "a"),
        ]

    def test_not_of_an_outage_of_which_nothing_was_told(self) -> None:
        history = [end("F", 30, "b"), end("F", 1_450, "b"), end("S", 1_460, "b")]
        assert told_of(history, *NIGHTS) == []
