"""The sentinel's loop against a workspace in memory, killed at every step."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from alerting.plan.load_events import LOAD_EVENT, Rows, load_labels, load_payload
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import HEARTBEAT_EVENT, RESUMED, STANDBY_LABEL, VerdictKind
from alerting.sentinel import service
from alerting.sentinel.catching_up import AUTOMATION_TRIGGERED
from alerting.sentinel.events import Event
from alerting.sentinel.gate import let_through
from alerting.sentinel.history import Ended
from alerting.sentinel.service import Sentinel, SettingsChanged
from alerting.sentinel.workspace import NotDeployedError
from tests.shared.example_stack import raw_settings
from tests.shared.fake_workspace import (
    DEPLOYED,
    FakeServer,
    FakeWorkspace,
    StoryOverError,
    end,
    event_of,
    published,
)
from tests.shared.sentinel_lives import live

pytestmark = pytest.mark.properties


def due(server: FakeServer) -> Counter[str]:
    found = let_through(server.ended, server.settings, server.now)
    return Counter(str(verdict.id) for verdict in found)


def told(server: FakeServer) -> Counter[str]:
    return Counter(str(event["id"]) for event in server.verdicts)


def kinds(server: FakeServer) -> list[tuple[str, str]]:
    return [(event["event"], event["payload"]["flow"]) for event in server.verdicts]


def story() -> list[Ended]:
    """An outage of all pipelines with an escalation and a streak, and what surrounds it."""
    return [
        end("orders", 1, "Completed"),
        end("load-clicks", 2, "Completed", "prod"),
        end("orders", 3),
        end("stranger", 4),
        end("orders", 5, "TimedOut"),
        end("load-clicks", 6, "Crashed", "prod"),
        end("orders", 7),
        end("orders", 20, "Completed"),
        end("stranger", 21, "Completed"),
        end("orders", 22),
        *(end("stranger", minute) for minute in (23, 24, 25)),
    ]


def test_it_announces_each_verdict_as_it_follows() -> None:
    server = FakeServer(to_come=story())
    live(server)
    assert told(server) == due(server)
    assert set(told(server).values()) == {1}
    assert {event["event"] for event in server.verdicts} == {kind.event for kind in OF_STORY}


OF_STORY = (
    VerdictKind.FAILURE,
    VerdictKind.STREAK,
    VerdictKind.ESCALATION,
    VerdictKind.RECOVERY,
    VerdictKind.RESOLVED,
    VerdictKind.ALL_DOWN,
    VerdictKind.NOT_ALL_DOWN,
)


def eventful() -> FakeServer:
    """A story in which everything happens that there are verdicts of."""
    pipelines = {
        "orders": {
            "owner": "shop",
            "escalate": True,
            "announceSuccess": True,
            "rows": {"min": 1},
            "maxDuration": "2h",
        },
        "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod"},
        "rates": {"owner": "web", "freshWithin": "10m"},
    }
    tiers = {**raw_settings()["tiers"], "success": {"notify": ["alerts"]}}
    summary = {"at": "06:25 UTC", "notify": ["alerts"]}
    server = FakeServer(published(pipelines=pipelines, tiers=tiers, dailySummary=summary))
    server.to_come = [
        *(end("rates", minute, "Completed") for minute in (1, 12)),
        *(replace(ended, at=ended.at + timedelta(minutes=14)) for ended in story()),
        end("rates", 19.5),
        end("stranger", 47),
        end("stranger", 51, "Completed"),
    ]
    server.to_come.sort(key=lambda ended: ended.at)
    silence = {"id": "1", "reason": "moved", "author": "ada", "pipelines": ("stranger",)}
    starts, ends = DEPLOYED + timedelta(minutes=46), DEPLOYED + timedelta(minutes=50)
    server.silences = [Silence.model_validate({**silence, "starts": starts, "ends": ends})]
    waiting = end("rates", 13, "Late")
    server.late = [(waiting, waiting.at + timedelta(seconds=15))]
    server.running = [end("orders", -100, "Running")]
    server.loads = [loaded("orders", 0, rows=0)]
    return server


def loaded(flow: str, minutes: float, rows: int) -> Event:
    """The event by which a flow tells of a load."""
    at = DEPLOYED + timedelta(minutes=minutes)
    return {
        "id": str(UUID(int=7)),
        "occurred": at.isoformat(),
        "event": LOAD_EVENT,
        "resource": load_labels(flow),
        "related": [],
        "payload": load_payload(Rows(total=rows), flow=flow, pipeline=None),
    }


def test_a_report_of_a_load_that_somebody_made_up_is_ignored(
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = FakeServer(published(pipelines={"orders": {"owner": "shop", "rows": {"min": 1}}}))
    by_hand = {
        "prefect.resource.id": "prefect.flow-run.by-hand",
        "prefect.resource.role": "flow-run",
    }
    made_up = {**loaded("orders", 0, rows=0), "related": [by_hand]}
    server.loads = [made_up, loaded("orders", 0, rows=0)]
    live(server)
    assert kinds(server) == [("data-alerts.anomaly", "orders")]
    assert f"ignored the event {made_up['id']}" in caplog.text


def test_it_announces_all_that_there_are_verdicts_of() -> None:
    server = eventful()
    live(server)
    assert {event["event"] for event in server.verdicts} == {kind.event for kind in VerdictKind}
    assert set(told(server).values()) == {1}
    failures = Counter(flow for event, flow in kinds(server) if event == "data-alerts.failure")
    assert failures["stranger"] == 4, "one more was silenced"


def anew(server: FakeServer, further: Sequence[Ended] = ()) -> FakeServer:
    """The same story from its beginning, and what may follow."""
    to_come = [*server.to_come, *further]
    return replace(server, to_come=to_come, ended=[], acted=[], emitted={})


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_it_announces_all_that_an_undisturbed_one_does(after: bool) -> None:
    server = eventful()
    afterwards = [end("stranger", minute, "Completed") for minute in (60, 62, 64)]
    undisturbed = anew(server, afterwards)
    live(undisturbed)
    for steps in range(1, live(anew(server)).calls + 1):
        killed = anew(server)
        live(killed, steps, after=after)
        killed.happen(killed.to_come)
        killed.to_come = list(afterwards)
        live(killed)
        assert told(killed) == told(undisturbed), steps


def test_it_announces_what_happened_while_it_was_away() -> None:
    server = FakeServer()
    live(server)
    server.happen(story())
    live(server)
    assert told(server) == due(server)


def test_what_was_over_before_the_stack_was_deployed_is_not_announced() -> None:
    server = FakeServer()
    server.happen([end("orders", -90), end("orders", -80), end("stranger", -5)])
    server.to_come = [end("orders", 1)]
    live(server)
    assert [event for event, _ in kinds(server)] == ["data-alerts.streak", "data-alerts.failure"]


def test_only_so_much_is_caught_up_on() -> None:
    server = FakeServer()
    live(server)
    server.happen([end("orders", 10), end("orders", 10 + 26 * 60, "Completed")])
    live(server)
    assert kinds(server) == [
        ("data-alerts.resolved", "orders"),
        ("data-alerts.recovery", "orders"),
    ]


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_it_announces_nothing_twice_and_misses_nothing(after: bool) -> None:
    steps = 0
    while True:
        steps += 1
        server = FakeServer(to_come=story())
        first = live(server, steps, after=after)
        # What is left of the story happens while nobody is there, but for its last run.
        server.happen(server.to_come[:-1])
        server.to_come = server.to_come[-1:]
        live(server)
        assert told(server) == due(server), steps
        assert set(told(server).values()) == {1}
        if first.calls < steps:
            break
    assert steps > 20


def test_killed_again_and_again_it_still_gets_through() -> None:
    server = FakeServer(to_come=story())
    for steps in range(1, 60):
        live(server, steps, after=steps % 2 == 0)
    assert told(server) == due(server)


def test_a_server_that_forgot_what_it_has_seen_is_told_nothing_again() -> None:
    server = FakeServer(to_come=story())
    live(server)
    server.emitted.clear()
    server.happen([end("orders", 23)])
    live(server)
    assert told(server) == due(server)


def test_a_run_that_ended_just_before_the_last_heartbeat_is_not_missed() -> None:
    server = FakeServer(
        to_come=[end("stranger", 10, "Completed"), end("stranger", 12, "Completed")]
    )
    live(server)
    server.happen([end("orders", 11.5)])
    live(server)
    assert kinds(server) == [("data-alerts.failure", "orders")]


def test_two_at_once_are_as_one() -> None:
    server = FakeServer(to_come=story())
    twin = FakeServer(server.settings, to_come=list(server.to_come))
    twin.emitted, twin.acted = server.emitted, server.acted
    live(server)
    live(twin)
    assert told(server) == due(server)
    assert set(told(server).values()) == {1}


def test_what_the_stream_lost_is_asked_for() -> None:
    lost = [end("orders", 1), end("orders", 2, "Completed"), end("stranger", 2.5)]
    server = FakeServer(to_come=[*lost, end("other", 4, "Completed"), end("other", 5, "Completed")])
    server.drops = {ended.state_id for ended in lost}
    live(server)
    assert told(server) == due(server)


def test_a_success_that_the_stream_lost_does_not_change_what_an_outage_is_called() -> None:
    runs = [end("orders", 1), end("orders", 2, "Completed"), end("orders", 30, "Completed")]
    runs += [end("orders", 60 + minute) for minute in range(3)]
    server = FakeServer(to_come=list(runs))
    server.drops = {runs[2].state_id}
    live(server)
    live(server)
    assert told(server) == due(server)


def test_it_is_heard_before_it_asks_for_history() -> None:
    server = FakeServer()
    server.happen(story())
    live(server)
    assert server.acted[0]["event"] == HEARTBEAT_EVENT


def test_while_the_standby_is_on_its_heartbeat_says_so_and_what_was_told_is_not_repeated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "PERSISTED_SECONDS", 0.0)
    server = FakeServer()
    live(server)
    ends = [end("orders", 1), end("orders", 7), end("orders", 8), end("stranger", 9)]
    server.happen(ends)
    server.standby_is_on = True
    standby = server.settings.sentinel.standby if server.settings.sentinel else {}
    server.firings = [
        firing(standby["warning"], ends[1]),
        firing(standby["warning"], ends[2]),
        firing(standby["escalation-15m"], ends[2], after=timedelta(minutes=15)),
    ]
    server.now = DEPLOYED + timedelta(minutes=30)
    live(server)
    returned = [e for e in server.acted if e["resource"].get(STANDBY_LABEL) == RESUMED]
    assert len(returned) == 1
    assert not server.standby_is_on
    assert sorted(kinds(server)) == [
        ("data-alerts.failure", "orders"),
        ("data-alerts.failure", "stranger"),
        ("data-alerts.streak", "orders"),
    ]


@pytest.mark.parametrize("standby_told", [False, True])
def test_a_late_run_of_which_the_standby_told_is_not_told_again(standby_told: bool) -> None:
    server = FakeServer()
    live(server)
    waiting = end("orders", 1, "Late")
    server.late = [(waiting, waiting.at)]
    standby = server.settings.sentinel.standby if server.settings.sentinel else {}
    server.firings = [firing(standby["late"], waiting)] if standby_told else []
    server.to_come = [end("stranger", minute, "Completed") for minute in (30, 40)]
    live(server)
    assert kinds(server) == ([] if standby_told else [("data-alerts.late", "orders")])


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_step_it_closes_each_page_for_a_late_run_once(after: bool) -> None:
    settings = published(tiers={**raw_settings()["tiers"], "late": {"notify": ["on-call"]}})
    paged = Counter[int]()
    while True:
        server = FakeServer(settings)
        waiting = end("orders", 1, "Late")
        server.late = [(waiting, waiting.at)]
        server.to_come = [end("stranger", minute, "Completed") for minute in (30, 40)]
        steps = paged.total() + 1
        first = live(server, steps, after=after)
        server.happen(server.to_come)
        server.late = []
        server.to_come = [end("orders", minute, "Completed") for minute in (50, 60)]
        live(server)
        told_of = kinds(server)
        assert told_of in ([], [("data-alerts.late", "orders"), ("data-alerts.resolved", "orders")])
        paged[len(told_of)] += 1
        if first.calls < steps:
            break
    assert paged[0] > 5
    assert paged[2] > 1


def firing(name: str, ended: Ended, after: timedelta = timedelta(seconds=1)) -> dict[str, object]:
    return {
        "id": str(ended.run_id),
        "occurred": (ended.at + after).isoformat(),
        "event": AUTOMATION_TRIGGERED,
        "resource": {"prefect.resource.id": "prefect.automation.1", "prefect.resource.name": name},
        "related": [],
        "payload": {"triggering_event": event_of(ended)},
    }


def test_it_begins_again_when_the_stack_was_deployed_anew() -> None:
    server = FakeServer(to_come=[end("orders", minute) for minute in range(1, 10)])

    class Redeployed(FakeWorkspace):
        async def published(self) -> PublishedSettings:
            self.calls += 1
            return published(tag="dlt") if self.calls < 10 else published(defaultOwner="new")

    workspace = Redeployed(server)
    sentinel = Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))
    with pytest.raises(SettingsChanged):
        asyncio.run(sentinel.follow())


def test_a_stack_that_triggers_judge_has_no_use_for_it() -> None:
    server = FakeServer(published(evaluation="triggers"))
    sentinel = Sentinel(FakeWorkspace(server))
    with pytest.raises(NotDeployedError, match="evaluation: sentinel"):
        asyncio.run(sentinel.follow())


def test_it_pings_the_outside_with_each_heartbeat_and_does_not_mind_a_failure() -> None:
    server = FakeServer(to_come=story())

    class Deaf(FakeWorkspace):
        async def ping(self) -> None:
            self.pings += 1
            raise OSError

    workspace = Deaf(server)
    with pytest.raises(StoryOverError):
        asyncio.run(
            Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1)).follow()
        )
    heartbeats = [e for e in server.acted if e["event"] == HEARTBEAT_EVENT]
    assert workspace.pings == len(heartbeats) > 1
