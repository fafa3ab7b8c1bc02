"""Lives of a sentinel against a workspace in memory."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from alerting.plan.verdicts import HEARTBEAT_EVENT
from alerting.sentinel.events import Event
from alerting.sentinel.service import Sentinel
from tests.shared.fake_workspace import (
    DEPLOYED,
    FakeServer,
    FakeWorkspace,
    KilledError,
    StoryOverError,
    end,
)

IDS_KEPT = timedelta(minutes=30)
EVENTS_KEPT = timedelta(days=7)


@dataclass
class ForgetfulServer(FakeServer):
    """It knows for as long as Prefect does which ids it has seen, and what the events were."""

    told: list[Event] = field(default_factory=list)
    """All verdicts that it ever acted on."""

    def emit(self, events: Iterable[Event]) -> None:
        def since(event: Event) -> timedelta:
            return self.now - datetime.fromisoformat(event["occurred"])

        self.emitted = {i: each for i, each in self.emitted.items() if since(each) < IDS_KEPT}
        self.acted = [each for each in self.acted if since(each) < EVENTS_KEPT]
        known = len(self.acted)
        super().emit(events)
        self.told += [e for e in self.acted[known:] if e["event"] != HEARTBEAT_EVENT]

    def told_of(self, *kinds: str) -> list[tuple[str, str]]:
        """The verdicts that it acted on of these kinds, and the pipelines that they are about."""
        return [
            (kind, event["payload"]["pipeline"])
            for event in self.told
            if (kind := event["event"].removeprefix("data-alerts.")) in kinds
        ]


def live(server: FakeServer, dies_at: int | None = None, *, after: bool = False) -> FakeWorkspace:
    """One life of a sentinel: to the story's end, or until it is killed."""
    workspace = FakeWorkspace(server, dies_at, after=after)
    sentinel = Sentinel(workspace, clock=workspace.clock, tick=timedelta(milliseconds=1))
    try:
        asyncio.run(sentinel.follow())
    except (StoryOverError, KilledError):
        pass
    except BaseExceptionGroup as group:
        if not group.subgroup(KilledError):
            raise
    return workspace


def live_at(server: FakeServer, *minutes: float) -> None:
    """A life that begins then, and looks around at these minutes after the deployment."""
    first, *others = minutes
    server.now = max(server.now, DEPLOYED + timedelta(minutes=first))
    server.to_come = [end("stranger", minute, "Completed") for minute in (*others, others[-1] + 1)]
    live(server)
