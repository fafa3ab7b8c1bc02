"""Compares the pages that were sent with those that were due. Pure."""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from alerting.plan import Tier
from sandbox.truth.due import ALL, Due, Outage

IN_TIME = timedelta(seconds=10)
TIERS = (Tier.WARNING, Tier.CRITICAL, Tier.P1, Tier.ESCALATION, Tier.RECOVERY)


@dataclass(frozen=True)
class Sent:
    """A page as a rule set sent it."""

    tier: Tier
    pipeline: str
    """`ALL` where it says that all are down."""
    at: datetime
    run: UUID | None
    step: str | None = None


@dataclass(frozen=True)
class Tally:
    """How a rule set did in one tier."""

    due: int = 0
    right: int = 0
    """Sent for the run that made it due (an escalation: for the outage), within 10 seconds."""
    late: int = 0
    missed: int = 0
    false: int = 0
    """Sent and not due, or a second time."""
    unpaged: int = 0
    """Outages with pages due in this tier, in all of which the tier sent none, right or wrong."""

    @property
    def is_exact(self) -> bool:
        """Whether what was due was sent in time, once, and nothing else."""
        return self.right == self.due and self.false == 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.due + other.due,
            self.right + other.right,
            self.late + other.late,
            self.missed + other.missed,
            self.false + other.false,
            self.unpaged + other.unpaged,
        )


def compare(due: Sequence[Due], sent: Sequence[Sent]) -> dict[Tier, Tally]:
    """How what was sent meets what was due, tier by tier."""
    return {
        tier: _tally(
            [page for page in due if page.tier is tier],
            [page for page in sent if page.tier is tier],
        )
        for tier in TIERS
    }


def _tally(due: Sequence[Due], sent: Sequence[Sent]) -> Tally:
    about: defaultdict[Hashable, list[Sent]] = defaultdict(list)
    for page in sorted(sent, key=lambda page: page.at):
        about[page.pipeline, page.step or page.run].append(page)
    right = late = 0
    for wanted in due:
        found = _first_that_meets(wanted, about[wanted.outage.pipeline, wanted.step or wanted.run])
        if found:
            in_time = found.at - wanted.at <= IN_TIME
            right, late = right + in_time, late + (not in_time)
    met = right + late
    return Tally(len(due), right, late, len(due) - met, len(sent) - met, _unpaged(due, sent))


def _first_that_meets(wanted: Due, sent: Iterable[Sent]) -> Sent | None:
    """The first of these pages that was sent when it was due, or while it still mattered."""
    until = None if wanted.step is None else wanted.outage.end
    if until is not None:
        until = max(until, wanted.at + IN_TIME)
    pages = (page for page in sent if page.at >= wanted.at and (not until or page.at <= until))
    return next(pages, None)


def _unpaged(due: Iterable[Due], sent: Sequence[Sent]) -> int:
    """Outages during which nobody was told anything in this tier."""
    outages = {page.outage for page in due}
    return sum(not any(_is_during(page, outage) for page in sent) for outage in outages)


def _is_during(page: Sent, outage: Outage) -> bool:
    if outage.pipeline not in (ALL, page.pipeline) or page.at < outage.start:
        return False
    return outage.end is None or page.at <= outage.end + IN_TIME
