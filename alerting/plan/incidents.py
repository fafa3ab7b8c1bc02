"""What tells one incident from another, whoever opens it and whoever closes it."""

from dataclasses import dataclass

from alerting.plan.message import Incident

ALL_DOWN = "all-down"
ALERTING = "alerting"
STORM = "storm"


@dataclass(frozen=True)
class IncidentKeys:
    """Keys of one stack's incidents; stacks share a PagerDuty service without sharing incidents."""

    scope: str

    def of_pipeline(self, pipeline: str, *, over: bool = False) -> Incident:
        """A pipeline's one incident, however bad it gets. `pipeline` is its key."""
        return self.of(f"pipeline/{pipeline}", pipeline, over=over)

    def of(self, about: str, component: str | None = None, *, over: bool = False) -> Incident:
        """The incident about something of the stack."""
        key = f"data-alerts/{self.scope}/{about}"
        return Incident(key, component or about, self.scope, over)
