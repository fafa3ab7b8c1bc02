"""Runs that have not ended, in virtual time; the service asks the API for them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import run_in_state
from alerting.sentinel.history import Ended
from alerting.sentinel.overdue import Overdue
from alerting.sentinel.verdicts import Verdict

Event = Mapping[str, Any]


class OpenRuns:
    """Follows runs by their states."""

    def __init__(self, settings: PublishedSettings) -> None:
        """Begin with none."""
        self._settings = settings
        self._overdue = Overdue(settings)
        self._runs: dict[UUID, Ended] = {}

    def note(self, event: Event) -> None:
        """A run may have come into another state."""
        run = run_in_state(event, self._settings.tag)
        if run is None:
            return
        if run.state in {"Late", "Running"}:
            self._runs[run.run_id] = run
        else:
            self._runs.pop(run.run_id, None)

    def overdue(self, now: datetime) -> list[Verdict]:
        """The verdicts on runs that were not overdue before."""
        return self._look(self._overdue, now)

    def all_overdue(self, now: datetime) -> list[Verdict]:
        """The verdicts on all runs that are overdue."""
        return self._look(Overdue(self._settings), now)

    def _look(self, overdue: Overdue, now: datetime) -> list[Verdict]:
        late = [(run, run.at) for run in self._runs.values() if run.state == "Late"]
        running = [run for run in self._runs.values() if run.state == "Running"]
        return overdue.look(late, running, now)

    def next_due(self, now: datetime) -> datetime | None:
        """When a run will next be overdue."""
        times = list[datetime]()
        for run in self._runs.values():
            pipeline = self._settings.pipeline_of(run.flow, run.deployment)
            if run.state == "Running" and pipeline and pipeline.max_duration:
                times.append(run.at + pipeline.max_duration)
        return min((time for time in times if time > now), default=None)
