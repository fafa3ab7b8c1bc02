"""Silences in the variables of a real Prefect server."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from prefect.client.orchestration import PrefectClient
from prefect.server.events.filters import EventFilter

from alerting.plan.silences import SILENCES_CHANGED_EVENT, Silences, silences_changed
from alerting.sentinel.prefect_events import read_events
from alerting.sentinel.prefect_workspace import followed
from alerting.silences.asked import AskedSilence, SilenceError
from alerting.silences.store import (
    KEPT,
    NAME_PREFIX,
    add_silence,
    check_names,
    end_silence,
    prune,
    read_silences,
)
from sandbox.prefect_client import client_of
from tests.contract.patient import ask
from tests.contract.prefect_events import received
from tests.shared.example_stack import STACK, published_of

pytestmark = pytest.mark.contract

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)
MANY = 210
WRITTEN_SECONDS = 20.0
Played = Callable[[PrefectClient], Coroutine[Any, Any, Any]]


@pytest.fixture
def scope() -> str:
    """A stack of its own for each test: they share a server."""
    return f"team.{uuid4().hex[:8]}"


def play(api: str, played: Played) -> Any:  # noqa: ANN401 - what is played returns
    """Do something with a client that is new each time, as a process that starts again has it."""

    async def inside() -> Any:  # noqa: ANN401
        async with client_of(api) as client:
            return await played(client)

    return asyncio.run(inside())


def asked(*pipelines: str, hours: float = 2, **changes: Any) -> AskedSilence:  # noqa: ANN401
    given = {
        "pipelines": pipelines,
        "starts": NOW,
        "ends": NOW + hours * HOUR,
        "reason": "the source is moved",
        "author": "ada",
        **changes,
    }
    return AskedSilence(**given)


def test_what_is_added_is_read_by_whoever_starts_later(prefect_server: str, scope: str) -> None:
    added = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    assert added.pipelines == ("orders",)
    assert (added.starts, added.ends) == (NOW, NOW + 2 * HOUR)
    assert (added.reason, added.author, added.window) == ("the source is moved", "ada", False)
    assert play(prefect_server, lambda c: read_silences(c, scope)) == [added]


def test_another_stacks_silences_are_not_read(prefect_server: str, scope: str) -> None:
    play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    assert play(prefect_server, lambda c: read_silences(c, f"{scope}2")) == []
    assert play(prefect_server, lambda c: read_silences(c, scope[:-1])) == []


def test_silences_that_are_added_at_once_are_all_there(prefect_server: str, scope: str) -> None:
    async def race(client: PrefectClient) -> None:
        async with client_of(prefect_server) as other:
            await asyncio.gather(
                *(add_silence(client, scope, asked(f"flow-{n}"), NOW) for n in range(5)),
                *(add_silence(other, scope, asked(f"other-{n}"), NOW) for n in range(5)),
            )

    play(prefect_server, race)
    found = play(prefect_server, lambda c: read_silences(c, scope))
    assert len(found) == len({each.id for each in found}) == 10


def test_a_silence_that_is_ended_stays_as_a_record_and_its_end_is_honoured(
    prefect_server: str, scope: str
) -> None:
    added = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    end = NOW + timedelta(minutes=5)
    play(prefect_server, lambda c: end_silence(c, scope, added.id, "grace", end, "it is done"))
    [found] = play(prefect_server, lambda c: read_silences(c, scope))
    assert (found.ends, found.ended_by, found.end_reason) == (end, "grace", "it is done")
    assert (found.author, found.reason) == ("ada", "the source is moved")
    silences = Silences([found])
    assert silences.covering("orders", end - timedelta(seconds=1)) == found
    assert silences.covering("orders", end) is None
    with pytest.raises(SilenceError, match="is over since"):
        play(prefect_server, lambda c: end_silence(c, scope, added.id, "grace", end))


def test_a_silence_that_is_ended_before_it_begins_never_was(
    prefect_server: str, scope: str
) -> None:
    later = asked("orders", starts=NOW + HOUR)
    added = play(prefect_server, lambda c: add_silence(c, scope, later, NOW))
    play(prefect_server, lambda c: end_silence(c, scope, added.id, "ada", NOW))
    [found] = play(prefect_server, lambda c: read_silences(c, scope))
    assert found.starts == found.ends == NOW + HOUR


@pytest.mark.parametrize(
    ("silence_id", "said"),
    [
        ("0badf00d", "there is no silence '0badf00d': `alertctl silence list`"),
        ("../block", "there is no silence"),
        ("window-12ab34cd-20260301T020000Z", "change the window in the stack's settings"),
    ],
)
def test_what_cannot_be_ended_is_said(
    prefect_server: str, scope: str, silence_id: str, said: str
) -> None:
    with pytest.raises(SilenceError) as caught:
        play(prefect_server, lambda c: end_silence(c, scope, silence_id, "ada", NOW))
    assert said in str(caught.value)


def test_another_stacks_silence_cannot_be_ended(prefect_server: str, scope: str) -> None:
    added = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    with pytest.raises(SilenceError, match="there is no silence"):
        play(prefect_server, lambda c: end_silence(c, f"{scope}2", added.id, "ada", NOW))


def test_more_than_a_page_of_silences_are_read(prefect_server: str, scope: str) -> None:
    first = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    value = first.model_dump(mode="json", exclude_none=True)
    tags = variable_of(prefect_server, first.id)["tags"]
    for number in range(MANY):
        silence_id = f"{scope.removeprefix('team.')}{number:04}"
        body: dict[str, Any] = {
            "name": f"{NAME_PREFIX}{silence_id}",
            "value": {**value, "id": silence_id},
            "tags": tags,
        }
        ask("POST", f"{prefect_server}/variables/", body)
    found = play(prefect_server, lambda c: read_silences(c, scope))
    assert len({each.id for each in found}) == len(found) == MANY + 1


def test_what_is_no_silence_is_left_out_and_logged(
    prefect_server: str, scope: str, caplog: pytest.LogCaptureFixture
) -> None:
    good = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    tags = variable_of(prefect_server, good.id)["tags"]
    value = good.model_dump(mode="json", exclude_none=True)
    unreadable: tuple[Any, ...] = ("a text", {"id": "x"}, {**value, "more": 1}, value, 7)
    for number, bad in enumerate(unreadable):
        body = {"name": f"{NAME_PREFIX}{scope[5:]}-{number}", "value": bad, "tags": tags}
        ask("POST", f"{prefect_server}/variables/", body)
    with caplog.at_level(logging.WARNING):
        found = play(prefect_server, lambda c: read_silences(c, scope))
    assert found == [good]
    assert len([line for line in caplog.messages if NAME_PREFIX in line]) == len(unreadable)


def test_a_silence_that_was_saved_again_as_text_is_read(prefect_server: str, scope: str) -> None:
    added = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    url = f"{prefect_server}/variables/name/{NAME_PREFIX}{added.id}"
    ask("PATCH", url, {"value": added.model_dump_json(exclude_none=True)})
    assert play(prefect_server, lambda c: read_silences(c, scope)) == [added]


def test_records_are_forgotten_thirty_days_after_their_end(prefect_server: str, scope: str) -> None:
    old = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    kept = play(prefect_server, lambda c: add_silence(c, scope, asked("clicks", hours=3), NOW))
    later = old.ends + KEPT + timedelta(seconds=1)
    new = asked("orders", starts=later, ends=later + HOUR)
    added = play(prefect_server, lambda c: add_silence(c, scope, new, later))
    assert play(prefect_server, lambda c: read_silences(c, scope)) == [kept, added]
    assert play(prefect_server, lambda c: prune(c, scope, later)) == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (asked("orders", reason=" "), "expected a reason"),
        (asked("orders", reason="two\nlines"), "expected a reason: one line"),
        (asked("orders", author=""), "expected an author"),
        (asked("orders", hours=0), "it would end before it starts"),
        (asked("orders", starts=NOW - 2 * HOUR, ends=NOW), "it would be over already"),
        (asked("orders", hours=30 * 24 + 0.1), "it would last longer than 30d"),
    ],
)
def test_a_silence_without_an_end_a_reason_or_an_author_is_not_added(
    prefect_server: str, scope: str, wrong: AskedSilence, said: str
) -> None:
    with pytest.raises(SilenceError) as caught:
        play(prefect_server, lambda c: add_silence(c, scope, wrong, NOW))
    assert said in str(caught.value)
    assert play(prefect_server, lambda c: read_silences(c, scope)) == []


def test_names_are_those_of_listed_pipelines_or_of_flows(prefect_server: str) -> None:
    settings = published_of()
    ask("POST", f"{prefect_server}/flows/", {"name": "ad-hoc-report"})
    play(prefect_server, lambda c: check_names(c, settings, ["orders", "ad-hoc-report"]))
    for name, said in (
        ("order", "'order' is neither a pipeline nor a flow. Did you mean 'orders'"),
        ("ad-hoc-reports", "Did you mean 'ad-hoc-report'"),
        ("load-clicks", "'load-clicks' is the flow of 'clicks': name that"),
        ("zzzzzz", "Name one of data-alerts:pipelines"),
    ):
        with pytest.raises(SilenceError) as caught:
            play(prefect_server, lambda c, name=name: check_names(c, settings, [name]))  # type: ignore[misc]
        assert said in str(caught.value)


def test_a_change_is_told_by_an_event(prefect_server: str, scope: str) -> None:
    async def told(client: PrefectClient) -> int:
        request = {
            "event": {"name": [SILENCES_CHANGED_EVENT]},
            "resource": {"labels": {"data-alerts.scope": scope}},
        }
        deadline = time.monotonic() + WRITTEN_SECONDS
        while True:
            found = [event async for event in read_events(client, request)]
            if len(found) >= 2 or time.monotonic() > deadline:
                return len(found)
            await asyncio.sleep(0.5)

    added = play(prefect_server, lambda c: add_silence(c, scope, asked("orders"), NOW))
    play(prefect_server, lambda c: end_silence(c, scope, added.id, "ada", NOW))
    assert play(prefect_server, told) == 2


def test_the_event_of_a_change_has_the_labels_that_pass_the_sentinels_filter() -> None:
    settings = published_of()
    event = received(silences_changed(uuid4(), STACK, NOW))
    filters = followed(settings)
    related = set(filters.pop("related")["id"])
    filters["event"]["prefix"].append(SILENCES_CHANGED_EVENT)
    entries = EventFilter.model_validate(filters)
    assert entries.event
    assert entries.event.includes(event)
    assert entries.resource
    assert entries.resource.includes(event)
    assert related & {each.id for each in event.related}


def test_a_silence_is_added_also_when_its_event_is_refused(
    prefect_server: str, scope: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def refused(client: PrefectClient) -> None:
        request = client.request

        async def some(method: str, path: str, **given: Any) -> httpx.Response:  # noqa: ANN401
            if path == "/events":
                raise httpx.ConnectError("refused")
            return await request(method, path, **given)  # type: ignore[arg-type]

        client.request = some  # type: ignore[method-assign, assignment]
        await add_silence(client, scope, asked("orders"), NOW)

    play(prefect_server, refused)
    assert "hears of it within a minute only: ConnectError" in caplog.text
    assert len(play(prefect_server, lambda c: read_silences(c, scope))) == 1


def variable_of(api: str, silence_id: str) -> dict[str, Any]:
    found: Any = ask("GET", f"{api}/variables/name/{NAME_PREFIX}{silence_id}")
    return dict(found)
