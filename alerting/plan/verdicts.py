"""The events by which the sentinel announces its verdicts: their names and labels.

The stack's automations match these labels and nothing else, so what a verdict is about stays in
its payload, which triggers cannot read and templates can.
"""

from enum import StrEnum


class VerdictKind(StrEnum):
    """What the sentinel can find."""

    FAILURE = "failure"
    """A run failed or crashed."""
    STREAK = "streak"
    """A pipeline failed `consecutiveFailures` times in a row, or a further multiple of it."""
    ESCALATION = "escalation"
    """A pipeline has not succeeded for the time of an escalation step since its first failure."""
    RECOVERY = "recovery"
    """The first success after a failure."""
    ALL_DOWN = "all-down"
    """The last run of every listed pipeline has failed."""
    NOT_ALL_DOWN = "not-all-down"
    """One of them has succeeded since."""
    RESOLVED = "resolved"
    """What somebody was paged for is over."""
    SUCCESS = "success"
    """A pipeline whose completions are announced has completed."""
    STALE = "stale"
    """A pipeline has not succeeded in time."""
    FRESH = "fresh"
    """A pipeline that was stale has succeeded."""
    ANOMALY = "anomaly"
    """A load brought too few rows."""
    LATE = "late"
    """A run did not start in time."""
    STUCK = "stuck"
    """A run takes longer than it may."""
    SILENCE_OVER = "silence-over"
    """A silence in which something happened has ended."""
    SUMMARY = "summary"
    """A day is over."""

    @property
    def event(self) -> str:
        """The name of the event that announces it."""
        return f"{EVENT_PREFIX}{self.value}"


ABOUT_RUNS = frozenset(
    {
        VerdictKind.FAILURE,
        VerdictKind.STREAK,
        VerdictKind.ESCALATION,
        VerdictKind.RECOVERY,
        VerdictKind.SUCCESS,
    }
)
"""Kinds that are about the end of one pipeline's run, and so tell of it."""

OVERDUE = frozenset({VerdictKind.LATE, VerdictKind.STUCK})
"""Kinds about a run that has not started or not ended: the pipeline's next success ends them."""

EVENT_PREFIX = "data-alerts."
HEARTBEAT_EVENT = f"{EVENT_PREFIX}heartbeat"

SCOPE_LABEL = "data-alerts.scope"
"""Which stack an event belongs to: stacks may share a workspace."""
STEP_LABEL = "data-alerts.step"
"""Which escalation step is due, by its time, such as 15m."""
ROUTE_LABEL = "data-alerts.route"
"""Whose channels an event is for: an owner with channels of its own, or everybody else's."""
DEFAULT_ROUTE = "default"
TOGETHER_LABEL = "data-alerts.together"
"""Whether an event tells of several verdicts in one list."""
STANDBY_LABEL = "data-alerts.standby"
"""On a heartbeat: whether the standby automations are paused or resumed."""
PAUSED, RESUMED = "paused", "resumed"
SETTINGS_LABEL = "data-alerts.settings"
"""On a heartbeat: digest of the settings that the sentinel follows."""


def sentinel_resource(scope: str) -> str:
    """Resource id of a stack's sentinel."""
    return f"data-alerts.sentinel.{scope}"
