"""What the sentinel looks at besides runs that end: silences, days, loads, overdue runs."""

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event
from alerting.sentinel.judging import Judge, rules_of
from alerting.sentinel.overdue import Overdue
from alerting.sentinel.standing import still_to_tell
from alerting.sentinel.summaries import Day, day_over, silence_over
from alerting.sentinel.texts import readable
from alerting.sentinel.told_loads import ToldLoads
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import Progress, Workspace, nothing

_HEARD_WITHIN = timedelta(minutes=3)
"""Silences are read anew at each heartbeat at least."""
_MOMENT = timedelta(microseconds=1)


class Rounds:
    """Finds each verdict once, from a time on."""

    def __init__(
        self,
        workspace: Workspace,
        settings: PublishedSettings,
        judge: Judge,
        since: datetime,
        told: AbstractSet[UUID],
        progress: Progress = nothing,
    ) -> None:
        """`told` are the ids of verdicts that others have announced since then.

        `progress` is awaited while something long is read, such as what happened in a silence.
        """
        self._workspace = workspace
        self._settings = settings
        self._rules = rules_of(settings)
        self._judge = judge
        self._since = since
        self._told = told
        self._progress = progress
        self._loads = ToldLoads(workspace, settings)
        self._until = since
        self._over: dict[str, datetime] = {}
        self._overdue = Overdue(settings)
        self._standing: list[Verdict] = []
        """What was so before, as of when it was found: maybe in a silence."""
        self._longest = {p.flow: p.max_duration for p in settings.pipelines if p.max_duration}

    async def over(self, now: datetime) -> list[Verdict]:
        """The silences, and the days, that are over by now."""
        after, self._until = self._until, max(self._until, now)
        # One that somebody ends is over a moment before it is heard of.
        over = {
            silence.id: silence
            for silence in self._judge.silences.over_between(after - _HEARD_WITHIN, now)
            if silence.id not in self._over and silence.ends >= self._since
        }
        self._over |= {each: silence.ends for each, silence in over.items()}
        found = await self._of_silences(list(over.values()), now)
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

    async def _of_silences(self, over: Sequence[Silence], now: datetime) -> list[Verdict]:
        """What happened in silences. Those that end together are read about together."""
        if not over:
            return []
        overdue = await self._look(Overdue(self._settings), now)
        found: list[Verdict] = []
        # A long one of few pipelines must not make all of a short one be read since it began.
        for together in ([s for s in over if s.pipelines], [s for s in over if not s.pipelines]):
            if not together:
                continue
            since = min(silence.starts for silence in together)
            names = {name for silence in together for name in silence.pipelines}
            until = max(silence.ends for silence in together)
            ends = await self._workspace.failed_since(
                self._settings, (since, until), self._flows_of(names), self._progress
            )
            loads = await self._loads.every(since, names, self._progress)
            for silence in together:
                lasting = [*self._judge.stale(silence.ends), *overdue]
                held = {verdict.id for verdict in lasting}
                standing = (verdict for verdict in self._standing if verdict.id in held)
                unsound = [*lasting, *loads, *standing]
                if verdict := silence_over(silence, ends, self._settings, unsound):
                    found.append(verdict)
        return found

    def _flows_of(self, names: AbstractSet[str]) -> list[str]:
        """The flows of pipelines as silences name them."""
        listed = {pipeline.name: pipeline.flow for pipeline in self._settings.pipelines}
        return sorted({listed.get(name, name) for name in names})

    async def loads(self, events: Iterable[Event]) -> list[Verdict]:
        """What follows from loads of which flows have told."""
        return self._new(await self._loads.heard(events))

    async def missed_loads(self) -> list[Verdict]:
        """The same, of loads that were told of while nobody listened."""
        return self._new(await self._loads.missed(self._since, self._progress))

    async def lost_loads(self, since: datetime) -> list[Verdict]:
        """The same, of loads since then of which the stream did not tell."""
        return self._new(await self._loads.lost(since))

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
