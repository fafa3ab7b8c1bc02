"""What became of a drill. Pure: no I/O, no clock."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Self

from alerting.drills.drill import Drill
from alerting.plan.drill_events import DrillPhase


@dataclass(frozen=True)
class Delivery:
    """A message that a drill sends to a channel."""

    channel: str
    phase: DrillPhase
    rule: str
    """The name of the automation that sends it."""
    asked: datetime
    """When the server was asked for it."""
    delivered: datetime | None = None
    """When Prefect had handed it over to Slack or PagerDuty."""
    problem: str | None = None
    """Why it was not, or that it was too late."""

    @property
    def is_pending(self) -> bool:
        """Whether nothing is known of it yet."""
        return self.delivered is None and self.problem is None

    @property
    def arrived(self) -> bool:
        """Whether it was delivered in time."""
        return self.delivered is not None and self.problem is None

    @property
    def seconds(self) -> float | None:
        """How long it took."""
        return (self.delivered - self.asked) / timedelta(seconds=1) if self.delivered else None


@dataclass(frozen=True)
class DrillReport:
    """What a drill found."""

    drill: Drill
    asked: datetime
    deliveries: tuple[Delivery, ...]
    is_over: bool
    """Whether its end was asked for, too."""

    @property
    def passed(self) -> bool:
        """Whether every message was delivered in time, its end's included."""
        return self.is_over and all(each.arrived for each in self.deliveries)

    def knows(self, phase: DrillPhase) -> bool:
        """Whether it is known of each message of a phase what became of it."""
        asked_for = self.is_over or phase is DrillPhase.BEGAN
        own = (each for each in self.deliveries if each.phase is phase)
        return asked_for and not any(each.is_pending for each in own)

    def explained(self, why: Callable[[Delivery], str]) -> Self:
        """The same, with a problem for each delivery that nothing is known of."""
        return replace(
            self,
            deliveries=tuple(
                replace(each, problem=why(each)) if each.is_pending else each
                for each in self.deliveries
            ),
        )

    def document(self) -> dict[str, object]:
        """The report for programs."""
        return {
            "drill": str(self.drill.drill),
            "stack": self.drill.stack,
            "page": self.drill.page,
            "withinSeconds": self.drill.within.total_seconds(),
            "asked": self.asked.isoformat(),
            "passed": self.passed,
            "deliveries": [
                {
                    "channel": each.channel,
                    "phase": each.phase.value,
                    "asked": each.asked.isoformat(),
                    "delivered": each.delivered.isoformat() if each.delivered else None,
                    "seconds": each.seconds,
                    "problem": each.problem,
                }
                for each in self.deliveries
            ],
        }
