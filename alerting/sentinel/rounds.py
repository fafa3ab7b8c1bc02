"""What the sentinel looks at besides runs that end: silences, days, loads, overdue runs."""

import logging
from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import UUID

from alerting.plan.load_events import LOAD_EVENT, Load, load_of
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.anomalies import expects_rows, of_load
from alerting.sentinel.events import Event
from alerting.sentinel.judging import Judge, rules_of
from alerting.sentinel.overdue import Overdue
from alerting.sentinel.standing import still_to_tell
from alerting.sentinel.summaries import Day, day_over, silence_over
from alerting.sentinel.texts import readable
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import Workspace

_HEARD_WITHIN = timedelta(minutes=3)
"""Silences are read anew at each heartbeat at least."""
_MOMENT = timedelta(microseconds=1)

log = logging.getLogger("data-alerts.sentinel")


class Rounds:
    """Finds each verdict once, from a time on."""

    def __init__(
        self,
        workspace: Workspace,
        settings: PublishedSettings,
        judge: Judge,
        since: datetime,
        told: AbstractSet[UUID],
    ) -> None:
        """`told` are the ids of verdicts that others have announced since then."""
        self._workspace = workspace
        self._settings = settings
        self._rules = rules_of(settings)
        self._judge = judge
        self._since = since
        self._told = told
        self._until = since
        self._over: dict[str, datetime] = {}
        self._overdue = Overdue(settings)
        self._standing: list[Verdict] = []
        """What was so before, as of when it was found: maybe in a silence."""
        self._longest = {p.flow: p.max_duration for p in settings.pipelines if p.max_duration}

    async def over(self, now: datetime) -> list[Verdict]:
        """The silences, and the days, that are over by now."""
        after, self._until = self._until, max(self._until, now)
        found: list[Verdict] = []
        # One that somebody ends is over a moment before it is heard of.
        for silence in self._judge.silences.over_between(after - _HEARD_WITHIN, now):
            if silence.id in self._over or silence.ends < self._since:
                continue
            self._over[silence.id] = silence.ends
            ends = await self._workspace.ended_since(self._settings, silence.starts)
            unsound = await self._unsound(silence, now)
            if verdict := silence_over(silence, ends, self._settings, unsound):
                found.append(verdict)
        if self._rules.summary and (at := self._rules.summary.last_until(now)) > after:
            before = self._rules.summary.last_until(at - _MOMENT)
            found.append(await self._day(before, at))
        self._over = {each: at for each, at in self._over.items() if now - at < 2 * _HEARD_WITHIN}
        return self._new(found)

    async def overdue(self, now: datetime) -> list[Verdict]:
        """Runs that are late to start, or run too long, and were not before."""
        found = await self._look(self._overdue, now)
        stuck = [verdict for verdict in found if verdict.kind is VerdictKind.STUCK]
        return [*self._new(found), *await self._old(stuck, now)]

    async def stale(self, now: datetime) -> list[Verdict]:
        """Whose data has been stale since before this sentinel is answerable, untold."""
        return await self._old(self._judge.stale(now), now)

    async def _old(self, verdicts: Iterable[Verdict], now: datetime) -> list[Verdict]:
        found = await still_to_tell(self._workspace, self._judge, verdicts, self._since, now)
        self._standing += found
        return found

    async def _look(self, overdue: Overdue, now: datetime) -> list[Verdict]:
        late = await self._workspace.late(self._settings, now - self._rules.catch_up)
        running = []
        if self._longest:
            before = now - min(self._longest.values())
            running = await self._workspace.running(self._settings, sorted(self._longest), before)
        return overdue.look(late, running, now)

    async def _unsound(self, silence: Silence, now: datetime) -> list[Verdict]:
        """What was or may have been wrong in a silence, besides runs that failed."""
        lasting = [
            *self._judge.stale(silence.ends),
            *await self._look(Overdue(self._settings), now),
        ]
        held = {verdict.id for verdict in lasting}
        return [
            *lasting,
            *await self._anomalies(silence.starts),
            *(verdict for verdict in self._standing if verdict.id in held),
        ]

    async def loads(self, events: Iterable[Event]) -> list[Verdict]:
        """What follows from loads of which flows have told."""
        return self._new(await self._of_loads(events))

    async def missed_loads(self) -> list[Verdict]:
        """The same, of loads that were told of while nobody listened."""
        return self._new(await self._anomalies(self._since))

    async def _anomalies(self, since: datetime) -> list[Verdict]:
        if not any(p.least_rows or p.drop_below for p in self._settings.pipelines):
            return []
        return await self._of_loads(await self._workspace.load_events(self._settings, since))

    async def _of_loads(self, events: Iterable[Event]) -> list[Verdict]:
        loads = [load for event in events if (load := _read(event))]
        return [verdict for load in loads for verdict in await self._judged(load)]

    async def _judged(self, load: Load) -> Iterable[Verdict]:
        if not expects_rows(load, self._settings):
            return ()
        recent = await self._workspace.recent_loads(self._settings, load)
        return of_load(load, recent, self._settings)

    async def _day(self, since: datetime, until: datetime) -> Verdict:
        completed, failed = await self._workspace.counts_between(self._settings, since, until)
        names = (self._judge.name_of(self._judge.key_of(each)) for each in self._judge.failing())
        silenced = (
            f"{', '.join(each.pipelines) or 'all pipelines'} until {readable(each.ends)}"
            for each in self._judge.silences.running(until)
        )
        day = Day(since, until, completed, failed, sorted(names), list(silenced))
        return day_over(day, self._settings)

    def _new(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        return list(self._not_told(verdicts))

    def _not_told(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        for verdict in verdicts:
            if verdict.at >= self._since and verdict.id not in self._told:
                yield verdict


def _read(event: Event) -> Load | None:
    load = load_of(event)
    if load is None and event["event"] == LOAD_EVENT:
        log.warning("ignored the event %s, which is no report of a load", event["id"])
    return load
