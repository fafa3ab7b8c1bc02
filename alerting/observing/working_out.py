"""From what is kept in memory to pipelines as they are shown."""

import asyncio
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime

from alerting.observing.announcements import Incident
from alerting.observing.figures import (
    DAY,
    DAYS,
    WINDOWS,
    Counted,
    DayCount,
    Figures,
    PastRuns,
    days_of,
    failures_in_a_row,
    figures_of,
)
from alerting.observing.fleet import Member, Source
from alerting.observing.memory import Memory
from alerting.observing.pipelines import (
    EndedRun,
    Pipeline,
    bound_of,
    by_urgency,
    condition_of,
)
from alerting.observing.silences import Silence, silenced_until
from alerting.plan.published import PublishedSettings

SHOWN = 60
"""Last ends of a pipeline that are shown one by one."""
AT_ONCE = 20
"""Pipelines that are worked out before a request gets its turn."""
LASTS = 900.0
"""Seconds after which the days of a pipeline are counted again, though nothing is new."""


@dataclass(frozen=True)
class Seen:
    """What was asked for this time."""

    settings: PublishedSettings
    now: datetime
    known_since: datetime
    """All ends since then are known."""
    counts: Mapping[str, Counted]
    """Ends that were counted and not read, by pipeline."""
    incidents: Mapping[str, Incident]
    silences: Sequence[Silence]
    running: AbstractSet[Source]
    late: AbstractSet[Source]
    looked_at: AbstractSet[str]
    """Pipelines whose last runs are known."""


@dataclass(frozen=True)
class _Worked:
    """What follows from a pipeline's ends, and as long as which nothing changes it."""

    mark: tuple[object, ...]
    until: float
    figures: tuple[Figures, ...]
    days: tuple[DayCount, ...]
    runs: tuple[EndedRun, ...]
    streak: int
    last_success: datetime | None


class WorkingOut:
    """Works pipelines out, and those again of which something is new."""

    def __init__(self, memory: Memory) -> None:
        """Begin with nothing worked out."""
        self._memory = memory
        self._worked: dict[str, _Worked] = {}
        self.without_success: frozenset[str] = frozenset()
        """Pipelines that are failing, and of which no success is known."""
        self._sought: set[str] = set()

    async def pipelines(self, members: Sequence[Member], seen: Seen) -> tuple[Pipeline, ...]:
        """All pipelines, the most urgent first."""
        found = []
        for number, member in enumerate(members):
            found.append(self._pipeline(member, seen))
            if number % AT_ONCE == 0:
                await asyncio.sleep(0)
        failing = {p.key for p in found if p.streak and p.last_success is None}
        self.without_success = frozenset(failing - self._sought)
        return by_urgency(found)

    def sought(self, keys: AbstractSet[str]) -> None:
        """Take note that the last successes of some were looked for, found or not."""
        self._sought |= keys
        self.without_success -= keys

    def _pipeline(self, member: Member, seen: Seen) -> Pipeline:
        worked = self._up_to_date(member, seen)
        last = worked.runs[-1] if worked.runs else None
        listed, sources = member.listed, set(member.sources)
        bound = bound_of(listed) if listed else None
        return Pipeline(
            key=member.key,
            name=member.name,
            flow=member.flow,
            deployment=listed.deployment if listed else None,
            owner=listed.owner if listed else seen.settings.default_owner,
            runbook=listed.runbook if listed else None,
            listed=listed is not None,
            condition=condition_of(
                last,
                worked.last_success,
                bound,
                seen.now,
                late=not sources.isdisjoint(seen.late),
                looked_at=member.key in seen.looked_at,
            ),
            running=not sources.isdisjoint(seen.running),
            last=last,
            streak=worked.streak,
            streak_is_least=(
                bool(worked.streak)
                and worked.last_success is None
                and member.key not in self._sought
            ),
            last_success=worked.last_success,
            bound=bound,
            figures=worked.figures,
            days=worked.days,
            incident=seen.incidents.get(member.key),
            silenced_until=silenced_until(seen.silences, member.name, seen.now),
            runs=worked.runs,
        )

    def _up_to_date(self, member: Member, seen: Seen) -> _Worked:
        now, known_since = seen.now.timestamp(), seen.known_since.timestamp()
        counted = seen.counts.get(member.key)
        is_partial = known_since > now - DAYS * DAY
        mark = (self._memory.changes(member.sources), counted, is_partial and known_since)
        worked = self._worked.get(member.key)
        if worked is None or worked.mark != mark or worked.until <= now:
            worked = self._work_out(member, now, known_since, counted, mark)
            self._worked[member.key] = worked
        return worked

    def _work_out(
        self,
        member: Member,
        now: float,
        known_since: float,
        counted: Counted | None,
        mark: tuple[object, ...],
    ) -> _Worked:
        runs = self._memory.ends(member.sources, now - DAYS * DAY)
        last = self._memory.last_ends(member.sources, SHOWN)
        success = self._memory.last_success(member.sources)
        is_known = known_since <= now - DAYS * DAY
        unknown = counted.days if counted else ()
        days = days_of(runs, now) if is_known else unknown
        # Whichever reaches further back.
        outcomes = runs.failed if len(runs.failed) > len(last) else [run.failed for run in last]
        return _Worked(
            mark=mark,
            until=min(_leaves(runs, window, now) for window in WINDOWS),
            figures=tuple(
                figures_of(runs, window, now, known_since=known_since, counted=counted)
                for window in WINDOWS
            ),
            days=days,
            runs=tuple(last),
            streak=failures_in_a_row(outcomes),
            last_success=datetime.fromtimestamp(success, UTC) if success else None,
        )


def _leaves(runs: PastRuns, days: int, now: float) -> float:
    """When the oldest run of a window leaves it, or the days are to be counted again."""
    first = runs.first_since(now - days * DAY)
    leaves = runs.ended[first] + days * DAY if first < len(runs.ended) else now + LASTS
    return min(leaves, now + LASTS)
