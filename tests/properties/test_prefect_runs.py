"""What Prefect is asked for about runs: as little as will do, whatever the number of runs."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import httpx
import pytest
from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient

from alerting.sentinel.history import Ended
from alerting.sentinel.prefect_loads import MOST_NAMED, load_events
from alerting.sentinel.prefect_names import PAGE
from alerting.sentinel.prefect_runs import MOST_LOST, PrefectRuns
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.properties

SETTINGS = published_of()
START = datetime(2026, 3, 1, 6, tzinfo=UTC)
WEEK = START, START + timedelta(days=7)


@dataclass
class RunsClient:
    """Answers as Prefect does about runs that have ended, and notes what it is asked."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Mapping[str, Any]] = field(default_factory=list)

    def ended(self, flow: str, minute: float, state: str = "COMPLETED") -> None:
        at = (START + timedelta(minutes=minute)).isoformat()
        self.runs.append(
            {
                "id": str(uuid4()),
                "name": "brave-otter",
                "flow_id": flow,
                "deployment_id": None,
                "end_time": at,
                "state": {"id": str(uuid4()), "type": state, "timestamp": at, "name": state}
                | {"message": ""},
            }
        )

    async def request(self, _method: str, path: str, json: Mapping[str, Any]) -> httpx.Response:
        if path == "/flow_runs/filter":
            self.asked.append(json)
            return httpx.Response(200, json=self._page(json))
        ids = json["flows"].get("id", {}).get("any_", [])
        return httpx.Response(200, json=[{"id": each, "name": each} for each in ids])

    def _page(self, json: Mapping[str, Any]) -> list[dict[str, Any]]:
        flows = json.get("flows", {}).get("name", {}).get("any_")
        of_runs = json["flow_runs"]
        found = [
            run
            for run in self.runs
            if (flows is None or run["flow_id"] in flows)
            and run["state"]["type"] in of_runs["state"]["type"]["any_"]
            and run["end_time"] >= (of_runs["end_time"]["after_"] or "")
            and run["end_time"] <= (of_runs["end_time"]["before_"] or "9999")
        ]
        found.sort(key=lambda run: str(run["end_time"]), reverse=True)
        return found[json.get("offset", 0) :][: json["limit"]]

    def read(self, question: Callable[[PrefectRuns], Awaitable[list[Ended]]]) -> list[Ended]:
        async def ask() -> list[Ended]:
            return await question(PrefectRuns(cast("PrefectClient", self)))

        return asyncio.run(ask())


def flows(count: int) -> list[str]:
    return [f"flow-{number}" for number in range(count)]


def test_what_may_be_lost_of_a_thousand_pipelines_is_asked_for_at_once() -> None:
    client = RunsClient()
    for number, flow in enumerate(flows(120)):
        client.ended(flow, number / 60)
    client.ended("flow-3", 1, "FAILED")
    client.ended("nobody waits for", 1)
    found = client.read(lambda runs: runs.lost_since(SETTINGS, START, ["flow-7"], flows(1_000)))
    assert len(found) == 121
    assert len(client.asked) == 3


def test_of_very_many_successes_one_look_reads_so_many_and_the_latest() -> None:
    client = RunsClient()
    client.ended("down", 0)
    for number in range(MOST_LOST * 2):
        client.ended("orders", number / 1_000)
    awaited = ["down", "orders"]
    trouble, *found = client.read(lambda runs: runs.lost_since(SETTINGS, START, ["down"], awaited))
    assert trouble.flow == "down"
    assert len(found) == MOST_LOST
    assert found[0].at == START + timedelta(minutes=MOST_LOST / 1_000)
    assert len(client.asked) == 2 + MOST_LOST / PAGE


def test_of_a_silence_only_those_that_failed_are_read() -> None:
    client = RunsClient()
    for hour in range(7 * 24):
        for flow in flows(20):
            client.ended(flow, hour * 60)
    client.ended("flow-3", 5_010, "FAILED")
    client.ended("flow-4", 9_990, "CRASHED")
    found = client.read(lambda runs: runs.failed_since(SETTINGS, WEEK))
    last = {ended.flow: ended for ended in found}
    assert {flow: ended.failed for flow, ended in last.items()} == {
        "flow-3": False,
        "flow-4": False,
    }
    assert sum(ended.failed for ended in found) == 2
    assert len(found) == 4
    assert len(client.asked) == 3


def test_of_a_silence_of_some_pipelines_no_others_are_asked_for() -> None:
    client = RunsClient()
    for flow in flows(3):
        client.ended(flow, 5, "FAILED")
    found = client.read(lambda runs: runs.failed_since(SETTINGS, WEEK, ["flow-1"]))
    assert [ended.flow for ended in found] == ["flow-1"]


def test_it_is_heard_after_each_page() -> None:
    heard: list[int] = []

    async def progress() -> None:
        heard.append(len(client.asked))

    client = RunsClient()
    for number in range(PAGE * 3):
        client.ended("orders", number, "FAILED")
    client.read(lambda runs: runs.ended_since(SETTINGS, START, progress))
    assert heard == [1, 2, 3, 4]
    heard.clear()
    client.asked.clear()
    client.read(lambda runs: runs.failed_since(SETTINGS, WEEK, (), progress))
    assert heard == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(("count", "named"), [(MOST_NAMED, True), (MOST_NAMED + 1, False)])
def test_reports_of_many_pipelines_are_asked_for_without_their_names(
    count: int, *, named: bool
) -> None:
    class EventsClient:
        server_type = ServerType.SERVER

        async def request(
            self, _method: str, _path: str, json: Mapping[str, Any]
        ) -> httpx.Response:
            asked.append(json["filter"])
            events = [{"id": str(number)} for number in range(50)]
            return httpx.Response(200, json={"events": events, "next_page": "http://x/?token=1"})

    asked: list[Mapping[str, Any]] = []
    client = cast("PrefectClient", EventsClient())
    found = asyncio.run(load_events(client, SETTINGS, START, flows(count), most=50))
    assert len(found) == 50
    assert ("resource" in asked[0]) is named
    assert asked[0]["order"] == "DESC"
