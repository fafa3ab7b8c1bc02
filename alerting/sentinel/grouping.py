"""Many verdicts of one kind within a minute, told as one. Pure: no I/O, no clock.

The server sends about four messages a second, and nobody reads two hundred. The first few are told
at once; what follows within a minute is a storm, told as a list after ten seconds and then once a
minute until it is over. A verdict is in one message exactly.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid5

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.verdicts import Verdict

MINUTE = timedelta(minutes=1)
FIRST_LIST = timedelta(seconds=10)
MOST_LISTED = 500
"""Verdicts in one list: Prefect refuses an event of more than 1.5 MB."""
HEARD_WITHIN = timedelta(seconds=2)
"""By then every sentinel has heard of what happened before: their lists do not differ."""
GROUPED = frozenset(
    {
        VerdictKind.FAILURE,
        VerdictKind.STREAK,
        VerdictKind.ESCALATION,
        VerdictKind.RECOVERY,
        VerdictKind.STALE,
        VerdictKind.FRESH,
        VerdictKind.ANOMALY,
        VerdictKind.LATE,
        VerdictKind.STUCK,
        VerdictKind.SUCCESS,
    }
)


class Grouping:
    """The verdicts that one automation tells of."""

    def __init__(self, individually: int) -> None:
        """So many within a minute are told one by one."""
        self._individually = individually
        self._recent: deque[datetime] = deque()
        self._waiting: list[Verdict] = []
        self._list_at: datetime | None = None

    @property
    def next_due(self) -> datetime | None:
        """When the next list is told; None while there is no storm."""
        return self._list_at + HEARD_WITHIN if self._list_at else None

    def offer(self, verdict: Verdict) -> list[Verdict]:
        """The verdict, when it is told at once."""
        while self._recent and self._recent[0] <= verdict.at - MINUTE:
            self._recent.popleft()
        if self._list_at is None and len(self._recent) < self._individually:
            self._recent.append(verdict.at)
            return [verdict]
        self._list_at = self._list_at or verdict.at + FIRST_LIST
        self._waiting.append(verdict)
        return []

    def tick(self, now: datetime, told: AbstractSet[UUID]) -> Iterator[Verdict]:
        """The lists that are due by now, without what was told already."""
        while self._list_at and self._list_at + HEARD_WITHIN <= now:
            end = self._list_at
            listed = [each for each in self._waiting if each.at < end]
            self._waiting = [each for each in self._waiting if each.at >= end]
            if not listed and not self._waiting:
                self._list_at = None
                self._recent.clear()
                return
            self._list_at = end + MINUTE
            new = [each for each in listed if each.id not in told]
            for start in range(0, len(new), MOST_LISTED):
                yield _as_one(new[start : start + MOST_LISTED], end)


def without(verdict: Verdict, known: Callable[[Verdict], bool]) -> list[Verdict]:
    """A verdict, or if it is a list, what is left of it without those that are known."""
    if not verdict.members:
        return [verdict]
    left = [member for member in verdict.members if not known(member)]
    return [_as_one(left, verdict.at)] if left else []


def _as_one(verdicts: Sequence[Verdict], at: datetime) -> Verdict:
    """Several verdicts as a list; its id follows from the first, which is in no other list."""
    first, *others = sorted(verdicts, key=lambda each: (each.at, each.id.int))
    if not others:
        return first
    members = (first, *others)
    return replace(
        members[-1], id=uuid5(first.id, "list"), at=at, pipelines=(), outage=None, members=members
    )
