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
    clock: datetime
    """Since when it has been failing without a success between: escalation counts from there."""
    counted: tuple[datetime, ...]
    """Those failures that count towards the next streak."""
    streaks: int
    """Streaks reached so far."""
    escalated: bool = False
    """Whether an escalation step was due before it last seemed over."""
    seemed_over: str = ""
    """State id of the last success in it, which did not last; empty where there was none."""
    earlier: int = 0
    """Failures before that success."""
    heard: bool = False
    """Whether it had a failure, or an escalation step, outside of silences."""

    @property
    def in_a_row(self) -> int:
        """Failures without a success between."""
        return self.failures - self.earlier


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
    """The keys of all pipelines that it is about, where it is about several."""
    facts: tuple[tuple[str, str], ...] = ()
    """What else there is to say, as lines with a label."""
    members: tuple["Verdict", ...] = ()
    """The verdicts that are told as one; the first of them gives it its id."""
    held: tuple[UUID, ...] = ()
    """The ids of those that a silence kept back, and that it sums up."""

    @property
    def tells_of(self) -> tuple["Verdict", ...]:
        """Its members, or where it is no list, itself."""
        return self.members or (self,)


def verdict_id(scope: str, kind: VerdictKind, *about: str) -> UUID:
    """An id that any sentinel of the scope gives a verdict about the same."""
    return uuid5(_NAMESPACE, "\x1f".join((scope, kind.value, *about)))
