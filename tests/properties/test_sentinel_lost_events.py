"""What the event stream drops, and that the next look around finds it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from uuid import UUID, uuid4

import pytest

from alerting.plan.load_events import LOAD_EVENT, Load, Rows, load_labels, load_payload
from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import Event
from alerting.sentinel.history import Ended
from alerting.sentinel.service import Sentinel
from alerting.sentinel.told_loads import ToldLoads
from tests.shared.example_stack import raw_settings
from tests.shared.fake_workspace import (
    DEPLOYED,
    FakeServer,
    FakeWorkspace,
    StoryOverError,
    end,
    published,
)

pytestmark = pytest.mark.properties


def follow(server: FakeServer) -> list[tuple[str, str]]:
    """What is told until the story's end."""
    workspace = FakeWorkspace(server)
    sentinel = Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))
    with pytest.raises(StoryOverError):
        asyncio.run(sentinel.follow())
    return [(event["event"], event["payload"]["flow"]) for event in server.verdicts]


def others(*minutes: float) -> list[Ended]:
    return [end("other", minute, "Completed") for minute in minutes]


def stack(
    tiers: Mapping[str, object] = MappingProxyType({}), **orders: object
) -> PublishedSettings:
    return published(
        pipelines={"orders": {"owner": "shop", **orders}},
        tiers={**raw_settings()["tiers"], **tiers},
    )


def dropping(settings: PublishedSettings, *runs: Ended, lost: Ended) -> FakeServer:
    """A server whose stream does not tell of one of the runs."""
    ordered = sorted([*runs, lost], key=lambda each: each.at)
    return FakeServer(settings, to_come=ordered, drops={lost.state_id})


@pytest.mark.parametrize(
    ("expected", "last"),
    [({"freshWithin": "10m"}, -1), ({"deadline": "06:20 UTC"}, -24 * 60)],
    ids=["within", "deadline"],
)
def test_a_success_that_was_lost_keeps_healthy_data_from_being_called_stale(
    expected: dict[str, Any], last: float
) -> None:
    lost = end("orders", 8, "Completed")
    server = dropping(stack(**expected), *others(2, 4, 6, 9, 11, 13, 15, 17), lost=lost)
    server.happen([end("orders", last, "Completed")])
    server.to_come += others(21, 23) if "deadline" in expected else []
    assert follow(server) == []


def test_a_success_that_was_lost_is_told_where_successes_are() -> None:
    lost = end("orders", 3, "Completed")
    settings = stack({"success": {"notify": ["alerts"]}}, announceSuccess=True)
    server = dropping(settings, *others(1, 4, 6), lost=lost)
    assert follow(server) == [("data-alerts.success", "orders")]


def test_a_success_that_was_lost_closes_the_page_for_a_late_run() -> None:
    lost = end("orders", 9, "Completed")
    server = dropping(
        stack({"late": {"notify": ["on-call"]}}), *others(2, 4, 6, 8, 10, 12), lost=lost
    )
    waiting = end("orders", 1, "Late")
    server.late = [(waiting, waiting.at)]
    assert follow(server) == [("data-alerts.late", "orders"), ("data-alerts.resolved", "orders")]


def report(minutes: float, rows: int) -> Event:
    """The event by which a run tells of a load, which the stream of the fake never brings."""
    return {
        "id": str(uuid4()),
        "occurred": (DEPLOYED + timedelta(minutes=minutes)).isoformat(),
        "event": LOAD_EVENT,
        "resource": load_labels("orders"),
        "related": [],
        "payload": load_payload(Rows(total=rows), flow="orders", pipeline=None),
    }


def test_a_load_of_which_the_stream_did_not_tell_is_told_once() -> None:
    server = FakeServer(stack(rows={"min": 1}), to_come=others(1, 3, 5, 7, 9, 11))
    server.loads = [report(4, 0), report(6, 5)]
    announced: list[UUID] = []
    emit = server.emit

    def noted(events: Sequence[Event]) -> None:
        announced.extend(UUID(e["id"]) for e in events if e["event"] == "data-alerts.anomaly")
        emit(events)

    server.emit = noted  # type: ignore[assignment, method-assign]
    assert follow(server) == [("data-alerts.anomaly", "orders")]
    assert len(announced) == 1


class Asked(FakeWorkspace):
    """Counts the questions for what came before a load."""

    about: int = 0

    async def recent_loads(self, settings: PublishedSettings, load: Load) -> list[Load]:
        self.about += 1
        return await super().recent_loads(settings, load)


@pytest.mark.parametrize("missed", [False, True], ids=["heard", "missed"])
def test_a_load_that_is_known_is_not_asked_about_again(missed: bool) -> None:
    async def judge(workspace: Asked, loads: ToldLoads) -> tuple[int, int, int]:
        first = await (loads.missed(DEPLOYED) if missed else loads.heard(server.loads))
        asked = workspace.about
        again = [*await loads.lost(DEPLOYED), *await loads.heard(server.loads)]
        assert workspace.about == asked
        return len(first), len(again), asked

    server = FakeServer(stack(rows={"min": 1}), now=DEPLOYED + timedelta(minutes=9))
    server.loads = [report(minute, 0) for minute in (1, 2, 3)]
    workspace = Asked(server)
    found = asyncio.run(judge(workspace, ToldLoads(workspace, server.settings)))
    assert found == (3, 0, 1 if missed else 3)


def test_loads_that_are_read_together_are_judged_as_one_after_the_other() -> None:
    async def judge(workspace: Asked) -> tuple[list[UUID], list[UUID]]:
        settings = server.settings
        each = await ToldLoads(workspace, settings).heard(server.loads)
        together = await ToldLoads(workspace, settings).every(
            DEPLOYED + timedelta(minutes=3), ["orders"]
        )
        return [found.id for found in each], [found.id for found in together]

    server = FakeServer(
        stack({"anomaly": {"notify": ["on-call"]}}, rows={"dropBelow": "50%"}),
        now=DEPLOYED + timedelta(hours=2),
    )
    rows = [9, 8, 9, 1, 9, 9, 3, 2, 9, 8, 9, 9, 9, 9, 1, 4, 9, 9]
    server.loads = [report(minute, count) for minute, count in enumerate(rows)]
    workspace = Asked(server)
    each, together = asyncio.run(judge(workspace))
    assert len(each) > 5
    assert together == each
    assert workspace.about == len(rows) + 1
