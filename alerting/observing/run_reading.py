"""Learns of a workspace's runs: the newest first, each once, and counts where there are many."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from alerting.observing.directory import Directory, among
from alerting.observing.figures import DAYS, WINDOWS, Counted, DayCount, counted_by_day
from alerting.observing.fleet import Member, fleet
from alerting.observing.memory import KeptRun, Memory
from alerting.observing.pipelines import EndedRun
from alerting.observing.prefect_reader import Filter, PrefectReader
from alerting.observing.records import Run
from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import OUTCOMES
from alerting.sentinel.prefect_runs import ENDS, FAILURES
from alerting.sentinel.texts import shortened

OVERLAP = timedelta(minutes=5)
"""How late an end may be written down by a flow whose clock is behind, and still be read."""
LATEST = 20
"""Ends of each pipeline that are read before others."""
FIRST_SPAN = timedelta(hours=1)
LONGEST_SPAN = timedelta(days=1)
FEW_PAGES, MANY_PAGES = 3, 12
WORTH_A_PAGE = 4
"""A page of all runs costs the server as much as asking for the runs of so many pipelines."""
A_FEW = 40
"""Pipelines that are asked for in one go."""
MOST_PAGES = 10
"""Pages that are looked through for a pipeline's last success."""
MANY = 200
"""Pipelines of which the days are not counted one by one: whoever looks would wait for it."""
COUNTS_LAST = timedelta(hours=1)
LONGEST_AWAY = timedelta(days=1)
"""After a longer time it is begun anew, since the newest runs matter first."""

BEGINNING = datetime.fromtimestamp(0, UTC)


class RunReading:
    """Brings a stack's runs into memory. Every method raises ConnectionProblem."""

    def __init__(self, reader: PrefectReader, memory: Memory) -> None:
        """Ask nothing yet."""
        self._reader = reader
        self._memory = memory
        self.directory = Directory(reader)
        self._span = FIRST_SPAN
        self._pages_find = True
        self._looked_at: set[str] = set()

    def members(self, settings: PublishedSettings) -> tuple[Member, ...]:
        """The pipelines that are known."""
        return fleet(settings, dict.fromkeys((*self._memory.sources, *self.directory.sources)))

    def looked_at(self, member: Member) -> bool:
        """Whether its last runs are known."""
        return member.key in self._looked_at or not set(self._memory.sources).isdisjoint(
            member.sources
        )

    async def catch_up(self, settings: PublishedSettings, now: datetime) -> None:
        """Read what ended since the last time."""
        covered = self._memory.covered
        until = _time(covered[1]) if covered else None
        if until is None or now - until > LONGEST_AWAY:
            until = now
        since = min(until - OVERLAP, now - FIRST_SPAN) if not covered else until - OVERLAP
        await self._read(settings, since, now)
        self._memory.cover(since.timestamp(), now.timestamp())

    async def more(self, settings: PublishedSettings, now: datetime) -> bool:
        """Learn a little more, what matters most first; returns whether there was more to learn.

        That is the last runs of each pipeline, the counts of its ends, and then its older runs.
        """
        missing, is_known = self._missing(settings), self.is_complete(now)
        if missing and self._pages_find and not is_known:
            await self._look_for(missing, settings, now)
        elif missing:
            few = missing[:A_FEW]
            await asyncio.gather(*(self._find(member, settings, now) for member in few))
        elif not is_known and await self._count_some(settings, now):
            pass
        elif not is_known:
            await self._further_back(settings, now)
        else:
            return False
        return True

    def knows_enough(self, settings: PublishedSettings, now: datetime) -> bool:
        """Whether the last run of every pipeline is known, and its ends are counted."""
        if self._missing(settings):
            return False
        known = self._memory.counts(_counts_since(now))
        return self.is_complete(now) or not _uncounted(self.members(settings), known)

    def is_complete(self, now: datetime) -> bool:
        """Whether all ends of the last 30 days are known."""
        covered = self._memory.covered
        return covered is not None and covered[0] <= (now - timedelta(days=DAYS)).timestamp()

    def counts(self, now: datetime) -> dict[str, Counted]:
        """What was counted of each pipeline."""
        return {} if self.is_complete(now) else self._memory.counts(_counts_since(now))

    async def find_successes(
        self, members: Iterable[Member], settings: PublishedSettings, now: datetime
    ) -> None:
        """Find the last success of pipelines that are failing for longer than is known."""
        asked = [each for m in members for each in self.directory.filters(m, settings)]
        await asyncio.gather(*(self._find_success(each, settings, now) for each in asked))

    async def _find_success(
        self, asked: Filter, settings: PublishedSettings, now: datetime
    ) -> None:
        # A few runs nearly always hold one, for a tenth of what a page costs the server.
        last = await self._reader.last(asked, LATEST, now)
        await self._keep(settings, last)
        if len(last) < LATEST or any(map(_succeeded, last)):
            return
        pages = 0
        async for page in self._reader.ended(asked, BEGINNING, now):
            await self._keep(settings, page)
            pages += 1
            if pages >= MOST_PAGES or any(map(_succeeded, page)):
                return

    async def _look_for(
        self, missing: Sequence[Member], settings: PublishedSettings, now: datetime
    ) -> None:
        """Look for pipelines among the runs of all, as long as that finds many at once."""
        pages = await self._further_back(settings, now)
        found = len(missing) - len(self._missing(settings))
        self._pages_find = found >= WORTH_A_PAGE * pages

    async def _further_back(self, settings: PublishedSettings, now: datetime) -> int:
        """Read some of what ended before what is known; returns how many pages that were."""
        covered = self._memory.covered
        since = _time(covered[0]) if covered else now
        start = max(since - self._span, now - timedelta(days=DAYS))
        pages = await self._read(settings, start, since)
        self._memory.cover(start.timestamp(), since.timestamp())
        if pages <= FEW_PAGES:
            self._span = min(self._span * 2, LONGEST_SPAN)
        elif pages > MANY_PAGES:
            self._span /= 2
        return pages

    async def _count_some(self, settings: PublishedSettings, now: datetime) -> bool:
        """Count the ends of some pipelines; returns whether there were any to be counted."""
        known = self._memory.counts(_counts_since(now))
        everything = self.members(settings)
        members = _uncounted(everything, known)[:A_FEW]
        if members:
            daily = len(everything) <= MANY
            asked = (self._count(member, settings, now, daily=daily) for member in members)
            counted = await asyncio.gather(*asked)
            known |= {m.key: c for m, c in zip(members, counted, strict=True)}
            self._memory.keep_counts(known, now.timestamp())
        return bool(members)

    async def _count(
        self, member: Member, settings: PublishedSettings, now: datetime, *, daily: bool
    ) -> Counted:
        for asked in self.directory.filters(member, settings):
            if "flows" in asked:
                return await self._count_of_flow(asked, now)
            if daily:
                return counted_by_day(await self._reader.daily(asked["flow_runs"], now))
            return Counted(await self._reader.by_windows(asked["flow_runs"], now))
        return Counted((DayCount(0, 0),) * len(WINDOWS))

    async def _count_of_flow(self, asked: Filter, now: datetime) -> Counted:
        windows = []
        for days in WINDOWS:
            after = now - timedelta(days=days)
            runs = await self._reader.count(asked, ENDS, after)
            windows.append(DayCount(runs, await self._reader.count(asked, FAILURES, after)))
        return Counted(tuple(windows))

    def _missing(self, settings: PublishedSettings) -> list[Member]:
        ran = set(self._memory.sources)
        return [
            member
            for member in self.members(settings)
            if member.key not in self._looked_at and ran.isdisjoint(member.sources)
        ]

    async def _find(self, member: Member, settings: PublishedSettings, now: datetime) -> None:
        for asked in self.directory.filters(member, settings):
            # By its flow a database finds runs only by looking through all of them, but it
            # counts them at once.
            if "flows" in asked and not await self._reader.count(asked, ENDS, BEGINNING):
                continue
            await self._keep(settings, await self._reader.last(asked, LATEST, now))
        self._looked_at.add(member.key)

    async def _read(self, settings: PublishedSettings, after: datetime, before: datetime) -> int:
        """Keep what ended in a time; returns how many pages that were."""
        pages = 0
        for asked in self.directory.ways_to_alert(settings.tag):
            async for page in self._reader.ended(asked, after, before):
                await self._keep(settings, page)
                pages += 1
        return pages

    async def _keep(self, settings: PublishedSettings, runs: Sequence[Run]) -> None:
        counting = [run for run in runs if run.counts]
        await self.directory.learn(counting)
        spoken_for = await self._spoken_for(settings, counting)
        self._memory.keep(
            KeptRun(self.directory.source_of(run), _end(run))
            for run in counting
            if run.id not in spoken_for
        )

    async def _spoken_for(self, settings: PublishedSettings, runs: Iterable[Run]) -> set[UUID]:
        """Runs of subflows that do not count, since the run that they are part of alerts."""
        parents: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for run in runs:
            source = self.directory.source_of(run)
            if run.parent_task_run_id and not settings.pipeline_of(
                source.flow, source.deployment or None
            ):
                parents[run.parent_task_run_id].append(run.id)
        if not parents:
            return set()
        tasks = await self._reader.objects("/task_runs/filter", {"task_runs": among(parents)})
        part_of: Mapping[str, str] = {t["id"]: t["flow_run_id"] for t in tasks if t["flow_run_id"]}
        asked = {"flow_runs": among(set(part_of.values()))}
        found = await self._reader.objects("/flow_runs/filter", asked) if part_of else []
        alerting = {run["id"] for run in found if settings.tag in run["tags"]}
        return {
            run
            for task, run_id in part_of.items()
            if run_id in alerting
            for run in parents[UUID(task)]
        }


def _succeeded(run: Run) -> bool:
    return run.counts and run.state is not None and not OUTCOMES[run.state.type]


def _end(run: Run) -> EndedRun:
    if run.state is None or run.end_time is None:
        raise ValueError("a run that counts has ended")
    failed = OUTCOMES[run.state.type]
    return EndedRun(
        run_id=run.id,
        state=run.state.name or run.state.type,
        started=run.start_time or run.end_time - timedelta(seconds=run.total_run_time),
        ended=run.end_time,
        failed=failed,
        name=run.name if failed else None,
        error=shortened(run.state.message or "") if failed else None,
    )


def _uncounted(members: Iterable[Member], known: Mapping[str, Counted]) -> list[Member]:
    return [member for member in members if member.sources and member.key not in known]


def _counts_since(now: datetime) -> float:
    return (now - COUNTS_LAST).timestamp()


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
