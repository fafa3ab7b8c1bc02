"""Loads of which flows have told, each judged once."""

import logging
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from alerting.plan.load_events import LOAD_EVENT, Load, load_of, pipeline_of_load
from alerting.plan.published import PublishedSettings
from alerting.sentinel.anomalies import expects_rows, of_load
from alerting.sentinel.events import Event
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import Progress, Workspace, nothing

MOST_LOST = 500
"""Reports that are read at one look for what the stream lost: ten pages, the newest first."""
_KEPT = 20
"""Earlier loads that one is judged by; more than are compared with."""

log = logging.getLogger("data-alerts.sentinel")


class ToldLoads:
    """Finds loads that brought too few rows."""

    def __init__(self, workspace: Workspace, settings: PublishedSettings) -> None:
        """Begin with none known."""
        self._workspace = workspace
        self._settings = settings
        self._expecting = [p for p in settings.pipelines if p.least_rows or p.drop_below]
        self._known: dict[str, datetime] = {}

    async def heard(self, events: Iterable[Event]) -> list[Verdict]:
        """What follows from the reports among events that were not known before."""
        found: list[Verdict] = []
        for load in self._reports(events):
            if load.id not in self._known:
                self._known[load.id] = load.at
                recent = await self._workspace.recent_loads(self._settings, load)
                found += of_load(load, recent, self._settings)
        return found

    async def lost(self, since: datetime) -> list[Verdict]:
        """What follows from reports since then that the stream did not bring."""
        about = self._about(())
        if not about:
            return []
        self._known = {each: at for each, at in self._known.items() if at >= since}
        events = await self._workspace.load_events(self._settings, since, about, most=MOST_LOST)
        return await self.heard(events)

    async def missed(self, since: datetime, progress: Progress = nothing) -> list[Verdict]:
        """What follows from every report since then; it is known from now on."""
        loads = await self._reported(since, (), progress)
        self._known |= {load.id: load.at for load in loads}
        return await self._judged(loads, progress)

    async def every(
        self, since: datetime, pipelines: Collection[str], progress: Progress = nothing
    ) -> list[Verdict]:
        """The same once more, of these pipelines where any are named."""
        return await self._judged(await self._reported(since, pipelines, progress), progress)

    async def _reported(
        self, since: datetime, pipelines: Collection[str], progress: Progress
    ) -> list[Load]:
        about = self._about(pipelines)
        if not about:
            return []
        events = await self._workspace.load_events(self._settings, since, about, progress=progress)
        return sorted(self._reports(events), key=lambda each: each.at)

    async def _judged(self, loads: Iterable[Load], progress: Progress) -> list[Verdict]:
        """What follows from loads that are all there were in a time.

        Only what came before the first of each pipeline is asked for: the rest is among them.
        """
        found: list[Verdict] = []
        earlier: dict[str, list[Load]] = {}
        for load in loads:
            pipeline = pipeline_of_load(load, self._settings)
            if pipeline not in earlier:
                earlier[pipeline] = await self._workspace.recent_loads(self._settings, load)
                await progress()
            recent = [each for each in earlier[pipeline] if each.at < load.at]
            found += of_load(load, recent, self._settings)
            earlier[pipeline] = [load, *earlier[pipeline]][:_KEPT]
        return found

    def _about(self, pipelines: Collection[str]) -> Sequence[str]:
        """What reports are about that matter: pipelines, and flows that name none."""
        asked = [p for p in self._expecting if not pipelines or p.name in pipelines]
        return sorted({name for p in asked for name in (p.name, p.flow)})

    def _reports(self, events: Iterable[Event]) -> list[Load]:
        loads = (_read(event) for event in events)
        return [load for load in loads if load and expects_rows(load, self._settings)]


def _read(event: Event) -> Load | None:
    load = load_of(event)
    if load is None and event["event"] == LOAD_EVENT:
        log.warning("ignored the event %s, which is no report of a load", event["id"])
    return load
