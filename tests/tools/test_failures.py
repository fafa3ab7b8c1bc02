import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterEndTime
from prefect.client.schemas.objects import FlowRun
from prefect.states import Failed

from alerting import failures
from alerting.failures import FailedRun, recent_failures

pytestmark = pytest.mark.tools

NOW = datetime.now(UTC)
FLOW_ID = uuid4()


class FakeClient:
    """A Prefect that holds so many failed runs of one flow."""

    def __init__(self, runs: int, message: str = "no rows") -> None:
        self.runs = [
            FlowRun.model_validate(
                {
                    "flow_id": FLOW_ID,
                    "name": f"run-{number}",
                    "state": Failed(message=message),
                    "end_time": NOW - timedelta(minutes=number),
                }
            )
            for number in range(runs)
        ]
        self.asked: list[tuple[int, int]] = []
        self.periods: list[FlowRunFilterEndTime | None] = []

    @asynccontextmanager
    async def get(self) -> AsyncIterator["FakeClient"]:
        yield self

    async def read_flow_runs(
        self, *, flow_run_filter: FlowRunFilter, limit: int, offset: int, **_: object
    ) -> list[FlowRun]:
        assert limit <= 200, "Prefect refuses more at once"
        self.asked.append((limit, offset))
        self.periods.append(flow_run_filter.end_time)
        return self.runs[offset : offset + limit]

    async def read_flows(self, **_: object) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=FLOW_ID, name="orders")]

    async def read_deployments(self, **_: object) -> list[SimpleNamespace]:
        return []


def ask(
    monkeypatch: pytest.MonkeyPatch, client: FakeClient, limit: int, since: timedelta
) -> list[FailedRun]:
    monkeypatch.setattr(failures, "get_client", client.get)
    return asyncio.run(recent_failures(limit, since))


def test_more_than_a_page_is_read_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(runs=1000)
    found = ask(monkeypatch, client, 450, timedelta(days=1))
    assert [run.name for run in found] == [f"run-{number}" for number in range(450)]
    assert client.asked == [(200, 0), (200, 200), (50, 400)]


def test_reading_ends_with_the_last_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(runs=230)
    assert len(ask(monkeypatch, client, 1000, timedelta(days=1))) == 230
    assert len(client.asked) == 2


def test_every_page_is_of_the_same_period(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(runs=1000)
    ask(monkeypatch, client, 400, timedelta(hours=6))
    first, second = client.periods
    assert first == second
    assert first
    assert first.before_
    assert first.after_
    assert first.before_ - first.after_ == timedelta(hours=6)


def test_secrets_are_taken_out_of_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    client = FakeClient(runs=1, message="postgresql://loader:hunter2@db.example.com refused")
    (run,) = ask(monkeypatch, client, 10, timedelta(days=1))
    assert run.message == "postgresql://[redacted]@db.example.com refused"


@pytest.mark.parametrize("limit", [0, -1, 10_001])
def test_a_limit_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    client = FakeClient(runs=1)
    with pytest.raises(ValueError, match=f"limit is {limit}: expected 1 to 10,000 runs"):
        ask(monkeypatch, client, limit, timedelta(days=1))
    assert client.asked == []


@pytest.mark.parametrize("since", [timedelta(0), timedelta(seconds=-1), timedelta.max])
def test_a_period_that_makes_no_sense_is_refused(
    monkeypatch: pytest.MonkeyPatch, since: timedelta
) -> None:
    client = FakeClient(runs=1)
    with pytest.raises(ValueError, match="expected a time longer than zero and at most 366 days"):
        ask(monkeypatch, client, 10, since)
    assert client.asked == []
