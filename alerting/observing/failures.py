"""Failures, each with who was told of it. Pure: no I/O, no clock."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from alerting.failures import FailedRun
from alerting.observing.event_reading import Told
from alerting.observing.notifications import Notification
from alerting.sentinel.texts import shortened


@dataclass(frozen=True)
class Failure:
    """A run that failed or crashed."""

    run: FailedRun
    pipeline: str
    owner: str
    runbook: str | None
    url: str
    """The run's page in Prefect."""
    told: tuple[Notification, ...]
    """What was sent about it, the oldest first."""

    @property
    def error(self) -> str:
        """What it says, shortened and without secrets, in one line."""
        return " ".join(shortened(self.run.message).split())

    def document(self) -> dict[str, Any]:
        """The failure for programs."""
        return {
            "pipeline": self.pipeline,
            "flow": self.run.flow,
            "deployment": self.run.deployment,
            "run": self.run.name,
            "runId": str(self.run.run_id),
            "state": self.run.state,
            "time": self.run.time.isoformat(),
            "error": self.error,
            "url": self.url,
            "owner": self.owner,
            "runbook": self.runbook,
            "told": [
                {
                    "channel": each.channel,
                    "tier": each.tier.value,
                    "at": each.at.isoformat(),
                    "problem": each.problem,
                }
                for each in self.told
            ],
        }


def failures_of(
    failed: Iterable[FailedRun], told: Told, pipeline: str | None = None
) -> list[Failure]:
    """Failures, in the order in which they come; of one pipeline, by its name or flow."""
    settings = told.settings
    about: defaultdict[UUID | None, list[Notification]] = defaultdict(list)
    for notification in reversed(told.notifications):
        about[notification.run_id].append(notification)
    found = []
    for run in failed:
        listed = settings.pipeline_of(run.flow, run.deployment)
        name = listed.name if listed else run.flow
        if pipeline in (None, name, run.flow):
            found.append(
                Failure(
                    run=run,
                    pipeline=name,
                    owner=listed.owner if listed else settings.default_owner,
                    runbook=listed.runbook if listed else None,
                    url=f"{settings.ui_url}/runs/flow-run/{run.run_id}",
                    told=tuple(about[run.run_id]),
                )
            )
    return found
