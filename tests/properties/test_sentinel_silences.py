"""The end of a long silence, of which much must be read."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import HEARTBEAT_EVENT
from alerting.sentinel.events import Event
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import rules_of
from alerting.sentinel.service import Sentinel
from alerting.sentinel.workspace import Progress, nothing
from tests.shared.fake_workspace import (
    DEPLOYED,
    FakeServer,
    FakeWorkspace,
    StoryOverError,
    end,
    published,
)

pytestmark = pytest.mark.properties

ENDS = DEPLOYED + timedelta(minutes=30)


def silence(number: int, minutes: float, *pipelines: str) -> Silence:
    """One that ends at the time at which all of these end."""
    return Silence(
        id=str(number),
        pipelines=pipelines,
        starts=DEPLOYED + timedelta(minutes=minutes),
        ends=ENDS,
        reason="a move",
        author="ada",
    )


class Slow(FakeWorkspace):
    """A workspace in which what happened in a silence takes a quarter of an hour to read."""

    def __init__(self, server: FakeServer) -> None:
        super().__init__(server)
        self.server = server
        self.read: list[tuple[datetime, Sequence[str]]] = []

    async def failed_since(
        self,
        settings: PublishedSettings,
        between: tuple[datetime, datetime],
        flows: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> list[Ended]:
        self.read.append((between[0], flows))
        for _ in range(15):
            self.server.now += timedelta(minutes=1)
            await progress()
        return await super().failed_since(settings, between, flows)


def followed(silences: Sequence[Silence]) -> Slow:
    settings = published(
        pipelines={
            "orders": {"owner": "shop"},
            "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod"},
        }
    )
    runs = [end("orders", 20), end("load-clicks", 21, "Failed", "prod"), end("stranger", 22)]
    runs += [end("other", minute, "Completed") for minute in (1, 29, 31, 33)]
    server = FakeServer(settings, to_come=sorted(runs, key=lambda each: each.at))
    server.silences = list(silences)
    workspace = Slow(server)
    sentinel = Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))
    with pytest.raises(StoryOverError):
        asyncio.run(sentinel.follow())
    return workspace


def beats(server: FakeServer) -> list[Event]:
    return [event for event in server.acted if event["event"] == HEARTBEAT_EVENT]


def test_it_is_heard_while_it_reads_and_says_that_it_judges_nothing_meanwhile() -> None:
    workspace = followed([silence(1, 5)])
    heard = [
        (
            datetime.fromisoformat(e["occurred"]),
            datetime.fromisoformat(e["payload"]["judged_until"]),
        )
        for e in beats(workspace.server)
        if datetime.fromisoformat(e["occurred"]) >= ENDS
    ]
    gaps = [after - before for (before, _), (after, _) in pairwise(heard)]
    assert max(gaps) < rules_of(workspace.server.settings).silent_for
    assert len(heard) > 10
    assert len({judged for _, judged in heard}) < len(heard) / 2


def test_silences_that_end_together_are_read_about_together_and_each_is_told_of() -> None:
    workspace = followed(
        [silence(1, 5, "orders"), silence(2, 10, "clicks"), silence(3, 15, "stranger")]
    )
    assert workspace.read == [
        (DEPLOYED + timedelta(minutes=5), ["load-clicks", "orders", "stranger"])
    ]
    over = [e for e in workspace.server.verdicts if e["event"] == "data-alerts.silence-over"]
    assert len(over) == 3


def test_a_long_silence_of_one_pipeline_makes_a_short_one_of_all_no_longer() -> None:
    workspace = followed([silence(1, -600, "orders"), silence(2, 25)])
    assert workspace.read == [
        (DEPLOYED - timedelta(minutes=600), ["orders"]),
        (DEPLOYED + timedelta(minutes=25), []),
    ]
