"""All that is seen of a stack at one time. Pure: no I/O, no clock."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from alerting.doctor.findings import Finding, Verdict
from alerting.drills.report import DrillReport
from alerting.observing.announcements import Announcement
from alerting.observing.figures import Figures
from alerting.observing.health import Channel
from alerting.observing.notifications import Notification
from alerting.observing.pipelines import Condition, Pipeline
from alerting.observing.silences import Silence


@dataclass(frozen=True)
class Progress:
    """How far the runs of the last 30 days have been read."""

    known_since: datetime
    """All ends since then are known."""
    wanted_since: datetime

    @property
    def is_complete(self) -> bool:
        """Whether every figure is what it will be."""
        return self.known_since <= self.wanted_since

    def share(self, now: datetime) -> float:
        """How much of the time up to `now` has been read, from 0 to 1."""
        return min((now - self.known_since) / (now - self.wanted_since), 1.0)


@dataclass(frozen=True)
class Overview:
    """A stack's pipelines and its alerting."""

    stack: str
    at: datetime
    """When Prefect was asked."""
    ui_url: str
    pipelines: tuple[Pipeline, ...]
    """The most urgent first."""
    all_down_since: datetime | None
    health: tuple[Finding, ...]
    channels: tuple[Channel, ...]
    drill: DrillReport | None
    silences: tuple[Silence, ...]
    notifications: tuple[Notification, ...]
    """Messages of the last 30 days that Prefect still knows of, the newest first."""
    announcements: tuple[Announcement, ...]
    progress: Progress
    requests: int
    """Questions that Prefect was asked for this."""

    @property
    def impaired(self) -> bool:
        """Whether something is wrong with the alerting itself."""
        return any(finding.verdict is Verdict.WRONG for finding in self.health)

    @property
    def attention(self) -> int:
        """Pipelines that somebody should look at."""
        return sum(pipeline.condition.needs_attention for pipeline in self.pipelines)

    @property
    def by_condition(self) -> Mapping[Condition, int]:
        """How many pipelines are in each condition that any is in, the most urgent first."""
        counts = Counter(pipeline.condition for pipeline in self.pipelines)
        return {condition: counts[condition] for condition in Condition if counts[condition]}

    @property
    def owners(self) -> Sequence[str]:
        """Those who answer for a pipeline."""
        return sorted({pipeline.owner for pipeline in self.pipelines})

    def run_url(self, run_id: object) -> str:
        """A run's page in Prefect."""
        return f"{self.ui_url}/runs/flow-run/{run_id}"

    def document(self) -> dict[str, Any]:
        """The overview for programs."""
        return {
            "stack": self.stack,
            "at": self.at.isoformat(),
            "impaired": self.impaired,
            "attention": self.attention,
            "allDownSince": _text(self.all_down_since),
            "knownSince": self.progress.known_since.isoformat(),
            "complete": self.progress.is_complete,
            "requests": self.requests,
            "pipelines": [self._pipeline(pipeline) for pipeline in self.pipelines],
            "health": [
                {
                    "check": finding.check,
                    "verdict": finding.verdict.value,
                    "text": finding.text,
                    "remedy": finding.remedy,
                }
                for finding in self.health
            ],
            "channels": [
                {
                    "channel": channel.name,
                    "delivered": _text(channel.last.at if channel.last else None),
                    "problem": channel.failed.problem if channel.failed else None,
                }
                for channel in self.channels
            ],
            "drill": self.drill.document() if self.drill else None,
            "silences": [silence_document(silence) for silence in self.silences],
        }

    def _pipeline(self, pipeline: Pipeline) -> dict[str, Any]:
        last, incident = pipeline.last, pipeline.incident
        return {
            "pipeline": pipeline.name,
            "flow": pipeline.flow,
            "deployment": pipeline.deployment,
            "owner": pipeline.owner,
            "runbook": pipeline.runbook,
            "listed": pipeline.listed,
            "condition": pipeline.condition.value,
            "running": pipeline.running,
            "state": last.state if last else None,
            "lastEnd": _text(last.ended if last else None),
            "run": self.run_url(last.run_id) if last else None,
            "error": last.error if last else None,
            "streak": pipeline.streak,
            "streakIsLeast": pipeline.streak_is_least,
            "lastSuccess": _text(pipeline.last_success),
            "boundSeconds": _seconds(pipeline.bound),
            "figures": [_figures(figures) for figures in pipeline.figures],
            "days": [list(day) for day in pipeline.days],
            "incident": {
                "since": incident.since.isoformat(),
                "failures": incident.failures,
                "gravest": incident.gravest.value,
                "step": incident.step,
            }
            if incident
            else None,
            "silencedUntil": _text(pipeline.silenced_until),
        }


def silence_document(silence: Silence) -> dict[str, Any]:
    """A silence for programs."""
    return {
        "id": str(silence.id),
        "pipelines": list(silence.pipelines),
        "starts": silence.starts.isoformat(),
        "ends": silence.ends.isoformat(),
        "reason": silence.reason,
        "author": silence.author,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        "days": figures.days,
        "counted": figures.is_counted,
        "runs": figures.runs if figures.is_counted else None,
        "failures": figures.failures if figures.is_counted else None,
        "successRate": figures.success_rate if figures.is_counted else None,
        "timed": figures.timed,
        "meanSeconds": figures.mean,
        "p95Seconds": figures.p95,
        "complete": figures.is_complete,
    }


def _text(time: datetime | None) -> str | None:
    return time.isoformat() if time else None


def _seconds(duration: timedelta | None) -> float | None:
    return duration.total_seconds() if duration else None
