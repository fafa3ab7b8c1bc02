"""Which events the sentinel is sent, by Prefect's own filter."""

import asyncio
import json
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from prefect.server.events.filters import EventFilter
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.schemas.states import State

from alerting.observing.prefect_reader import CountedClient
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.drills import answer
from alerting.sentinel.events import heartbeat
from alerting.sentinel.prefect_workspace import PrefectWorkspace, followed
from tests.contract.announced import every_kind
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
    received,
)
from tests.shared.drills import START, drill_of
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.contract


def is_sent(event: ReceivedEvent, **changes: object) -> bool:
    """Whether the filter lets an event through, each of its entries for itself.

    Prefect's `includes` passes over related resources: a server's stream does not look at them, and
    what it sends first, from its database, goes by them.
    """
    asked = followed(published_of(**changes))
    related = set(asked.pop("related")["id"])
    entries = EventFilter.model_validate(asked)
    assert entries.event
    assert entries.resource
    return (
        entries.event.includes(event)
        and entries.resource.includes(event)
        and bool(related & {each.id for each in event.related})
    )


@pytest.mark.parametrize(
    ("state", "sent"),
    [
        *((state, True) for state in (FAILED, CRASHED, TIMED_OUT, OWN_NAME, COMPLETED, LATE)),
        *((state, False) for state in (RETRYING, RUNNING, CANCELLED)),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_runs_with_the_tag_that_end_or_are_late_are_sent_and_nothing_before(
    state: State, sent: bool
) -> None:
    assert is_sent(Run(state=state).event()) is sent
    assert not is_sent(Run(state=state, tags=("other",)).event())


@pytest.mark.parametrize("phase", DrillPhase)
def test_a_request_of_the_stacks_drills_is_sent_and_no_other_stacks(phase: DrillPhase) -> None:
    assert is_sent(received(drill_of().request(phase, START)))
    assert not is_sent(received(drill_of(namePrefix="team").request(phase, START)))
    assert not is_sent(received(drill_of().request(phase, START)), namePrefix="team")


def test_nothing_that_the_sentinel_says_comes_back_to_it() -> None:
    settings = published_of()
    request = drill_of().request(DrillPhase.BEGAN, START)
    answered = answer(request, settings, START, START)
    assert answered is not None
    beat = heartbeat(settings, uuid4(), START, standby=False)
    said = [received(answered), received(beat), *(each.event for each in every_kind(settings))]
    assert not [event for event in (*said, Pool().event()) if is_sent(event)]


@pytest.mark.parametrize(
    ("followed_then", "before", "is_known"),
    [
        pytest.param({}, 60, True, id="these settings"),
        pytest.param({"defaultOwner": "new"}, 60, False, id="other settings"),
        pytest.param({}, 0, False, id="not before then"),
    ],
)
def test_it_is_known_whether_a_sentinel_followed_these_settings_before(
    followed_then: dict[str, object], before: int, *, is_known: bool
) -> None:
    beat = heartbeat(published_of(**followed_then), uuid4(), START, standby=False)
    event = ReceivedEvent.model_validate({**beat, "received": beat["occurred"]})
    asked: list[EventFilter] = []

    def answer_to(request: httpx.Request) -> httpx.Response:
        if not request.content:
            return httpx.Response(404)  # no other question is known here
        asked.append(EventFilter.model_validate(json.loads(request.content)["filter"]))
        found = [beat] if asked[-1].includes(event) else []
        return httpx.Response(200, json={"events": found, "total": len(found), "next_page": None})

    async def ask() -> bool:
        transport = httpx.MockTransport(answer_to)
        settings = {"transport": transport}
        async with CountedClient("http://prefect.test/api", httpx_settings=settings) as client:
            time = START + timedelta(seconds=before - 1)
            return await PrefectWorkspace(client).followed_before(published_of(), time)

    assert asyncio.run(ask()) is is_known
    assert len(asked) == 1
