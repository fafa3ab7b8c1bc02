"""Lives of a sentinel against a workspace in memory."""

import asyncio
from datetime import timedelta

from alerting.sentinel.service import Sentinel
from tests.shared.fake_workspace import FakeServer, FakeWorkspace, KilledError, StoryOverError


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
