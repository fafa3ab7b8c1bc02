"""Whom a sentinel that gets nowhere keeps quiet, and that one at work is heard."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import HEARTBEAT_EVENT
from alerting.sentinel.events import Event
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import rules_of
from alerting.sentinel.service import LIVES_IN_VAIN, Sentinel
from tests.shared.fake_workspace import FakeServer, FakeWorkspace, StoryOverError, end

pytestmark = pytest.mark.properties


class Refusing(FakeWorkspace):
    """A server that refuses to answer one of the questions."""

    question = ""

    def __getattribute__(self, name: str) -> object:
        if name == object.__getattribute__(self, "question"):
            raise PermissionError(name)
        return super().__getattribute__(name)


def lives(
    sentinel: Sentinel, workspace: FakeWorkspace, server: FakeServer, count: int
) -> list[int]:
    """How often it was heard in each of several lives, some minutes apart."""
    heard = []
    for _ in range(count):
        before = len(beats(server))
        minutes = (server.now - FakeServer().now) / timedelta(minutes=1)
        server.to_come = [end("other", minutes + after, "Completed") for after in (1, 3, 5, 7)]
        workspace.looked = asyncio.Event()
        with pytest.raises((PermissionError, StoryOverError)):
            asyncio.run(sentinel.follow())
        heard.append(len(beats(server)) - before)
    return heard


def beats(server: FakeServer) -> list[datetime]:
    return [datetime.fromisoformat(e["occurred"]) for e in server.acted if is_beat(e["event"])]


def is_beat(event: str) -> bool:
    return event == HEARTBEAT_EVENT


def sentinel_in(workspace: FakeWorkspace) -> Sentinel:
    return Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))


@pytest.mark.parametrize(
    "question", ["announced", "ended_since", "past", "silences", "had_storm", "late", "lost_since"]
)
def test_one_that_gets_nowhere_is_not_heard_for_long(question: str) -> None:
    server = FakeServer()
    server.happen([end("orders", minute) for minute in (1, 2, 3)])
    workspace = Refusing(server)
    sentinel = sentinel_in(workspace)
    workspace.question = question
    heard = lives(sentinel, workspace, server, LIVES_IN_VAIN + 5)
    assert all(heard[:LIVES_IN_VAIN]), "a restart is heard soon"
    assert not any(heard[LIVES_IN_VAIN:])
    assert workspace.pings == len(beats(server))
    workspace.question = ""
    assert lives(sentinel, workspace, server, 1)[0] > 1
    assert any(event["event"] == "data-alerts.streak" for event in server.verdicts)


def test_one_that_cannot_tell_is_not_heard_for_long() -> None:
    class Refused(FakeWorkspace):
        refuses = True

        async def announce(self, events: Sequence[Event]) -> None:
            if self.refuses and not all(is_beat(event["event"]) for event in events):
                raise PermissionError
            await super().announce(events)

    server = FakeServer()
    server.happen([end("orders", minute) for minute in (1, 2, 3)])
    workspace = Refused(server)
    sentinel = sentinel_in(workspace)
    heard = lives(sentinel, workspace, server, 2 * LIVES_IN_VAIN + 4)
    assert not any(heard[2 * LIVES_IN_VAIN :])
    workspace.refuses = False
    assert lives(sentinel, workspace, server, 1)[0] > 1
    assert any(event["event"] == "data-alerts.streak" for event in server.verdicts)


def test_one_that_got_somewhere_may_fail_again_and_is_heard() -> None:
    server = FakeServer()
    workspace = Refusing(server)
    sentinel = sentinel_in(workspace)
    for _ in range(3):
        workspace.question = "silences"
        assert all(lives(sentinel, workspace, server, LIVES_IN_VAIN))
        workspace.question = ""
        assert all(lives(sentinel, workspace, server, 1))


def test_it_is_heard_all_through_a_long_catching_up() -> None:
    class Slow(FakeWorkspace):
        async def past(
            self, settings: PublishedSettings, like: Ended, before: datetime
        ) -> list[Ended]:
            server.now += timedelta(minutes=2)
            return await super().past(settings, like, before)

    server = FakeServer()
    server.happen([end(f"flow-{number}", 1) for number in range(30)])
    with pytest.raises(StoryOverError):
        asyncio.run(sentinel_in(Slow(server)).follow())
    assert longest_silence(beats(server)) < rules_of(server.settings).silent_for
    assert len(beats(server)) > 10


def longest_silence(heard: Sequence[datetime]) -> timedelta:
    return max(after - before for before, after in pairwise(heard))
