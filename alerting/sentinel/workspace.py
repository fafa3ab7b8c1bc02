"""What the sentinel asks of a Prefect workspace, and what it tells it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from alerting.plan.load_events import Load
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event
from alerting.sentinel.history import Ended

PERSISTED_SECONDS = 6.0
"""The server writes events down every 5 s; until then they cannot be asked for."""


Progress = Callable[[], Awaitable[object]]
"""Awaited again and again while something long is read, so that the sentinel is heard."""


async def nothing() -> None:
    """No progress to report."""


class NotDeployedError(Exception):
    """The workspace has no stack's settings that this sentinel can follow; the text says why."""


@dataclass(frozen=True)
class AutomationState:
    """An automation as it is in the workspace."""

    enabled: bool
    created: datetime


class Workspace(Protocol):
    """A Prefect workspace. Every method raises httpx.HTTPError when Prefect cannot be asked."""

    async def published(self) -> PublishedSettings:
        """The stack's settings as deployed. Raises NotDeployedError when there are none."""
        ...

    async def first_known(self, settings: PublishedSettings) -> dict[str, datetime]:
        """Since when each pipeline that is to succeed in time can be expected to, by its name."""
        ...

    def stream(
        self, settings: PublishedSettings
    ) -> AbstractAsyncContextManager[AsyncIterator[Event]]:
        """The events of runs that end from now on. Some may be lost on the way."""
        ...

    async def announce(self, events: Sequence[Event]) -> None:
        """Emit events; when this returns, the server has them."""
        ...

    async def announced(
        self,
        settings: PublishedSettings,
        since: datetime,
        kinds: Collection[VerdictKind] = tuple(VerdictKind),
    ) -> list[Event]:
        """The verdicts of these kinds that sentinels of the stack announced since then."""
        ...

    async def judged_until(self, settings: PublishedSettings) -> datetime | None:
        """The time that the stack's last heartbeat names, None when that is not known."""
        ...

    async def followed_before(self, settings: PublishedSettings, time: datetime) -> bool:
        """Whether a sentinel followed these very settings before then, as far as is known."""
        ...

    async def standby_firings(self, settings: PublishedSettings, since: datetime) -> list[Event]:
        """The events that tell that a standby automation fired, since then."""
        ...

    async def automations(self, names: Sequence[str]) -> dict[str, AutomationState]:
        """Those of the automations that there are, by name."""
        ...

    async def ended_since(
        self, settings: PublishedSettings, since: datetime, progress: Progress = nothing
    ) -> list[Ended]:
        """All ends that count since then."""
        ...

    async def failed_since(
        self,
        settings: PublishedSettings,
        between: tuple[datetime, datetime],
        flows: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> list[Ended]:
        """The failures since a time, and the last success until another of pipelines with one.

        They are of these flows where any are named. There may be further successes.
        """
        ...

    async def lost_since(
        self,
        settings: PublishedSettings,
        since: datetime,
        troubled: Sequence[str],
        awaited: Sequence[str],
    ) -> list[Ended]:
        """Those ends since then that matter if the stream lost them.

        These are the failures, every success of the flows in trouble, and of those whose successes
        are awaited the latest.
        """
        ...

    async def flows_among(self, names: Sequence[str]) -> frozenset[str]:
        """The names of flows that there are: others have no runs."""
        ...

    async def past(self, settings: PublishedSettings, like: Ended, before: datetime) -> list[Ended]:
        """What led to a pipeline's condition: its last success, and the failures since.

        The pipeline is the one that a run like this belongs to.
        """
        ...

    async def counts(self, settings: PublishedSettings, event: Event, ended: Ended) -> bool:
        """Whether a run's end counts: a subflow's does not where its parent speaks for it."""
        ...

    async def silences(self, settings: PublishedSettings) -> list[Silence]:
        """The silences that people have added."""
        ...

    async def had_storm(self, settings: PublishedSettings) -> bool:
        """Whether an incident for several pipelines together was opened, as far as is known."""
        ...

    async def late(
        self, settings: PublishedSettings, since: datetime
    ) -> list[tuple[Ended, datetime]]:
        """Runs that should have started since then and are late, and since when they are."""
        ...

    async def running(
        self, settings: PublishedSettings, flows: Sequence[str], before: datetime
    ) -> list[Ended]:
        """Runs of these flows that began before then and have not ended; `at` is the beginning."""
        ...

    async def counts_between(
        self, settings: PublishedSettings, since: datetime, until: datetime
    ) -> tuple[int, int]:
        """How many runs completed and failed in a time."""
        ...

    async def load_events(
        self,
        settings: PublishedSettings,
        since: datetime,
        about: Sequence[str],
        *,
        most: int | None = None,
        progress: Progress = nothing,
    ) -> list[Event]:
        """The events by which flows told of their loads since then, the latest of them if many.

        Those about these pipelines and flows are among them.
        """
        ...

    async def recent_loads(self, settings: PublishedSettings, load: Load) -> list[Load]:
        """The loads of the same pipeline before one, the latest first."""
        ...

    async def ping(self) -> None:
        """Tell the outside that the sentinel is alive, where such a place is set."""
        ...
