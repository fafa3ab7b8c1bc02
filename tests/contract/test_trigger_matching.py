"""Which events each native trigger takes, by Prefect's own rules and events."""

import pytest
from prefect.server.events.schemas.automations import CompoundTrigger, EventTrigger
from prefect.server.schemas.states import State
from prefect.server.schemas.statuses import WorkPoolStatus

from tests.contract.prefect_events import (
    CANCELLED,
    COMPLETED,
    CRASHED,
    FAILED,
    LATE,
    OWN_NAME,
    RETRYING,
    RUNNING,
    TIMED_OUT,
    Pool,
    Run,
)
from tests.contract.prefect_rendering import stored
from tests.shared.example_stack import native_rules_of

pytestmark = pytest.mark.contract

HOSTILE_NAMES = [
    "load[eu]",
    "load*",
    "lo?d",
    "!urgent",
    "[x",
    "[!x]",
    "a]b",
    "naïve \U0001f9a0 'load'",
]


def trigger_of(key: str, **changes: object) -> EventTrigger:
    trigger = stored(native_rules_of(**changes)[key]).trigger
    assert isinstance(trigger, EventTrigger)
    return trigger


def pipeline(**settings: object) -> dict[str, object]:
    return {"owner": "web", **settings}


@pytest.mark.parametrize("state", [FAILED, CRASHED, TIMED_OUT, OWN_NAME], ids=lambda s: s.name)
def test_warning_and_critical_take_every_failure(state: State) -> None:
    event = Run("clicks", state=state).event()
    for key in ("warning", "critical"):
        trigger = trigger_of(key)
        assert trigger.covers(event)
        assert trigger.expects(event.event)


@pytest.mark.parametrize(
    "state", [COMPLETED, LATE, RETRYING, RUNNING, CANCELLED], ids=lambda s: s.name
)
def test_warning_and_critical_take_nothing_else(state: State) -> None:
    event = Run("clicks", state=state).event()
    for key in ("warning", "critical", "critical-3d"):
        assert not trigger_of(key).covers(event)


@pytest.mark.parametrize("tags", [(), ("dlt2",), ("xdlt",), ("DLT",), ("prefect.tag.dlt",)])
def test_runs_without_the_tag_are_nobodys_business(tags: tuple[str, ...]) -> None:
    event = Run(tags=tags).event()
    for key, rule in native_rules_of().items():
        trigger = stored(rule).trigger
        for child in trigger.triggers if isinstance(trigger, CompoundTrigger) else [trigger]:
            assert isinstance(child, EventTrigger)
            assert not child.covers(event), key


def test_a_flow_is_counted_in_its_own_window_and_in_no_other() -> None:
    daily, weekly, default = (
        trigger_of(key, pipelines=WINDOWS) for key in ("critical-3d", "critical-21d", "critical")
    )
    for flow, its_own in {"a": daily, "b": weekly, "c": default, "not listed": default}.items():
        for deployment in (None, "prod"):
            event = Run(flow, deployment).event()
            covering = [trigger for trigger in (daily, weekly, default) if trigger.covers(event)]
            assert covering == [its_own], flow


WINDOWS = {"a": pipeline(every="24h"), "b": pipeline(every="7d"), "c": pipeline(every="1h")}


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_with_the_signs_of_a_pattern_is_that_name_and_no_other(name: str) -> None:
    others = [name.upper(), f"{name}x", f"x{name}", name[1:], name[:-1], f"x{name[1:]}", "loaded"]
    for deployment in (None, name):
        pipelines = {name: pipeline(every="24h", deployment=deployment), "second": pipeline()}
        own, default = (trigger_of(key, pipelines=pipelines) for key in ("critical-3d", "critical"))
        event = Run(name, deployment=name).event()
        assert own.covers(event)
        assert not default.covers(event)
        for other in filter(None, others):
            event = Run(other, deployment=name).event()
            assert not own.covers(event), other
            assert default.covers(event), other


def test_the_window_of_a_thousand_flows_is_told_apart_in_no_time() -> None:
    pipelines = {f"load-{number}": pipeline(every="24h") for number in range(1_000)}
    default = trigger_of("critical", pipelines=pipelines)
    own = trigger_of("critical-3d", pipelines=pipelines)
    listed, stranger = Run("load-999").event(), Run("stranger").event()
    assert (own.covers(listed), default.covers(listed)) == (True, False)
    assert (own.covers(stranger), default.covers(stranger)) == (False, True)


@pytest.mark.parametrize(
    ("flow", "deployment", "wakes"),
    [
        ("orders", None, ["escalation-1h"]),
        ("orders", "any", ["escalation-1h"]),
        ("carts", "prod", ["escalation-1h-deployments"]),
        ("clicks", "nightly", ["escalation-1h-deployments"]),
        ("carts", "nightly", []),
        ("clicks", "prod", []),
        ("carts", None, []),
        ("quiet", None, []),
        ("quiet", "prod", []),
        ("not listed", "nightly", []),
        ("prod", "prod", []),
    ],
)
def test_people_are_woken_for_the_pipelines_that_ask_for_it(
    flow: str, deployment: str | None, wakes: list[str]
) -> None:
    pipelines = {
        "orders": pipeline(escalate=True),
        "carts": pipeline(deployment="prod", escalate=True),
        "clicks": pipeline(deployment="nightly", escalate=True),
        "quiet": pipeline(),
    }
    event = Run(flow, deployment).event()
    keys = ("escalation-1h", "escalation-1h-deployments")
    assert [key for key in keys if trigger_of(key, pipelines=pipelines).covers(event)] == wakes


def test_a_step_opens_with_a_failure_and_closes_with_a_success_or_the_next_failure() -> None:
    trigger = trigger_of("escalation-15m")
    for state in (FAILED, CRASHED, TIMED_OUT):
        event = Run(state=state).event()
        assert trigger.covers(event)
        assert trigger.starts_after(event.event)
        assert trigger.expects(event.event)
    success = Run(state=COMPLETED).event()
    assert trigger.covers(success)
    assert trigger.expects(success.event)
    assert not trigger.starts_after(success.event)
    for state in (LATE, RETRYING, RUNNING):
        assert not trigger.covers(Run(state=state).event())


def test_runs_are_told_apart_by_flow_and_where_it_is_named_by_deployment() -> None:
    first, second = Run("clicks", "prod"), Run("clicks", "test")
    objects = first.objects()
    same_flow = {**second.objects(), "flow": objects["flow"]}
    pipelines = {"clicks": pipeline(deployment="prod", escalate=True), "b": pipeline(escalate=True)}
    events = first.event(objects), second.event(same_flow)
    by_flow = trigger_of("critical", pipelines=pipelines)
    by_deployment = trigger_of("escalation-15m-deployments", pipelines=pipelines)
    assert len({by_flow.bucketing_key(event) for event in events}) == 1
    assert len({by_deployment.bucketing_key(event) for event in events}) == 2
    assert all("" not in by_deployment.bucketing_key(event) for event in events)


def test_each_child_of_p1_takes_the_failures_of_one_pipeline() -> None:
    trigger = stored(native_rules_of()["p1-all-down"]).trigger
    assert isinstance(trigger, CompoundTrigger)
    events = {
        "clicks": Run("load-clicks", "prod").event(),
        "other deployment": Run("load-clicks", "test").event(),
        "orders": Run("orders", "any", CRASHED).event(),
        "success": Run("orders", state=COMPLETED).event(),
        "stranger": Run("stranger").event(),
    }
    assert [
        [name for name, event in events.items() if child.covers(event)]
        for child in trigger.triggers
        if isinstance(child, EventTrigger)
    ] == [["clicks"], ["orders"]]


def test_recovery_opens_with_a_failure_and_fires_at_a_success() -> None:
    trigger = trigger_of("recovery")
    failure, success = Run().event(), Run(state=COMPLETED).event()
    assert trigger.covers(failure)
    assert trigger.starts_after(failure.event)
    assert not trigger.expects(failure.event)
    assert trigger.covers(success)
    assert trigger.expects(success.event)
    assert not trigger.covers(Run(state=RUNNING).event())


def test_late_takes_runs_that_did_not_start_and_no_others() -> None:
    trigger = trigger_of("late")
    assert trigger.covers(Run(state=LATE).event())
    assert not trigger.covers(Run(state=FAILED).event())
    assert not trigger.covers(Run(state=RETRYING).event())


def test_a_work_pool_opens_its_window_when_it_is_not_ready_and_closes_it_when_it_is() -> None:
    trigger = trigger_of("p1-work-pool")
    not_ready = Pool().event()
    assert trigger.covers(not_ready)
    assert trigger.starts_after(not_ready.event)
    assert not trigger.expects(not_ready.event)
    for status in (WorkPoolStatus.READY, WorkPoolStatus.PAUSED):
        event = Pool(status=status).event()
        assert trigger.covers(event)
        assert trigger.expects(event.event)
    assert not trigger.covers(Run().event())
