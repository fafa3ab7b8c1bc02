"""A pipeline as it is now, and how urgent it is. Pure: no I/O, no clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from alerting.observing.announcements import Incident
from alerting.observing.figures import DayCount, Figures
from alerting.plan.published import PublishedPipeline
from alerting.plan.verdicts import VerdictKind

MISSED = 2
"""So many times `every` without a success make a pipeline's data stale."""


class Condition(StrEnum):
    """How a pipeline is, the most urgent first."""

    FAILING = "failing"
    """Its last run failed."""
    STALE = "stale"
    """No success for longer than its data may be old."""
    LATE = "late"
    """A run that is due has not started."""
    UNKNOWN = "unknown"
    """Its runs have not been looked at yet."""
    NEW = "no runs"
    """It has not run within the time that is looked at."""
    HEALTHY = "healthy"

    @property
    def needs_attention(self) -> bool:
        """Whether somebody should look."""
        return self in (Condition.FAILING, Condition.STALE, Condition.LATE)


@dataclass(frozen=True)
class EndedRun:
    """The last end of a run, or one of the last."""

    run_id: UUID
    state: str
    """The state's name, such as TimedOut."""
    started: datetime
    ended: datetime
    failed: bool
    name: str | None = None
    """The run's name, kept of failures alone."""
    error: str | None = None
    """What a failure says, shortened and without secrets."""

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return (self.ended - self.started) / timedelta(seconds=1)


@dataclass(frozen=True)
class Pipeline:
    """What is known of a pipeline."""

    key: str
    """What tells it from others, as the sentinel has it."""
    name: str
    flow: str
    deployment: str | None
    owner: str
    runbook: str | None
    listed: bool
    """Whether the settings list it; others have the tag alone."""
    condition: Condition
    running: bool
    last: EndedRun | None
    """The last end that counts."""
    streak: int
    """Failures since the last success."""
    streak_is_least: bool
    """Whether there may be more of them than were looked at."""
    last_success: datetime | None
    bound: timedelta | None
    """How old its data may be, None where nothing says."""
    figures: tuple[Figures, ...]
    """By the windows, the shorter first."""
    days: tuple[DayCount, ...]
    """The ends of each of the last days, the oldest first; empty while they are not known."""
    incident: Incident | None = None
    silenced_until: datetime | None = None
    runs: tuple[EndedRun, ...] = field(default=(), repr=False)
    """The last ends, the oldest first."""

    @property
    def urgency(self) -> tuple[bool, int, int, int, str]:
        """Sorts the most urgent first: of what people are told, by what, and for how long."""
        return (
            self.silenced_until is not None,
            list(Condition).index(self.condition),
            -_grave(self.incident),
            -self.streak,
            self.name,
        )


def bound_of(pipeline: PublishedPipeline) -> timedelta | None:
    """How old a pipeline's data may be: as it says, else by its interval; else None."""
    return pipeline.fresh_within or (MISSED * pipeline.every if pipeline.every else None)


def condition_of(
    last: EndedRun | None,
    last_success: datetime | None,
    bound: timedelta | None,
    now: datetime,
    *,
    late: bool,
    looked_at: bool,
) -> Condition:
    """How a pipeline is whose last end is this. `looked_at` is whether all ends are known."""
    if last and last.failed:
        return Condition.FAILING
    if last_success and bound and now - last_success > bound:
        return Condition.STALE
    if late:
        return Condition.LATE
    if last:
        return Condition.HEALTHY
    return Condition.NEW if looked_at else Condition.UNKNOWN


def by_urgency(pipelines: Iterable[Pipeline]) -> tuple[Pipeline, ...]:
    """The most urgent first."""
    return tuple(sorted(pipelines, key=lambda pipeline: pipeline.urgency))


def chosen(
    pipelines: Sequence[Pipeline], owners: Sequence[str] = (), states: Sequence[str] = ()
) -> Sequence[Pipeline]:
    """Those with one of the owners and in one of the conditions; none named lets all through."""
    return [
        each
        for each in pipelines
        if (not owners or each.owner in owners) and (not states or each.condition in states)
    ]


def _grave(incident: Incident | None) -> int:
    order = (VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.ESCALATION)
    return order.index(incident.gravest) + 1 if incident else 0
