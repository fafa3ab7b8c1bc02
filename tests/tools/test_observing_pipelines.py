"""How a pipeline is, which pipelines there are, and which comes first."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from alerting.observing.announcements import Incident
from alerting.observing.fleet import Source, fleet
from alerting.observing.pipelines import (
    Condition,
    EndedRun,
    Pipeline,
    bound_of,
    by_urgency,
    chosen,
    condition_of,
)
from alerting.observing.silences import silenced_until
from alerting.plan.verdicts import VerdictKind
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.tools

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def end(ago: timedelta, *, failed: bool = False) -> EndedRun:
    at = NOW - ago
    return EndedRun(UUID(int=1), "Failed" if failed else "Completed", at - HOUR, at, failed)


PLAIN = Pipeline(
    key="orders",
    name="orders",
    flow="orders",
    deployment=None,
    owner="shop",
    runbook=None,
    listed=True,
    condition=Condition.HEALTHY,
    running=False,
    last=end(HOUR),
    streak=0,
    streak_is_least=False,
    last_success=NOW - HOUR,
    bound=None,
    figures=(),
    days=(),
)


def pipeline(name: str, condition: Condition = Condition.HEALTHY, **changes: object) -> Pipeline:
    return replace(PLAIN, key=name, name=name, condition=condition, **changes)  # type: ignore[arg-type]


def incident(gravest: VerdictKind) -> Incident:
    return Incident("x", "x", NOW, 3, gravest, None)


def test_a_pipeline_is_failing_when_its_last_run_failed() -> None:
    found = condition_of(
        end(HOUR, failed=True), NOW - 2 * HOUR, 9 * HOUR, NOW, late=True, looked_at=True
    )
    assert found is Condition.FAILING


@pytest.mark.parametrize(
    ("hours", "bound", "condition"),
    [
        (1, 2, Condition.HEALTHY),
        (2, 2, Condition.HEALTHY),
        (3, 2, Condition.STALE),
        (3, None, Condition.HEALTHY),
    ],
)
def test_data_is_stale_when_it_is_older_than_it_may_be(
    hours: int, bound: int | None, condition: Condition
) -> None:
    last = end(hours * HOUR)
    limit = bound * HOUR if bound else None
    assert condition_of(last, last.ended, limit, NOW, late=False, looked_at=True) is condition


def test_a_pipeline_that_was_not_looked_at_is_not_said_to_be_without_runs() -> None:
    assert condition_of(None, None, None, NOW, late=False, looked_at=False) is Condition.UNKNOWN
    assert condition_of(None, None, None, NOW, late=False, looked_at=True) is Condition.NEW
    assert condition_of(None, None, None, NOW, late=True, looked_at=True) is Condition.LATE


def test_data_may_be_as_old_as_two_runs_are_apart() -> None:
    bounds = {each.name: bound_of(each) for each in published_of().pipelines}
    assert bounds == {"orders": timedelta(hours=48), "clicks": timedelta(hours=2)}


def test_a_pipeline_that_says_how_fresh_it_must_be_is_held_to_that() -> None:
    pipelines = {"orders": {"owner": "shop", "every": "1h", "freshWithin": "26h"}}
    [orders] = published_of(pipelines=pipelines).pipelines
    assert bound_of(orders) == timedelta(hours=26)


def test_the_most_urgent_comes_first_and_what_is_silenced_last() -> None:
    ordered = [
        pipeline("escalated", Condition.FAILING, incident=incident(VerdictKind.ESCALATION)),
        pipeline("in a streak", Condition.FAILING, incident=incident(VerdictKind.STREAK), streak=3),
        pipeline("failed often", Condition.FAILING, streak=5),
        pipeline("failed once", Condition.FAILING, streak=1),
        pipeline("stale", Condition.STALE),
        pipeline("late", Condition.LATE),
        pipeline("new", Condition.NEW),
        pipeline("a healthy one"),
        pipeline("healthy"),
        pipeline("silenced", Condition.FAILING, streak=9, silenced_until=NOW + HOUR),
    ]
    assert list(by_urgency(ordered[::-1])) == ordered


def test_pipelines_are_chosen_by_owner_and_condition() -> None:
    there = [
        pipeline("a", Condition.FAILING, owner="web"),
        pipeline("b", Condition.FAILING, owner="shop"),
        pipeline("c", owner="web"),
    ]

    def names(owners: Sequence[str] = (), states: Sequence[str] = ()) -> str:
        return "".join(each.name for each in chosen(there, owners, states))

    assert names() == "abc"
    assert names(owners=["web"]) == "ac"
    assert names(states=["failing"]) == "ab"
    assert names(["web"], ["failing"]) == "a"
    assert names(["nobody"]) == ""


def test_a_run_belongs_to_the_pipeline_that_the_sentinel_takes_it_for() -> None:
    settings = published_of()
    sources = [
        Source("orders", ""),
        Source("orders", "nightly"),
        Source("load-clicks", "prod"),
        Source("load-clicks", "test"),
        Source("other", ""),
    ]
    members = {member.key: member for member in fleet(settings, sources)}
    assert {key: member.sources for key, member in members.items()} == {
        "orders": (sources[0], sources[1]),
        "load-clicks/prod": (sources[2],),
        "load-clicks": (sources[3],),
        "other": (sources[4],),
    }
    assert members["load-clicks/prod"].name == "clicks"
    assert members["load-clicks"].listed is None


def test_a_listed_pipeline_is_there_before_it_has_run() -> None:
    assert [member.name for member in fleet(published_of(), [])] == ["clicks", "orders"]


@dataclass(frozen=True)
class Silenced:
    pipelines: tuple[str, ...]
    starts: datetime
    ends: datetime
    id: str = "s1"
    reason: str = "warehouse upgrade"
    author: str = "ada"


def test_a_pipeline_is_silenced_until_the_last_of_the_silences_that_are_on_ends() -> None:
    silences = [
        Silenced(("orders",), NOW - HOUR, NOW + HOUR),
        Silenced((), NOW - HOUR, NOW + 2 * HOUR),
        Silenced(("orders",), NOW + HOUR, NOW + 9 * HOUR),
        Silenced(("orders",), NOW - 9 * HOUR, NOW),
        Silenced(("clicks",), NOW - HOUR, NOW + 5 * HOUR),
    ]
    assert silenced_until(silences, "orders", NOW) == NOW + 2 * HOUR
    assert silenced_until(silences[:1], "clicks", NOW) is None
    assert silenced_until([], "orders", NOW) is None
