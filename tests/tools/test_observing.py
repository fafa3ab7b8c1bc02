"""A stack observed through an API in memory: what is asked, and what is seen then."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import httpx
import pytest

from alerting.connection import ConnectionProblem
from alerting.doctor.findings import Verdict
from alerting.observing import run_reading
from alerting.observing.memory import Memory
from alerting.observing.observer import Observer
from alerting.observing.overview import Overview
from alerting.observing.pipelines import Condition, Pipeline
from alerting.observing.prefect_reader import NonsenseError
from alerting.plan.drill_events import DrillPhase
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import announcement
from alerting.sentinel.judging import judge
from alerting.sentinel.prefect_names import PAGE
from alerting.sentinel.workspace import NotDeployedError
from tests.shared.example_stack import published_of
from tests.shared.fake_prefect import FakePrefect, ago
from tests.shared.fake_workspace import end

pytestmark = pytest.mark.tools

Result = TypeVar("Result")


@pytest.fixture
def prefect() -> FakePrefect:
    """A healthy workspace without runs."""
    fake = FakePrefect()
    fake.heartbeat(ago(seconds=10))
    return fake


def observed(
    fake: FakePrefect,
    question: Callable[[Observer], Awaitable[Result]],
    memory: Memory | None = None,
) -> Result:
    async def ask() -> Result:
        async with fake.client() as client:
            return await question(fake.observer(client, memory))

    return asyncio.run(ask())


async def everything(observer: Observer) -> Overview:
    await observer.look()
    while await observer.ask_more():
        await observer.overview()
    return await observer.overview()


def one(overview: Overview, name: str) -> Pipeline:
    return next(pipeline for pipeline in overview.pipelines if pipeline.name == name)


def test_every_run_of_30_days_is_in_the_figures(prefect: FakePrefect) -> None:
    for day in range(40):
        state = "Failed" if day in (3, 12) else "Completed"
        prefect.run("orders", state, ago(days=day, minutes=1), seconds=60 + day)
    overview = observed(prefect, everything)
    orders = one(overview, "orders")
    week, month = orders.figures
    assert (week.runs, week.failures) == (7, 1)
    assert (month.runs, month.failures) == (30, 2)
    assert month.success_rate == pytest.approx(28 / 30)
    assert month.mean == pytest.approx(sum(60 + d for d in range(30) if d not in (3, 12)) / 28)
    assert month.is_complete
    assert overview.progress.is_complete
    assert [day.runs for day in orders.days] == [1] * 30


def test_states_come_before_counts_and_counts_before_older_runs(prefect: FakePrefect) -> None:
    for hour in range(24 * 20):
        prefect.run("orders", "Completed", ago(hours=hour, minutes=5), deployment="nightly")
    prefect.run("load-clicks", "Failed", ago(days=9), deployment="prod")

    async def steps(observer: Observer) -> tuple[Overview, Overview]:
        first = await observer.look()
        while not observer.knows_enough:
            await observer.ask_more()
        return first, await observer.overview()

    first, enough = observed(prefect, steps)
    assert one(first, "orders").condition is Condition.HEALTHY
    assert one(first, "clicks").condition is Condition.UNKNOWN
    assert not one(first, "orders").figures[1].is_counted
    documents = first.document()["pipelines"]
    [uncounted] = [each["figures"][1] for each in documents if each["pipeline"] == "orders"]
    assert (uncounted["counted"], uncounted["runs"], uncounted["successRate"]) == (
        False,
        None,
        None,
    )
    assert one(enough, "clicks").condition is Condition.FAILING
    month = one(enough, "orders").figures[1]
    assert (month.runs, month.is_counted, month.is_complete) == (480, True, False)
    assert not enough.progress.is_complete


def test_of_many_pipelines_the_windows_are_counted_and_not_each_day(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (1, 2, 3, 8, 9, 20):
        state = "Failed" if days in {2, 9} else "Completed"
        prefect.run("orders", state, ago(days=days), deployment="nightly")

    async def enough(observer: Observer) -> Overview:
        await observer.ask()
        while not observer.knows_enough:
            await observer.ask_more()
        return await observer.overview()

    by_day = one(observed(prefect, enough), "orders")
    monkeypatch.setattr(run_reading, "MANY", 0)
    by_window = one(observed(prefect, enough), "orders")
    counts = [[(f.runs, f.failures) for f in each.figures] for each in (by_day, by_window)]
    assert counts == [[(3, 1), (6, 2)]] * 2
    assert (len(by_day.days), len(by_window.days)) == (30, 0)


def test_a_pipeline_that_never_ran_is_found_to_have_none(prefect: FakePrefect) -> None:
    prefect.flow("orders")
    overview = observed(prefect, everything)
    assert one(overview, "orders").condition is Condition.NEW
    assert one(overview, "clicks").condition is Condition.NEW
    assert overview.attention == 0


def test_each_run_is_read_once_also_by_the_next_process(prefect: FakePrefect) -> None:
    for hour in range(300):
        prefect.run("orders", "Completed", ago(hours=hour, minutes=1))
    memory = Memory()
    observed(prefect, everything, memory)
    pages = len(prefect.asked_for("/flow_runs/filter"))
    prefect.asked.clear()
    prefect.now += timedelta(minutes=1)
    prefect.run("orders", "Failed", prefect.now - timedelta(seconds=30))
    overview = observed(prefect, lambda observer: observer.look(), memory)
    assert one(overview, "orders").streak == 1
    assert one(overview, "orders").figures[1].runs == 301
    # What ended lately, what runs, and what is late.
    assert len(prefect.asked_for("/flow_runs/filter")) == 3
    assert pages > 3
    assert overview.requests < 20
    assert not prefect.asked_for("/flow_runs/history")


def test_more_runs_than_a_page_that_ended_at_once_are_all_read(prefect: FakePrefect) -> None:
    at = ago(hours=5)
    for _ in range(PAGE * 2 + 7):
        prefect.run("orders", "Completed", at)
    for minute in range(PAGE):
        prefect.run("orders", "Completed", at + timedelta(minutes=minute))
    overview = observed(prefect, everything)
    assert one(overview, "orders").figures[0].runs == PAGE * 3 + 7


def test_after_a_long_time_away_the_newest_are_read_first(prefect: FakePrefect) -> None:
    memory = Memory()
    prefect.run("orders", "Completed", ago(minutes=5))
    observed(prefect, everything, memory)
    prefect.now += timedelta(days=3)
    prefect.heartbeat(prefect.now)
    prefect.run("orders", "Failed", prefect.now - timedelta(minutes=3))
    prefect.run("orders", "Failed", prefect.now - timedelta(days=2))
    overview = observed(prefect, lambda observer: observer.look(), memory)
    assert one(overview, "orders").condition is Condition.FAILING
    assert not overview.progress.is_complete
    assert one(observed(prefect, everything, memory), "orders").streak == 2


def test_the_last_success_of_what_fails_for_longer_than_is_known_is_looked_for(
    prefect: FakePrefect,
) -> None:
    success = ago(days=100)
    prefect.run("orders", "Completed", success, deployment="nightly")
    for day in range(1, 80):
        prefect.run("orders", "Failed", ago(days=day), deployment="nightly")
    orders = one(observed(prefect, everything), "orders")
    assert orders.last_success == success
    assert not orders.streak_is_least


def test_running_and_late_runs_are_seen(prefect: FakePrefect) -> None:
    prefect.run("orders", "Completed", ago(minutes=5))
    prefect.run("orders", "Running", None)
    prefect.run("load-clicks", "Late", None, deployment="prod")
    overview = observed(prefect, lambda observer: observer.look())
    assert one(overview, "orders").running
    assert one(overview, "orders").condition is Condition.HEALTHY
    assert one(overview, "clicks").condition is Condition.LATE


def test_a_subflow_does_not_count_where_its_parent_speaks_for_it(prefect: FakePrefect) -> None:
    alerting = prefect.run("orders", "Completed", ago(minutes=9))
    silent = prefect.run("other", "Completed", ago(minutes=9), tags=())
    prefect.run("part-of-orders", "Failed", ago(minutes=10), parent=str(alerting))
    prefect.run("part-of-other", "Failed", ago(minutes=10), parent=str(silent))
    prefect.run("load-clicks", "Failed", ago(minutes=10), parent=str(alerting), deployment="prod")
    overview = observed(prefect, everything)
    names = {pipeline.name: pipeline.condition for pipeline in overview.pipelines}
    assert "part-of-orders" not in names
    assert names["part-of-other"] is names["clicks"] is Condition.FAILING


def test_a_flow_object_with_the_tag_is_a_pipeline_and_a_cancelled_run_is_no_end(
    prefect: FakePrefect,
) -> None:
    prefect.flow("tagged", tags=["dlt"])
    prefect.run("tagged", "Failed", ago(hours=3), tags=())
    prefect.run("tagged", "Cancelled", ago(hours=1), tags=())
    prefect.run("untagged", "Failed", ago(hours=1), tags=())
    overview = observed(prefect, everything)
    tagged = one(overview, "tagged")
    assert (tagged.condition, tagged.listed) == (Condition.FAILING, False)
    assert tagged.owner == "data-platform"
    assert "untagged" not in {pipeline.name for pipeline in overview.pipelines}


def test_no_more_than_a_few_questions_are_asked_at_once(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_reading, "A_FEW", 50)
    flows = [f"flow-{number:02}" for number in range(50)]
    prefect.settings = published_of(pipelines={flow: {"owner": "web"} for flow in flows})
    for number, flow in enumerate(flows):
        prefect.run(flow, "Completed", ago(days=20, minutes=number), deployment="prod")
    overview = observed(prefect, everything)
    assert overview.by_condition == {Condition.HEALTHY: 50}
    per_pipeline = len(prefect.asked) / len(flows)
    assert per_pipeline < 4


def verdicts(prefect: FakePrefect) -> None:
    """Two failures of orders, announced, and told of."""
    history = [end("orders", 0), end("orders", 5)]
    for verdict in judge(history, prefect.settings, history[-1].at):
        prefect.events.append(
            {**announcement(verdict, prefect.settings, verdict.at), "received": ""}
        )


def test_an_incident_is_open_as_the_sentinel_announced_it(prefect: FakePrefect) -> None:
    verdicts(prefect)
    prefect.run("orders", "Failed", ago(hours=1))
    orders = one(observed(prefect, everything), "orders")
    assert orders.incident is not None
    assert (orders.incident.failures, orders.incident.gravest) == (2, VerdictKind.FAILURE)


def test_what_was_sent_is_told_once_however_it_was_found(prefect: FakePrefect) -> None:
    verdicts(prefect)
    cause = next(e for e in prefect.events if e["event"] == VerdictKind.FAILURE.event)
    related = [
        {
            "prefect.resource.id": "prefect.block-document.00000000-0000-0000-0000-000000000001",
            "prefect.resource.role": "block",
            "prefect.resource.name": "alerts",
        },
        {
            "prefect.resource.id": "prefect.block-type.slack-webhook",
            "prefect.resource.role": "block-type",
        },
        {
            "prefect.resource.id": f"prefect.event.{cause['id']}",
            "prefect.resource.role": "triggering-event",
        },
    ]
    payload = {"action_index": 0, "action_type": "send-notification"}
    for name in ("DLT Pipeline Failure Alert", "DLT Pipeline Failure Alert (old)"):
        prefect.event(
            "prefect.automation.action.executed",
            ago(hours=5, minutes=59),
            {"prefect.resource.name": name},
            payload,
            related,
        )
    overview = observed(prefect, lambda observer: observer.look())
    assert sorted((n.automation, n.pipeline) for n in overview.notifications) == [
        ("DLT Pipeline Failure Alert", "orders"),
        ("DLT Pipeline Failure Alert (old)", "orders"),
    ]
    [alerts] = [channel for channel in overview.channels if channel.name == "alerts"]
    assert alerts.last is not None


def problems(overview: Overview) -> dict[str, str]:
    return {f.check: f.text for f in overview.health if f.verdict is Verdict.WRONG}


def test_a_healthy_alerting_is_said_to_be(prefect: FakePrefect) -> None:
    overview = observed(prefect, lambda observer: observer.look())
    assert problems(overview) == {}
    assert not overview.impaired


def test_what_is_wrong_with_the_alerting_is_named(prefect: FakePrefect) -> None:
    prefect.events.clear()
    prefect.heartbeat(ago(minutes=20))
    prefect.missing = {"DLT Pipeline Recovery", "slack-webhook/alerts"}
    prefect.paused = {"DLT Pipeline Critical Alert"}
    prefect.event(
        DrillPhase.BEGAN.request,
        ago(minutes=30),
        {"data-alerts.scope": "example", "prefect.resource.id": "x"},
        {"drill": "x"},
    )
    overview = observed(prefect, lambda observer: observer.look())
    found = [(f.check, f.text) for f in overview.health if f.verdict is Verdict.WRONG]
    assert ("sentinel", "was last heard of at 2026-03-01 11:40:00 UTC") in found
    assert ("automations", "missing: 'DLT Pipeline Recovery'") in found
    assert ("automations", "switched off: 'DLT Pipeline Critical Alert'") in found
    assert ("blocks", "missing: 'slack-webhook/alerts'") in found
    assert overview.impaired


@pytest.mark.parametrize(
    ("beat", "text"),
    [
        (None, "was never heard of"),
        ({"data-alerts.settings": "other"}, "follows other settings than those that are deployed"),
    ],
)
def test_a_sentinel_that_is_silent_or_follows_other_settings_is_wrong(
    prefect: FakePrefect, beat: dict[str, str] | None, text: str
) -> None:
    prefect.events.clear()
    if beat is not None:
        prefect.heartbeat(ago(seconds=1), **beat)
    assert problems(observed(prefect, lambda observer: observer.look()))["sentinel"] == text


def test_a_sentinel_that_is_heard_and_judges_nothing_is_wrong(prefect: FakePrefect) -> None:
    prefect.events.clear()
    prefect.heartbeat(ago(seconds=1), ago(minutes=6))
    assert "sentinel" not in problems(observed(prefect, lambda observer: observer.look()))
    prefect.events.clear()
    prefect.heartbeat(ago(seconds=1), ago(minutes=20))
    said = problems(observed(prefect, lambda observer: observer.look()))["sentinel"]
    assert said.startswith("is heard, and has judged only what was until ")


def test_where_triggers_judge_no_sentinel_is_missed(prefect: FakePrefect) -> None:
    prefect.settings = published_of(evaluation="triggers")
    prefect.run("orders", "Failed", ago(minutes=1))
    overview = observed(prefect, lambda observer: observer.look())
    assert problems(overview) == {}
    assert overview.stack == "example"


def test_a_stack_that_is_not_deployed_is_said(prefect: FakePrefect) -> None:
    prefect.missing = {"secret/data-alerts"}
    with pytest.raises(NotDeployedError, match="block secret/data-alerts is missing"):
        observed(prefect, lambda observer: observer.ask())


NONSENSE = [
    httpx.Response(200, text="<html>welcome</html>"),
    httpx.Response(200, json={"detail": "no"}),
    httpx.Response(200, json=[{"id": 7}]),
    httpx.Response(200, json=None),
    httpx.Response(200, json=[[]]),
]


@pytest.mark.parametrize("path", ["/flow_runs/filter", "/events/filter", "/block_types", "/auto"])
@pytest.mark.parametrize("answer", NONSENSE, ids=lambda answer: answer.text[:12])
def test_nonsense_is_one_clear_error(
    prefect: FakePrefect, path: str, answer: httpx.Response
) -> None:
    prefect.fails = lambda asked: answer if asked.startswith(path) else None
    with pytest.raises((NonsenseError, NotDeployedError)) as caught:
        observed(prefect, lambda observer: observer.ask())
    assert "\n" not in str(caught.value)
    assert "prefect.test" in str(caught.value) or "data-alerts" in str(caught.value)


def test_a_refusal_is_one_clear_error(prefect: FakePrefect) -> None:
    prefect.fails = lambda _path: httpx.Response(401)
    with pytest.raises(ConnectionProblem, match="refuses the credentials"):
        observed(prefect, lambda observer: observer.ask())


def test_errors_are_kept_short_and_without_secrets(prefect: FakePrefect) -> None:
    message = "cannot reach postgres://etl:hunter2@warehouse " + "x" * 10_000
    prefect.run("orders", "Failed", ago(minutes=1), message=message)
    document = str(observed(prefect, lambda observer: observer.look()).document())
    assert "hunter2" not in document
    assert "xxx..." in document
    assert len(document) < 10_000
