"""The plain reference of what is due, by hand-made histories."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from alerting.plan import Tier
from alerting.scenarios.run_events import RunEvent
from sandbox.truth.due import ALL, Due, Rules, pages_due

pytestmark = pytest.mark.tools

START = datetime(2026, 3, 2, tzinfo=UTC)
RULES = Rules(3, (("15m", timedelta(minutes=15)), ("1h", timedelta(hours=1))))
LETTERS = {"F": "Failed", "C": "Crashed", "T": "TimedOut", "S": "Completed", "X": "Cancelled"}


def _due(states: str, *, every: int = 10, until: int = 24 * 60) -> list[Due]:
    """What is due when one flow's runs end so, every few minutes."""
    runs = (("orders", letter, every * index) for index, letter in enumerate(states))
    return _due_of(runs, until)


def _due_of(runs: Iterable[tuple[str, str, int]], until: int = 24 * 60) -> list[Due]:
    """What is due when runs of these flows end so, each at a minute."""
    events = [
        RunEvent(flow, LETTERS[letter], START + timedelta(minutes=at), run=f"{flow}-{at}")
        for flow, letter, at in runs
    ]
    return pages_due(events, RULES, START + timedelta(minutes=until))


def _minutes(due: Iterable[Due], tier: Tier) -> list[int]:
    return [(page.at - START) // timedelta(minutes=1) for page in due if page.tier is tier]


def test_each_failure_crash_and_timeout_is_a_warning() -> None:
    assert _minutes(_due("FSCTX"), Tier.WARNING) == [0, 20, 30]


def test_a_success_in_between_breaks_a_streak() -> None:
    assert _minutes(_due("FFSF"), Tier.CRITICAL) == []


def test_a_streak_is_due_at_every_third_failure_in_a_row() -> None:
    assert _minutes(_due("SFFFFFFFSFFF"), Tier.CRITICAL) == [30, 60, 110]


def test_a_cancelled_run_neither_counts_nor_breaks() -> None:
    assert _minutes(_due("FXFXF"), Tier.CRITICAL) == [40]


def test_a_retry_is_nothing() -> None:
    events = [RunEvent("orders", "AwaitingRetry", START, run="a")]
    assert pages_due(events, RULES, START + timedelta(hours=1)) == []


def test_the_first_success_after_failures_is_a_recovery() -> None:
    assert _minutes(_due("SFFSSFS"), Tier.RECOVERY) == [30, 60]


def test_escalation_counts_from_the_first_failure_of_an_outage() -> None:
    due = _due("FFFFFFFF")
    assert [(page.step, page.at) for page in due if page.tier is Tier.ESCALATION] == [
        ("15m", START + timedelta(minutes=15)),
        ("1h", START + timedelta(hours=1)),
    ]


def test_a_success_in_time_spares_the_steps_that_were_not_due() -> None:
    assert _minutes(_due("FS", every=20), Tier.ESCALATION) == [15]


def test_a_success_at_the_very_moment_comes_in_time() -> None:
    assert _minutes(_due("FS", every=15), Tier.ESCALATION) == []


def test_nothing_is_due_after_the_end_of_time() -> None:
    assert _minutes(_due("F", until=15), Tier.ESCALATION) == [15]
    assert _minutes(_due("F", until=14), Tier.ESCALATION) == []


def test_all_are_down_when_the_last_run_of_each_has_failed_and_again_only_after_a_recovery() -> (
    None
):
    due = _due_of(
        [("a", "S", 0), ("b", "F", 1), ("a", "F", 2), ("b", "F", 3), ("a", "S", 4), ("a", "F", 5)]
    )
    assert _minutes(due, Tier.P1) == [2, 5]
    first = next(page for page in due if page.tier is Tier.P1)
    assert first.outage.pipeline == ALL
    assert first.outage.end == START + timedelta(minutes=4)


def test_one_pipeline_alone_is_never_all_of_them() -> None:
    assert _minutes(_due("SFFF"), Tier.P1) == []


def test_runs_count_in_the_order_in_which_they_ended_whatever_the_order_they_are_listed_in() -> (
    None
):
    in_order = [("a", "F", 0), ("a", "S", 1), ("a", "F", 2), ("a", "F", 3)]
    assert _due_of(in_order) == _due_of(reversed(in_order))
    assert _minutes(_due_of(reversed(in_order)), Tier.RECOVERY) == [1]


def _pages(runs: Iterable[tuple[str, str, int]], tier: Tier) -> list[tuple[str, int]]:
    due = [page for page in _due_of(runs) if page.tier is tier]
    return [(p.outage.pipeline, (p.at - START) // timedelta(minutes=1)) for p in due]


def test_a_streak_that_all_being_down_explains_is_due_when_that_is_over() -> None:
    a = [("a", letter, at) for letter, at in (("F", 0), ("F", 10), ("F", 20), ("F", 30))]
    b = [("b", "F", 5), ("b", "S", 40)]
    assert _pages([*a, *b], Tier.P1) == [(ALL, 5)]
    assert _pages([*a, *b], Tier.CRITICAL) == [("a", 40)]
    # Of a pipeline that is what ends it nobody is told.
    assert _pages([*a, ("b", "F", 5), ("a", "S", 40)], Tier.CRITICAL) == []
    # And nobody while it lasts.
    assert _pages([*a, ("b", "F", 5)], Tier.CRITICAL) == []
    # A streak that was told before is not told again.
    assert _pages([*a, ("b", "F", 25), ("b", "S", 40)], Tier.CRITICAL) == [("a", 20)]


def test_of_several_streaks_that_were_explained_the_last_is_due() -> None:
    a = [("a", "F", at) for at in range(0, 60, 10)]
    pages = [p for p in _due_of([*a, ("b", "F", 5), ("b", "S", 60)]) if p.tier is Tier.CRITICAL]
    assert [(page.at - START) // timedelta(minutes=1) for page in pages] == [60]
    sixth = RunEvent("a", "Failed", START, run="a-50")
    assert [page.run for page in pages] == [sixth.run_id]
