"""What the sentinel finds, each with an id that follows from what it is about."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended

_NAMESPACE = UUID("6d0e9c1c-5a43-5d8e-9f0e-2f3a3b6f7c11")


@dataclass(frozen=True, slots=True)
class Outage:
    """A pipeline's failures since its last success."""

    anchor: str
    """What tells one outage of a pipeline from another: the state id of the success before it, or
    of its first failure where there was none."""
    first: Ended
    latest: Ended
    failures: int
    counted: tuple[datetime, ...]
    """Those failures that count towards the next streak."""
    streaks: int
    """Streaks reached so far."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that people are to be told, once.

    Two sentinels, or one before and after a restart, give the same verdict the same id.
    """

    kind: VerdictKind
    id: UUID
    at: datetime
    """When it became true, which may be earlier than it was found."""
    ended: Ended
    """The run it is about: the latest of an outage, or the one that ended it."""
    outage: Outage | None = None
    step: str | None = None
    """The escalation step's time."""
    pipelines: tuple[str, ...] = ()
    """The pipelines that are down, where all are."""


def verdict_id(scope: str, kind: VerdictKind, *about: str) -> UUID:
    """An id that any sentinel of the scope gives a verdict about the same."""
    return uuid5(_NAMESPACE, "\x1f".join((scope, kind.value, *about)))
