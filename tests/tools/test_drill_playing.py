"""A production drill from its request to its report, against an API in memory."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from prefect.client.orchestration import PrefectClient

from alerting.drills import playing
from alerting.drills.playing import last_drill, play_drill
from alerting.drills.report import DrillReport
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.events import heartbeat
from tests.shared.drills import BEGAN, ENDED, drill_of
from tests.shared.example_stack import published_of
from tests.tools.fake_events_api import FakeEventsApi

pytestmark = pytest.mark.tools

SOON = timedelta(milliseconds=20)
BOTH = [BEGAN.request, ENDED.request]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(playing, "POLL_SECONDS", 0.001)
    monkeypatch.setattr(playing, "WRITTEN_WITHIN", timedelta(0))


def play(api: FakeEventsApi, *, page: bool = False, within: timedelta = SOON) -> DrillReport:
    client = cast("PrefectClient", api)
    return asyncio.run(play_drill(client, api.settings, page=page, within=within))


def last(api: FakeEventsApi) -> DrillReport | None:
    return asyncio.run(last_drill(cast("PrefectClient", api), api.settings))


def problems(report: DrillReport) -> dict[str, str]:
    return {each.channel: each.problem for each in report.deliveries if each.problem}


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
@pytest.mark.parametrize("page", [True, False])
def test_a_drill_begins_ends_and_tells_what_arrived(evaluation: str, page: bool) -> None:
    api = FakeEventsApi(published_of(evaluation=evaluation))
    report = play(api, page=page, within=timedelta(seconds=30))
    assert report.passed
    assert api.requests() == BOTH
    told = [(each.channel, each.phase) for each in report.deliveries]
    slack = [(channel, phase) for phase in DrillPhase for channel in ("alerts", "critical")]
    assert sorted(told) == sorted(
        [*slack, *([("on-call", BEGAN), ("on-call", ENDED)] if page else [])]
    )


def test_a_failed_channel_is_named_with_its_reason() -> None:
    api = FakeEventsApi(published_of(), fails={"critical": "Notification failed"})
    report = play(api, within=timedelta(seconds=30))
    assert not report.passed
    assert problems(report) == {"critical": "Notification failed"}


def test_a_sentinel_that_does_not_answer_is_said_and_asked_for_nothing_more() -> None:
    api = FakeEventsApi(published_of(), sentinel=False)
    text = "the sentinel did not answer. It was {}. Start it: alertctl sentinel run"
    assert set(problems(play(api)).values()) == {text.format("never heard of")}
    assert api.requests() == [BEGAN.request]
    beat = heartbeat(api.settings, uuid4(), datetime(2026, 3, 1, tzinfo=UTC), standby=False)
    api.events.append(dict(beat))
    heard = "last heard of at 2026-03-01 00:00:00 UTC"
    assert set(problems(play(api)).values()) == {text.format(heard)}


@pytest.mark.parametrize(
    ("enabled", "problem"),
    [
        ({}, "automation 'DLT Drill' is missing. Deploy the stack"),
        ({"DLT Drill": False}, "automation 'DLT Drill' is paused. Resume it, or deploy"),
    ],
    ids=["missing", "paused"],
)
def test_an_automation_that_does_not_act_is_named(enabled: dict[str, bool], problem: str) -> None:
    api = FakeEventsApi(published_of(), enabled=enabled)
    assert problems(play(api)) == dict.fromkeys(("alerts", "critical"), problem)


def test_what_nothing_explains_is_said_to_be_late() -> None:
    api = FakeEventsApi(published_of())
    api._act = lambda *_: None  # type: ignore[method-assign]
    for problem in problems(play(api)).values():
        assert problem.startswith("Prefect did not act on it within ")
    assert api.requests() == BOTH


def test_a_drill_that_is_interrupted_is_ended_all_the_same() -> None:
    def interrupt() -> None:
        raise asyncio.CancelledError

    api = FakeEventsApi(published_of(), on_ask=interrupt)
    with pytest.raises(asyncio.CancelledError):
        play(api)
    assert api.requests() == BOTH


def test_the_last_drill_is_read_back_as_it_was() -> None:
    api = FakeEventsApi(published_of(), fails={"alerts": "Notification failed"})
    assert last(api) is None
    play(api, within=timedelta(seconds=30))
    report = play(api, page=True, within=timedelta(seconds=30))
    assert last(api) == report


def test_the_last_drill_is_that_of_the_stack_and_of_this_version() -> None:
    api = FakeEventsApi(published_of())
    report = play(api, within=timedelta(seconds=30))
    now = datetime.now(UTC)
    other_stack = drill_of(namePrefix="team").request(BEGAN, now)
    later: dict[str, Any] = {**drill_of().request(BEGAN, now), "payload": {"version": "later"}}
    api.events += [dict(other_stack), later]
    assert last(api) == report


def test_a_stack_of_an_earlier_version_has_no_last_drill() -> None:
    api = FakeEventsApi(published_of().model_copy(update={"drills": None}))
    assert last(api) is None
