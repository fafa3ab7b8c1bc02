"""A Prefect workspace in memory, whose client can be killed at any call."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from uuid import UUID, uuid4

from alerting.plan import build_plan
from alerting.plan.drill_events import YES
from alerting.plan.load_events import Load, load_of, pipeline_of_load
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import (
    HEARTBEAT_EVENT,
    RESUMED,
    SETTINGS_LABEL,
    STANDBY_LABEL,
    TOGETHER_LABEL,
    VerdictKind,
)
from alerting.sentinel.events import Event
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key, rules_of
from alerting.sentinel.workspace import AutomationState, Progress, nothing
from tests.shared.example_stack import settings_of

DEPLOYED = datetime(2026, 3, 1, 6, tzinfo=UTC)


class KilledError(BaseException):
    """The process is gone: no handler of its own may run."""


class StoryOverError(ConnectionError):
    """Nothing more happens."""


Answer = TypeVar("Answer")


def published(**changes: object) -> PublishedSettings:
    return build_plan(settings_of(**changes), "example").published


def end(flow: str, minutes: float, state: str = "Failed", deployment: str | None = None) -> Ended:
    return Ended(
        at=DEPLOYED + timedelta(minutes=minutes),
        state_id=uuid4(),
        run_id=uuid4(),
        run="brave-otter",
        flow=flow,
        failed=state != "Completed",
        deployment=deployment,
        state=state,
        message="the warehouse is asleep",
    )


def event_of(ended: Ended, tag: str = "dlt") -> Event:
    """The event by which a server tells of a run's end."""
    kinds = {"Completed": "COMPLETED", "Crashed": "CRASHED", "Late": "SCHEDULED"}
    kind = kinds.get(ended.state, "FAILED")
    related = [("flow", ended.flow), ("tag", tag)]
    if ended.deployment:
        related.append(("deployment", ended.deployment))
    return {
        "id": str(ended.state_id),
        "occurred": ended.at.isoformat(),
        "event": f"prefect.flow-run.{ended.state}",
        "resource": {
            "prefect.resource.id": f"prefect.flow-run.{ended.run_id}",
            "prefect.resource.name": ended.run,
            "prefect.state-name": ended.state,
            "prefect.state-type": kind,
            "prefect.state-timestamp": ended.at.isoformat(),
            "prefect.state-message": ended.message,
        },
        "related": [
            {
                "prefect.resource.id": f"prefect.{role}.{name}",
                "prefect.resource.role": role,
                "prefect.resource.name": name,
            }
            for role, name in related
        ],
        "payload": {},
    }


@dataclass
class FakeServer:
    """Runs, events and automations. It acts once on an event's id, as Prefect does."""

    settings: PublishedSettings = field(default_factory=published)
    ended: list[Ended] = field(default_factory=list)
    to_come: list[Ended] = field(default_factory=list)
    acted: list[Event] = field(default_factory=list)
    emitted: dict[UUID, Event] = field(default_factory=dict)
    firings: list[Event] = field(default_factory=list)
    standby_is_on: bool = False
    drops: set[UUID] = field(default_factory=set)
    silences: list[Silence] = field(default_factory=list)
    late: list[tuple[Ended, datetime]] = field(default_factory=list)
    """Runs that wait to start, each with when it was to start and since when it is late."""
    running: list[Ended] = field(default_factory=list)
    loads: list[Event] = field(default_factory=list)
    known: dict[str, datetime] = field(default_factory=dict)
    """Since when there are pipelines, by their names; others since before the stack."""
    now: datetime = DEPLOYED

    def happen(self, ends: Iterable[Ended]) -> None:
        for ended in ends:
            self.ended.append(ended)
            self.now = max(self.now, ended.at)

    def emit(self, events: Iterable[Event]) -> None:
        for event in events:
            found = UUID(str(event["id"]))
            if found not in self.emitted:
                self.emitted[found] = event
                self.acted.append(event)
                if event["resource"].get(STANDBY_LABEL) == RESUMED:
                    self.standby_is_on = False

    @property
    def verdicts(self) -> list[Event]:
        return [event for event in self.acted if event["event"] != HEARTBEAT_EVENT]


class FakeWorkspace:
    """A client of the server, which dies at its n-th call: before it takes effect, or after."""

    def __init__(
        self, server: FakeServer, dies_at: int | None = None, *, after: bool = False
    ) -> None:
        self._server = server
        self._dies_at = dies_at
        self._after = after
        self.calls = 0
        self.pings = 0
        self.looked = asyncio.Event()

    def clock(self) -> datetime:
        """The server's time."""
        self.looked.set()
        return self._server.now

    async def published(self) -> PublishedSettings:
        return await self._call(lambda: self._server.settings)

    async def first_known(self, settings: PublishedSettings) -> dict[str, datetime]:
        return await self._call(lambda: self._server.known)

    @asynccontextmanager
    async def stream(self, settings: PublishedSettings) -> AsyncGenerator[AsyncIterator[Event]]:
        await self._call(lambda: None)
        yield self._stream(settings)

    async def _stream(self, settings: PublishedSettings) -> AsyncIterator[Event]:
        while self._server.to_come:
            # The next happens when the sentinel has done with the last and looks at its clock.
            await self.looked.wait()
            self.looked.clear()
            ended = self._server.to_come.pop(0)
            self._server.happen([ended])
            if ended.state_id not in self._server.drops:
                yield event_of(ended, settings.tag)
        raise StoryOverError

    async def announce(self, events: Sequence[Event]) -> None:
        def emit() -> None:
            self._server.emit(events)

        await self._call(emit)

    async def announced(
        self,
        settings: PublishedSettings,
        since: datetime,
        kinds: Collection[VerdictKind] = tuple(VerdictKind),
    ) -> list[Event]:
        names = {kind.event for kind in kinds}
        return await self._call(
            lambda: [
                each
                for each in self._server.verdicts
                if _occurred(each) >= since and each["event"] in names
            ]
        )

    async def judged_until(self, settings: PublishedSettings) -> datetime | None:
        def latest() -> datetime | None:
            beats = [e for e in self._server.acted if e["event"] == HEARTBEAT_EVENT]
            return datetime.fromisoformat(beats[-1]["payload"]["judged_until"]) if beats else None

        return await self._call(latest)

    async def followed_before(self, settings: PublishedSettings, time: datetime) -> bool:
        return await self._call(
            lambda: any(
                each["resource"].get(SETTINGS_LABEL) == settings.digest and _occurred(each) < time
                for each in self._server.acted
            )
        )

    async def standby_firings(self, settings: PublishedSettings, since: datetime) -> list[Event]:
        return await self._call(lambda: [e for e in self._server.firings if _occurred(e) >= since])

    async def automations(self, names: Sequence[str]) -> dict[str, AutomationState]:
        state = AutomationState(self._server.standby_is_on, DEPLOYED)
        return await self._call(lambda: dict.fromkeys(names, state))

    async def ended_since(
        self, settings: PublishedSettings, since: datetime, progress: Progress = nothing
    ) -> list[Ended]:
        await progress()
        return await self._call(lambda: [e for e in self._server.ended if e.at >= since])

    async def failed_since(
        self,
        settings: PublishedSettings,
        between: tuple[datetime, datetime],
        flows: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> list[Ended]:
        ends = await self.ended_since(settings, between[0], progress)
        return [ended for ended in ends if not flows or ended.flow in flows]

    async def lost_since(
        self,
        settings: PublishedSettings,
        since: datetime,
        troubled: Sequence[str],
        awaited: Sequence[str],
    ) -> list[Ended]:
        flows = {*troubled, *awaited}
        return await self._call(
            lambda: [
                e for e in self._server.ended if e.at >= since and (e.failed or e.flow in flows)
            ]
        )

    async def flows_among(self, names: Sequence[str]) -> frozenset[str]:
        def read() -> frozenset[str]:
            return frozenset(names) & {ended.flow for ended in self._server.ended}

        return await self._call(read)

    async def past(self, settings: PublishedSettings, like: Ended, before: datetime) -> list[Ended]:
        def read() -> list[Ended]:
            pipeline = settings.pipeline_of(like.flow, like.deployment)
            key = pipeline_key(like, pipeline)
            of_pipeline = sorted(
                (e for e in self._server.ended if e.at <= before and _key(settings, e) == key),
                key=lambda e: e.order,
            )
            successes = [i for i, e in enumerate(of_pipeline) if not e.failed]
            return of_pipeline[successes[-1] :] if successes else of_pipeline

        return await self._call(read)

    async def counts(self, settings: PublishedSettings, event: Event, ended: Ended) -> bool:
        return True

    async def silences(self, settings: PublishedSettings) -> list[Silence]:
        return await self._call(lambda: list(self._server.silences))

    async def had_storm(self, settings: PublishedSettings) -> bool:
        pages = {kind.event for kind in rules_of(settings).pages}

        def any_of_several() -> bool:
            return any(
                event["event"] in pages and event["resource"][TOGETHER_LABEL] == YES
                for event in self._server.verdicts
            )

        return await self._call(any_of_several)

    async def late(
        self, settings: PublishedSettings, since: datetime
    ) -> list[tuple[Ended, datetime]]:
        return await self._call(lambda: [e for e in self._server.late if e[0].at >= since])

    async def running(
        self, settings: PublishedSettings, flows: Sequence[str], before: datetime
    ) -> list[Ended]:
        return await self._call(
            lambda: [e for e in self._server.running if e.flow in flows and e.at < before]
        )

    async def counts_between(
        self, settings: PublishedSettings, since: datetime, until: datetime
    ) -> tuple[int, int]:
        def count() -> tuple[int, int]:
            failed = [e.failed for e in self._server.ended if since <= e.at < until]
            return len(failed) - sum(failed), sum(failed)

        return await self._call(count)

    async def load_events(
        self,
        settings: PublishedSettings,
        since: datetime,
        about: Sequence[str],
        *,
        most: int | None = None,
        progress: Progress = nothing,
    ) -> list[Event]:
        await progress()
        return await self._call(
            lambda: [e for e in self._server.loads if since <= _occurred(e) <= self._server.now]
        )

    async def recent_loads(self, settings: PublishedSettings, load: Load) -> list[Load]:
        def recent() -> list[Load]:
            loads = (load_of(event) for event in self._server.loads)
            about = pipeline_of_load(load, settings)
            earlier = (each for each in loads if each and each.at < load.at)
            of_pipeline = (e for e in earlier if pipeline_of_load(e, settings) == about)
            return sorted(of_pipeline, key=lambda each: each.at, reverse=True)

        return await self._call(recent)

    async def ping(self) -> None:
        self.pings += 1

    async def _call(self, effect: Callable[[], Answer]) -> Answer:
        self.calls += 1
        if self.calls == self._dies_at and not self._after:
            raise KilledError
        result = effect()
        if self.calls == self._dies_at:
            raise KilledError
        return result


def _occurred(event: Event) -> datetime:
    return datetime.fromisoformat(event["occurred"])


def _key(settings: PublishedSettings, ended: Ended) -> str:
    return pipeline_key(ended, settings.pipeline_of(ended.flow, ended.deployment))
