"""What the sentinel makes of a drill: an answer, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from alerting.plan.drill_events import DrillPhase
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.catching_up import standby_firing
from alerting.sentinel.drills import answer
from alerting.sentinel.events import Event, ended_run
from alerting.sentinel.service import Sentinel
from tests.judging.test_announcements import flow_run_event
from tests.shared.drills import BEGAN, DRILL_ID, ENDED, START, at, drill_of
from tests.shared.example_stack import published_of
from tests.shared.fake_workspace import (
    DEPLOYED,
    FakeServer,
    FakeWorkspace,
    StoryOverError,
    published,
)

pytestmark = pytest.mark.judging

SETTINGS = published_of()


@pytest.mark.parametrize("phase", DrillPhase)
def test_a_request_is_answered_with_what_it_says(phase: DrillPhase) -> None:
    request = drill_of(page=True).request(phase, START)
    answered = answer(request, SETTINGS, at(2), at(-60))
    assert answered is not None
    assert answered["event"] == f"data-alerts.drill.{phase}"
    assert answered["occurred"] == at(2).isoformat()
    assert answered["payload"] == request["payload"]
    assert answered["resource"] == {
        "prefect.resource.id": f"data-alerts.drill.{DRILL_ID}",
        "prefect.resource.name": "drill of example",
        "data-alerts.scope": "example",
        "data-alerts.page": "yes",
    }


def test_two_sentinels_give_the_same_answer_and_the_drill_knows_it() -> None:
    drill = drill_of()
    for phase in DrillPhase:
        request = drill.request(phase, START)
        ids = {
            found["id"]
            for seconds in (1, 2)
            if (found := answer(request, SETTINGS, at(seconds), at(-seconds)))
        }
        assert ids == {str(drill.cause_id(phase))}


def test_what_was_asked_before_the_sentinel_connected_is_not_answered() -> None:
    request = drill_of().request(BEGAN, START)
    assert answer(request, SETTINGS, at(5), at(5)) is not None
    assert answer(request, SETTINGS, at(60), at(11)) is None


def test_a_drill_of_another_stack_is_not_answered() -> None:
    request = drill_of(namePrefix="team").request(BEGAN, START)
    assert answer(request, SETTINGS, START, START) is None


def test_no_other_event_is_answered() -> None:
    drill = drill_of()
    answered = answer(drill.request(BEGAN, START), SETTINGS, START, START)
    assert answered is not None
    for event in (flow_run_event(), answered):
        assert answer(event, SETTINGS, START, START - timedelta(days=1)) is None


@pytest.mark.parametrize("phase", DrillPhase)
def test_a_drill_counts_as_no_run_and_as_no_firing(phase: DrillPhase) -> None:
    request = drill_of().request(phase, START)
    tagged = {"prefect.resource.id": "prefect.tag.dlt", "prefect.resource.role": "tag"}
    answered = answer(request, SETTINGS, START, START)
    assert answered is not None
    for event in (request, answered, {**request, "related": [tagged]}):
        assert ended_run(event, "dlt") is None
        assert standby_firing({**event, "payload": {}}, SETTINGS) is None
        # Which is what a sentinel asks for after a time away.
        assert event["event"] not in {kind.event for kind in VerdictKind}


class Drilled(FakeWorkspace):
    """A workspace whose stream has a drill that is over, one that is asked for, and no run."""

    async def _stream(self, settings: PublishedSettings) -> AsyncIterator[Event]:
        drill = drill_of()
        yield drill.request(BEGAN, DEPLOYED - timedelta(minutes=10))
        yield drill.request(ENDED, DEPLOYED)
        await self.looked.wait()
        raise StoryOverError


def test_the_running_sentinel_answers_what_is_asked_while_it_listens_and_judges_nothing() -> None:
    server = FakeServer(settings=published())
    workspace = Drilled(server)
    sentinel = Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))
    with pytest.raises(StoryOverError):
        asyncio.run(sentinel.follow())
    assert [event["event"] for event in server.verdicts] == [ENDED.announcement]
