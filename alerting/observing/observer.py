"""Looks at a stack again and again, and asks Prefect only for what it does not know yet.

Example:
    observer = Observer(client, memory=Memory(file))
    overview = await observer.look()
    while await observer.ask_more(): ...
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import httpx
from pydantic import ValidationError

from alerting.connection import ConnectionProblem, what_went_wrong
from alerting.doctor.findings import Finding
from alerting.drills.playing import last_drill
from alerting.drills.report import DrillReport
from alerting.failures import FailedRun, failed_runs
from alerting.observing.announcements import all_are_down, open_incidents
from alerting.observing.event_reading import KEPT, EventReading, Told
from alerting.observing.figures import DAYS
from alerting.observing.fleet import Source
from alerting.observing.health import (
    Deployed,
    automations_health,
    blocks_health,
    channels_health,
    channels_of,
    drill_health,
    sentinel_health,
)
from alerting.observing.memory import Memory
from alerting.observing.overview import Overview, Progress
from alerting.observing.prefect_reader import (
    CountedClient,
    Filter,
    NonsenseError,
    PrefectReader,
)
from alerting.observing.run_reading import RunReading
from alerting.observing.silences import Silence
from alerting.observing.stored_silences import stored_silences
from alerting.observing.working_out import Seen, WorkingOut
from alerting.plan.published import PublishedSettings
from alerting.redaction import redact
from alerting.sentinel.events import Event
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from alerting.sentinel.service import Clock, utc_now
from alerting.sentinel.workspace import NotDeployedError

FORGOTTEN = timedelta(days=45)
TIDY_EVERY = timedelta(days=1)
DRILL_LASTS = timedelta(minutes=1)
RUNNING = {"type": {"any_": ["RUNNING"]}}
LATE = {"name": {"any_": ["Late"]}}
_DEFECTS = (KeyError, TypeError, ValueError, AttributeError, ValidationError)


class PlannedStack(Protocol):
    """A stack as its file has it."""

    def accept(self, settings: PublishedSettings) -> None:
        """Raise NotDeployedError where the workspace holds another stack."""
        ...

    async def findings(self) -> Sequence[Finding]:
        """What differs between what is planned and what there is."""
        ...


class Observer:
    """One stack of one workspace."""

    def __init__(
        self,
        client: CountedClient,
        memory: Memory,
        name_prefix: str | None = None,
        *,
        clock: Clock = utc_now,
        planned: PlannedStack | None = None,
    ) -> None:
        """Use an open client; nothing is asked yet.

        `planned` is the stack as its file has it, where there is one.
        """
        self._client = client
        self._memory = memory
        self._workspace = PrefectWorkspace(client, name_prefix)
        self._reader = PrefectReader(client)
        self._runs = RunReading(self._reader, memory)
        self._events = EventReading(client, memory)
        self._clock = clock
        self._planned = planned
        self._working_out = WorkingOut(memory)
        self._drill: tuple[datetime, DrillReport | None] | None = None
        self._asked: _Asked | None = None
        self._asked_for = 0
        self._tidied: datetime | None = None

    @property
    def requests(self) -> int:
        """Questions that Prefect was asked so far."""
        return self._client.requests

    async def look(self) -> Overview:
        """Ask for what is new, and what is seen then. Raises what `ask` does."""
        await self.ask()
        return await self.overview()

    async def ask(self) -> None:
        """Ask for what is new.

        Raises:
            ConnectionProblem: when Prefect cannot be asked, in one line.
            NotDeployedError: when the workspace holds no such stack.
        """
        async with self._clear_errors():
            before = self._client.requests
            self._asked = await self._ask()
            self._asked_for = self._client.requests - before

    async def ask_more(self) -> bool:
        """Ask for a little of what is not known yet; returns whether there was more to learn.

        Raises ConnectionProblem.
        """
        settings, now = self._known().settings, self._clock()
        async with self._clear_errors():
            members = self._runs.members(settings)
            wanted = self._working_out.without_success
            if unknown := [member for member in members if member.key in wanted]:
                self._working_out.sought(wanted)
                await self._runs.find_successes(unknown, settings, now)
                return True
            return await self._runs.more(settings, now)

    @property
    def knows_enough(self) -> bool:
        """Whether the last run of every pipeline is known, and its ends are counted."""
        return self._runs.knows_enough(self._known().settings, self._clock())

    @property
    def lacks_successes(self) -> bool:
        """Whether something is failing for longer than is known, by the last overview."""
        return bool(self._working_out.without_success)

    async def told(self, period: timedelta) -> Told:
        """What was announced and sent lately; nothing else is asked for. Raises as `ask` does."""
        async with self._clear_errors():
            settings, now = await self._published(), self._clock()
            self._tidy(now)
            blocks = list((await self._deployed(settings)).blocks.values())
            await self._events.catch_up(settings, blocks, now)
            return self._events.told(settings, now, period)

    async def failures(
        self, period: timedelta, most: int, settings: PublishedSettings
    ) -> list[FailedRun]:
        """The runs with the stack's tag that failed lately, the newest first. Raises as `ask`."""
        async with self._clear_errors():
            return await failed_runs(self._client, most, period, tag=settings.tag)

    async def overview(self) -> Overview:
        """What is seen by what was asked; nothing is asked for it."""
        known = self._known()
        settings, now = known.settings, known.at
        announcements = self._events.announcements(now - KEPT)
        notifications = self._events.notifications(settings, now - KEPT)
        channels = channels_of(settings, notifications)
        progress = self._progress(now)
        members = self._runs.members(settings)
        seen = Seen(
            settings=settings,
            now=now,
            known_since=progress.known_since,
            counts=self._runs.counts(now),
            incidents=open_incidents(announcements),
            silences=known.silences,
            running=known.running,
            late=known.late,
            looked_at={m.key for m in members if self._runs.looked_at(m)},
        )
        return Overview(
            stack=settings.stack or (settings.sentinel.scope if settings.sentinel else ""),
            at=now,
            ui_url=settings.ui_url,
            pipelines=await self._working_out.pipelines(members, seen),
            all_down_since=all_are_down(announcements),
            health=(
                *sentinel_health(settings, known.heartbeat, now),
                *automations_health(settings, known.deployed),
                *blocks_health(settings, known.deployed),
                *channels_health(channels),
                *drill_health(known.drill),
                *known.planned,
            ),
            channels=channels,
            drill=known.drill,
            silences=tuple(known.silences),
            notifications=notifications,
            announcements=announcements,
            progress=progress,
            requests=self._asked_for,
        )

    def _tidy(self, now: datetime) -> None:
        """Keep the memory bounded, also in a process that is never started anew."""
        if self._tidied is None or now - self._tidied >= TIDY_EVERY:
            self._tidied = now
            self._memory.forget_before((now - FORGOTTEN).timestamp())

    async def _ask(self) -> "_Asked":
        now = self._clock()
        self._tidy(now)
        settings = await self._published()
        await self._runs.directory.look(settings, now)
        deployed = await self._deployed(settings)
        blocks = list(deployed.blocks.values())
        await asyncio.gather(
            self._runs.catch_up(settings, now), self._events.catch_up(settings, blocks, now)
        )
        heartbeat, drill, silences, running, late = await asyncio.gather(
            self._events.heartbeat(settings),
            self._last_drill(settings, now),
            stored_silences(self._client, settings),
            self._active(settings, RUNNING),
            self._active(settings, LATE),
        )
        return _Asked(
            settings=settings,
            at=self._clock(),
            heartbeat=heartbeat,
            deployed=deployed,
            drill=drill,
            silences=silences,
            running=running,
            late=late,
            planned=await self._planned.findings() if self._planned else (),
        )

    async def _published(self) -> PublishedSettings:
        settings = await self._workspace.published()
        if self._planned:
            self._planned.accept(settings)
        return settings

    def _known(self) -> "_Asked":
        if self._asked is None:
            raise ValueError("nothing was asked yet")
        return self._asked

    def _progress(self, now: datetime) -> Progress:
        covered = self._memory.covered
        since = datetime.fromtimestamp(covered[0], UTC) if covered else now
        return Progress(since, now - timedelta(days=DAYS))

    async def _active(self, settings: PublishedSettings, state: Filter) -> frozenset[Source]:
        """Where runs come from that are in a state now."""
        runs = await self._reader.active(settings.tag, state)
        await self._runs.directory.learn(runs)
        return frozenset(map(self._runs.directory.source_of, runs))

    async def _deployed(self, settings: PublishedSettings) -> Deployed:
        automations = await self._reader.automations([rule.name for rule in settings.rules])
        blocks = await self._reader.blocks(settings.blocks)
        return Deployed(automations, {block.slug: block.id for block in blocks})

    async def _last_drill(self, settings: PublishedSettings, now: datetime) -> DrillReport | None:
        if self._drill is None or now - self._drill[0] > DRILL_LASTS:
            self._drill = now, await last_drill(self._client, settings)
        return self._drill[1]

    @asynccontextmanager
    async def _clear_errors(self) -> AsyncGenerator[None]:
        """One line for whatever goes wrong with Prefect."""
        try:
            yield
        except (ConnectionProblem, NotDeployedError):
            raise
        except httpx.HTTPError as error:
            raise ConnectionProblem(what_went_wrong(error, self._client)) from None
        except _DEFECTS as error:
            raise NonsenseError(
                f"{redact(str(self._client.api_url))} answers what cannot be understood "
                f"({type(error).__name__}). Is it the API of a Prefect server?"
            ) from error


@dataclass(frozen=True)
class _Asked:
    """What was asked for last."""

    settings: PublishedSettings
    at: datetime
    heartbeat: Event | None
    deployed: Deployed
    drill: DrillReport | None
    silences: Sequence[Silence]
    running: frozenset[Source]
    late: frozenset[Source]
    planned: Sequence[Finding]
