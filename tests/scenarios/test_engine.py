"""The engine in virtual time: Prefect's, whatever keeps its state, and on events as Prefect's."""

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.server.events.schemas.automations import Automation, Firing
from prefect.server.models import events
from prefect.server.schemas.core import Flow, FlowRun, TaskRun
from prefect.server.schemas.responses import DeploymentResponse
from prefect.server.schemas.states import State, StateType
from prefect.types._datetime import create_datetime_instance

from alerting.plan import Plan, build_plan
from alerting.scenarios.engine import START, Engine
from alerting.scenarios.isolation import fresh_settings
from alerting.scenarios.run_events import STATE_TYPES, Event, RunEvent, any_event, made_id
from alerting.scenarios.simulation import Deployment
from alerting.settings.stackfile import read_stack_file
from tests.scenarios.sql_windows import SqlWindows

pytestmark = pytest.mark.scenarios

ROOT = Path(__file__).resolve().parents[2]
ENDS = ("Failed", "Failed", "Completed", "Crashed", "TimedOut", "Cancelled")
RUNS = (("products-daily", None), ("exchange-rates-daily", "main"), ("load-clicks", "prod"))
POOL = {"prefect.resource.name": "default-pool"}
GAPS = (0, 1, 40, 90, 90, 600, 900, 30_000, 700_000)


@pytest.fixture(scope="module")
def plan() -> Plan:
    found = read_stack_file(ROOT / "scenarios" / "stacks" / "Pulumi.triggers.yaml")
    return build_plan(found.settings, found.stack)


def random_history(seed: int) -> Iterator[tuple[datetime, Event]]:
    chance = random.Random(seed)
    at = START
    for number in range(32):
        at += timedelta(seconds=chance.choice(GAPS))
        if chance.random() < 0.4:
            name = chance.choice(["not-ready", "not-ready", "ready"])
            yield at, any_event(f"prefect.work-pool.{name}", at, POOL, {"number": number})
        else:
            flow, deployment = chance.choice(RUNS)
            run, state = f"run-{number}", chance.choice(ENDS)
            yield at, RunEvent(flow, state, at, run, deployment=deployment, tags=["dlt"]).event()


def ready_again_before_a_look() -> Iterator[tuple[datetime, Event]]:
    """The look at 300 s forgets the window that was satisfied, so the next event opens another."""
    for seconds, name in ((250, "not-ready"), (260, "ready"), (310, "not-ready"), (900, "paused")):
        at = START + timedelta(seconds=seconds)
        yield at, any_event(f"prefect.work-pool.{name}", at, POOL, {})


def fired(
    engine: Engine, automations: Sequence[Automation], history: Sequence[tuple[datetime, Event]]
) -> list[tuple[datetime, str]]:
    found: list[tuple[datetime, str]] = []

    def note(firings: Sequence[Firing]) -> None:
        found.extend((engine.now, firing.trigger.automation.name) for firing in firings)

    with engine.running(automations):
        for at, event in history:
            while (due := engine.next_evaluation()) and due < at:
                engine.move_to(due)
                note(engine.evaluate())
            engine.move_to(at)
            note(engine.feed(event))
    return sorted(found)


@pytest.mark.parametrize("seed", [None, 1, 2, 3])
def test_what_fires_is_the_same_with_state_in_memory_and_in_prefects_own_tables(
    plan: Plan, tmp_path: Path, seed: int | None
) -> None:
    history = list(random_history(seed) if seed else ready_again_before_a_look())
    automations = list(Deployment(plan).as_deployed(watched=False))
    sql = SqlWindows(tmp_path / "prefect.db")
    settings = fresh_settings()
    with Engine(settings) as engine:
        in_memory = fired(engine, automations, history)
    with Engine(settings, sql) as engine, sql.in_place():
        in_tables = fired(engine, automations, history)
    assert in_memory == in_tables
    assert in_memory


@pytest.mark.parametrize("deployment", [None, "prod"])
@pytest.mark.parametrize("parent", [None, "whole"])
@pytest.mark.parametrize("state", ["Failed", "TimedOut", "AwaitingRetry", "Completed"])
def test_a_runs_event_is_the_one_that_the_server_makes(
    state: str, parent: str | None, deployment: str | None
) -> None:
    run = RunEvent(
        "orders",
        state,
        START + timedelta(minutes=3),
        run="brave-otter",
        message="connection refused",
        deployment=deployment,
        parent=parent,
        tags=["dlt", "b"],
    )
    assert run.event() == asyncio.run(made_by_the_server(run))


async def made_by_the_server(run: RunEvent) -> dict[str, object]:
    flow = Flow(id=made_id("flow", "", run.flow), name=run.flow)
    deployed = run.deployment and DeploymentResponse(
        id=made_id("deployment", run.flow, run.deployment),
        flow_id=flow.id,
        name=run.deployment,
        labels={},
    )
    task = run.parent and TaskRun(
        id=made_id("task-run", "", run.parent), name=run.parent, task_key="", dynamic_key=""
    )
    # Of the database's object no more is read than the API's has.
    flow_run: Any = FlowRun(id=run.run_id, flow_id=flow.id, name=run.run, tags=list(run.tags))
    at: Any = create_datetime_instance(run.at)
    state = State(
        type=StateType(STATE_TYPES[run.state]), name=run.state, message=run.message, timestamp=at
    )
    events._flow_run_resource_data_cache[flow_run.id] = events._as_resource_data(
        flow_run, flow, deployed or None, None, None, task or None
    )
    made = await events.flow_run_state_change_event(
        session=None,  # type: ignore[arg-type] # not asked: the cache knows
        occurred=at,
        flow_run=flow_run,
        initial_state_id=None,
        initial_state=None,
        validated_state_id=run.state_id,
        validated_state=state,
    )
    document = made.model_dump(mode="json", exclude={"follows"})
    return {**document, "occurred": made.occurred.isoformat()}


def test_an_event_that_arrives_again_within_half_an_hour_is_acted_on_once(plan: Plan) -> None:
    automations = list(Deployment(plan).as_deployed(watched=False))
    event = RunEvent("orders", "Failed", START, "told", tags=["dlt"]).event()
    with Engine(fresh_settings()) as engine, engine.running(automations):
        assert len(engine.feed(event)) == 1
        engine.move_to(START + timedelta(minutes=29))
        assert engine.feed(event) == []
        engine.move_to(START + timedelta(minutes=31))
        assert len(engine.feed(event)) == 1


def test_a_server_that_restarted_knows_no_event_and_still_has_its_windows(plan: Plan) -> None:
    automations = list(Deployment(plan).as_deployed(watched=False))
    event = RunEvent("products-daily", "Failed", START, "told", tags=["dlt"]).event()
    with Engine(fresh_settings()) as engine, engine.running(automations):
        assert len(engine.feed(event)) == 1
        engine.move_to(START + timedelta(seconds=63))
        engine.restart()
        assert len(engine.feed(event)) == 1
        assert engine.next_evaluation() == START + timedelta(seconds=63)
        assert engine.evaluate() == []
        assert engine.next_evaluation() == START + timedelta(minutes=15, seconds=3)


def test_nothing_of_the_users_prefect_is_read_or_written(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PREFECT_API_URL": "http://127.0.0.1:1/api",
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{tmp_path}/users.db",
        "PREFECT_SERVER_EVENTS_EXPIRED_BUCKET_BUFFER": "not a duration",
    }
    environment.pop("PREFECT_HOME", None)
    scenarios = ROOT / "scenarios" / "tiers" / "prod.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "alerting.ctl", "test", str(scenarios)],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []
