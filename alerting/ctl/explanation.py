"""What `alertctl explain` is asked, and what it finds."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from alerting.plan import AutomationRule, Plan
from alerting.plan.published import PublishedPipeline

if TYPE_CHECKING:
    from alerting.scenarios.told import Told

BETWEEN = timedelta(minutes=1)
"""From one run's end to the next one's."""


@dataclass(frozen=True)
class Asked:
    """Runs of a flow that come into a state, one after another."""

    flow: str
    state: str
    times: int = 1
    deployment: str | None = None
    message: str | None = None


@dataclass(frozen=True)
class Firing:
    """A rule tells its channels."""

    rule: AutomationRule
    told: "Told"
    verdict: str | None
    """The sentinel's announcement that it acts on; None when it acts on the run's own event."""


@dataclass(frozen=True)
class Reading:
    """How one rule takes the event."""

    rule: AutomationRule
    acts: bool
    why: str


@dataclass(frozen=True)
class Explanation:
    """All that follows."""

    plan: Plan
    asked: Asked
    event: str
    pipeline: PublishedPipeline | None
    """The listed pipeline that the runs belong to."""
    now: tuple[Firing, ...]
    later: tuple[Firing, ...]
    """What follows if no further run ends."""
    readings: tuple[Reading, ...]

    @property
    def channels(self) -> frozenset[str]:
        """Who is told of the runs, at once."""
        return frozenset(channel for firing in self.now for channel in firing.told.channels)
