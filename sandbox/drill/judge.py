"""Compares what arrived with what should have. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from alerting.plan import Tier
from sandbox.capture.messages import CapturedMessage
from sandbox.drill.scenarios import Expected, Scenario

CLOCKS_DIFFER_SECONDS = 0.5


@dataclass(frozen=True)
class Played:
    """A scenario after it ran, with the time at which each of its runs ended."""

    scenario: Scenario
    ended: tuple[datetime, ...]

    def due(self, expected: Expected) -> datetime:
        """When a notification may be sent at the earliest."""
        return self.ended[expected.run] + expected.due


@dataclass(frozen=True)
class Judgement:
    """One expected notification and the message that met it, if one did."""

    scenario: str
    expected: Expected
    due: datetime
    message: CapturedMessage | None

    @property
    def arrived(self) -> bool:
        """Whether it came, and not before it was due."""
        return self.seconds is not None and self.seconds > -CLOCKS_DIFFER_SECONDS

    @property
    def seconds(self) -> float | None:
        """Time from when it was due, which is when the run ended, to its arrival."""
        if self.message is None:
            return None
        return (self.message.received_at - self.due) / timedelta(seconds=1)


@dataclass(frozen=True)
class Verdict:
    """What a drill found."""

    played: tuple[Played, ...]
    judgements: tuple[Judgement, ...]
    unexpected: tuple[CapturedMessage, ...]

    @property
    def passed(self) -> bool:
        """Whether every expected message arrived, none of them early, and no other."""
        return not self.unexpected and all(j.arrived for j in self.judgements)

    @property
    def median_seconds(self) -> float | None:
        """Median from the end of a run to the message, of tiers that do not wait on purpose."""
        seconds = [
            j.seconds
            for j in self.judgements
            if j.seconds is not None and j.expected.tier is not Tier.ESCALATION
        ]
        return median(seconds) if seconds else None


def is_met(expected: Expected, message: CapturedMessage) -> bool:
    """Whether a message is the expected one: accepted, in its channel, with its subject."""
    return (
        message.accepted
        and message.channel == expected.channel
        # PagerDuty's summary ends in the line break before a body that Prefect moves elsewhere.
        and message.title.strip() == expected.subject
    )


def missing(expected: Iterable[Expected], messages: Sequence[CapturedMessage]) -> list[Expected]:
    """What has not arrived yet; each message meets one expectation."""
    left = list(messages)
    return [e for e in expected if _take(left, e) is None]


def judge(played: Iterable[Played], messages: Sequence[CapturedMessage]) -> Verdict:
    """Match every message to what it was expected for, oldest first."""
    played = tuple(played)
    left = sorted(messages, key=lambda message: message.received_at)
    due = sorted(
        ((each, expected) for each in played for expected in each.scenario.expected),
        key=lambda pair: pair[0].due(pair[1]),
    )
    judgements = tuple(
        Judgement(each.scenario.name, expected, each.due(expected), _take(left, expected))
        for each, expected in due
    )
    return Verdict(played, judgements, tuple(left))


def _take(messages: list[CapturedMessage], expected: Expected) -> CapturedMessage | None:
    for index, message in enumerate(messages):
        if is_met(expected, message):
            return messages.pop(index)
    return None
