"""Random histories of hourly flows: what fails, for how long, and how it comes to an end."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from alerting.scenarios.run_events import STATE_TYPES, RunEvent
from sandbox.fleet import TAG, flow_name

START = datetime(2026, 3, 2, tzinfo=UTC)
EVERY = timedelta(hours=1)
WAYS_TO_FAIL = ("Failed", "Failed", "Failed", "Crashed", "TimedOut", "BadData")
"""The last is a failed state with a name of its own, which a flow may return."""


@dataclass(frozen=True)
class Extent:
    """How much is played."""

    flows: int = 20
    days: int = 14

    @property
    def hours(self) -> int:
        """Hourly runs of each flow."""
        return self.days * 24

    @property
    def runs(self) -> int:
        """All flows' runs."""
        return self.flows * self.hours


@dataclass(frozen=True)
class Chances:
    """How likely it is, for each run unless said otherwise."""

    outage: float = 0.01
    outage_of_all: float = 0.012
    """In each hour, of what all flows share: network, credentials, a warehouse."""
    longest_outage: int = 14
    longest_outage_of_all: int = 5
    """Hours. Every length up to it is as likely, from 1 on, and from 2 on for all."""
    failure: float = 0.02
    """Outside outages."""
    success: float = 0.02
    """In an outage of its own."""
    cancelled: float = 0.02
    retried: float = 0.1
    slow: float = 0.06
    """So slow that the flow's next runs end first."""


CHANCES = Chances()


def random_history(seed: int, extent: Extent, chances: Chances = CHANCES) -> list[RunEvent]:
    """The states that every run came into, by time. The same for the same seed."""
    rng = Random(seed)  # noqa: S311 - a history, not a secret
    shared = _down_hours(rng, extent, chances.outage_of_all, 2, chances.longest_outage_of_all)
    events = [
        event
        for index in range(extent.flows)
        for event in _events_of(rng, flow_name(index), shared, extent, chances)
    ]
    return sorted(events, key=lambda event: (event.at, str(event.state_id)))


def _events_of(
    rng: Random, flow: str, shared: set[int], extent: Extent, chances: Chances
) -> Iterator[RunEvent]:
    own = _down_hours(rng, extent, chances.outage, 1, chances.longest_outage)
    offset = timedelta(minutes=rng.uniform(0, 20))
    for hour in range(extent.hours):
        chance = 1 - chances.success if hour in own else chances.failure
        fails = rng.random() < chance or hour in shared
        run = _RandomRun(f"{flow}-{hour}", flow, START + hour * EVERY + offset, fails)
        yield from run.events(rng, chances)


@dataclass(frozen=True)
class _RandomRun:
    name: str
    flow: str
    started: datetime
    fails: bool

    def events(self, rng: Random, chances: Chances) -> Iterator[RunEvent]:
        minutes = rng.uniform(60, 170) if rng.random() < chances.slow else rng.uniform(0.05, 30)
        duration = timedelta(minutes=minutes)
        if rng.random() < chances.retried:
            yield self._event("AwaitingRetry", rng.random() * duration)
        state = rng.choice(WAYS_TO_FAIL) if self.fails else "Completed"
        if rng.random() < chances.cancelled:
            state = "Cancelled"
        yield self._event(state, duration)

    def _event(self, state: str, after: timedelta) -> RunEvent:
        return RunEvent(
            self.flow,
            state,
            self.started + after,
            self.name,
            message=None if state == "Completed" else "connection refused",
            state_type=STATE_TYPES.get(state, "FAILED"),
            tags=(TAG,),
        )


def _down_hours(
    rng: Random, extent: Extent, chance: float, shortest: int, longest: int
) -> set[int]:
    """The hours of which runs fail."""
    starts = [hour for hour in range(extent.hours) if rng.random() < chance]
    return {
        hour for start in starts for hour in range(start, start + rng.randint(shortest, longest))
    }
