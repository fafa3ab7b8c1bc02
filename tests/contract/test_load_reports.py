"""Reports of loads from real flows to a real Prefect server."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prefect.server.events.filters import EventFilter
from prefect.server.events.schemas.events import ReceivedEvent

from alerting.plan.load_events import LOAD_EVENT, Load
from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import ended_run
from alerting.sentinel.prefect_events import from_then_on, read_events
from alerting.sentinel.prefect_loads import MOST_NAMED, load_events, recent_loads
from alerting.sentinel.prefect_workspace import followed
from sandbox.environment import base_environment
from sandbox.prefect_client import client_of
from sandbox.services import REPOSITORY
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.contract

FLOWS = Path(__file__).with_name("flows_that_load.py")
REPORTS = 6
WRITTEN_SECONDS = 30.0
PIPELINES = {
    "orders": {"owner": "shop", "flow": "task-loads"},
    "nightly": {"owner": "web", "flow": "deployed-loads", "deployment": "prod"},
}


@dataclass(frozen=True)
class Reported:
    """What came of the flows."""

    api: str
    log: str
    output: str
    events: list[Any]
    settings: PublishedSettings

    def of(self, pipeline: str, limit: int = 20, ago: timedelta = timedelta(0)) -> list[Load]:
        async def read() -> list[Load]:
            async with client_of(self.api) as client:
                before = datetime.now(UTC) + timedelta(minutes=1) - ago
                return await recent_loads(client, self.settings, pipeline, before, limit)

        return asyncio.run(read())


@pytest.fixture(scope="module")
def reported(prefect_server: str, tmp_path_factory: pytest.TempPathFactory) -> Reported:
    folder = tmp_path_factory.mktemp("loads")
    began = datetime.now(UTC)
    process = subprocess.run(
        [sys.executable, str(FLOWS)],
        cwd=folder,
        env={
            **base_environment(),
            "PREFECT_API_URL": prefect_server,
            "PREFECT_HOME": str(folder / "prefect"),
            "PYTHONPATH": str(REPOSITORY),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    events = asyncio.run(written(prefect_server, began))
    settings = published_of(pipelines=PIPELINES)
    return Reported(prefect_server, process.stderr, process.stdout, events, settings)


async def written(api: str, began: datetime) -> list[Any]:
    """The reports, once the server has written them down."""
    asked = {"occurred": from_then_on(began), "event": {"name": [LOAD_EVENT]}}
    deadline = time.monotonic() + WRITTEN_SECONDS
    async with client_of(api) as client:
        while True:
            found = [event async for event in read_events(client, asked)]
            if len(found) >= REPORTS or time.monotonic() > deadline:
                return found
            await asyncio.sleep(0.5)


def test_each_report_is_there_also_when_the_process_ends_at_once(reported: Reported) -> None:
    assert reported.output == "returned\n"
    assert [(e["resource"]["prefect.resource.id"], e["payload"]) for e in reported.events] == [
        ("data-alerts.load.sync-loads", payload(3, "sync-loads")),
        ("data-alerts.load.sync-loads", payload(7, "sync-loads")),
        ("data-alerts.load.async-loads", payload(2, "async-loads", orders=2)),
        ("data-alerts.load.orders", payload(4, "task-loads", "orders", orders=4)),
        ("data-alerts.load.deployed-loads", payload(5, "deployed-loads")),
        ("data-alerts.load.sync-loads", payload(3, "sync-loads")),
    ]


def payload(rows: int, flow: str, pipeline: str | None = None, **tables: int) -> dict[str, Any]:
    return {"rows": rows, "flow": flow, "pipeline": pipeline, "tables": tables}


def test_outside_a_flow_and_with_nonsense_nothing_is_reported_and_the_flow_goes_on(
    reported: Reported,
) -> None:
    lines = [line for line in reported.log.splitlines() if "No rows were reported" in line]
    assert len(lines) == 2
    assert "there is no flow run here" in lines[0]
    assert "expected the number of rows" in lines[1]
    assert "Traceback" not in reported.log


@pytest.mark.parametrize("number", range(REPORTS))
def test_a_report_of_a_run_with_the_tag_passes_the_sentinels_filter_and_is_no_end(
    reported: Reported, number: int
) -> None:
    event = reported.events[number]
    filters = followed(reported.settings)
    related = set(filters.pop("related")["id"])
    filters["event"]["prefix"].append(LOAD_EVENT)
    entries = EventFilter.model_validate(filters)
    streamed = ReceivedEvent.model_validate(event)
    assert entries.event
    assert entries.event.includes(streamed)
    assert entries.resource
    assert entries.resource.includes(streamed)
    has_tag = number < REPORTS - 1
    assert bool(related & {each.id for each in streamed.related}) == has_tag
    assert ended_run(event, "dlt") is None


def test_the_recent_reports_of_a_pipeline_are_found_by_its_name_or_its_flow(
    reported: Reported,
) -> None:
    [named] = reported.of("orders")
    assert (named.rows, named.tables, named.flow) == (4, {"orders": 4}, "task-loads")
    [deployed] = reported.of("nightly")
    assert (deployed.rows, deployed.flow, deployed.deployment) == (5, "deployed-loads", "prod")
    assert deployed.run_id
    # Twice with the stack's tag, and once with another.
    assert [load.rows for load in reported.of("sync-loads")] == [7, 3]
    assert reported.of("deployed-loads") == [], "it is the flow of a listed pipeline"


def test_reports_are_found_up_to_a_number_and_before_a_time(reported: Reported) -> None:
    assert [load.rows for load in reported.of("sync-loads", limit=1)] == [7]
    assert reported.of("sync-loads", ago=timedelta(hours=1)) == []


def test_reports_since_a_time_are_read_by_whom_they_are_about_and_the_latest_of_many(
    reported: Reported,
) -> None:
    async def read(about: Sequence[str], most: int | None = None) -> list[int]:
        since = datetime.now(UTC) - timedelta(hours=1)
        async with client_of(reported.api) as client:
            found = await load_events(client, reported.settings, since, about, most=most)
            return [event["payload"]["rows"] for event in found]

    assert asyncio.run(read(["sync-loads", "orders"])) == [3, 7, 4]
    assert asyncio.run(read(["sync-loads"], most=1)) == [7]
    many = [f"pipeline-{number}" for number in range(MOST_NAMED + 1)]
    assert asyncio.run(read(many)) == [3, 7, 2, 4, 5]
