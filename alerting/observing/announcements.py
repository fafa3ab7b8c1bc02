"""What the sentinel announced, and the incidents that are open by it. Pure: no I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.verdicts import STEP_LABEL, VerdictKind
from alerting.sentinel.events import Event

_KINDS = {kind.event: kind for kind in VerdictKind}
_GRAVITY = (VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.ESCALATION)


@dataclass(frozen=True)
class Announcement:
    """A verdict, as the sentinel announced it."""

    id: str
    kind: VerdictKind
    key: str
    """What tells the pipeline from others, as the sentinel has it."""
    pipeline: str
    """The pipeline's name."""
    ended: datetime
    """When the run ended that it is about."""
    announced: datetime
    run_id: UUID
    run: str
    failures: int
    """Failures of the outage by then."""
    first: datetime
    """When the outage's first failure ended."""
    step: str | None = None
    """The escalation step's time."""

    @property
    def true_since(self) -> datetime:
        """When people could have been told: at the run's end, or when the step was due."""
        return self.announced if self.kind is VerdictKind.ESCALATION else self.ended


@dataclass(frozen=True)
class Incident:
    """An outage of a pipeline that has not ended."""

    key: str
    pipeline: str
    since: datetime
    """When its first failure ended."""
    failures: int
    gravest: VerdictKind
    """What people were told of at most."""
    step: str | None
    """The last escalation step."""


def announcements_of(event: Event) -> list[Announcement]:
    """What an event announces: one verdict, or those of a list; none of what is not understood."""
    kind = _KINDS.get(event["event"])
    if kind is None:
        return []
    try:
        payload = event["payload"]
        runs = payload.get("members") or [payload]
        return [_announcement(event, kind, run) for run in runs]
    except (AttributeError, KeyError, TypeError, ValueError):  # of another version
        return []


def _announcement(event: Event, kind: VerdictKind, run: Mapping[str, Any]) -> Announcement:
    ended = datetime.fromisoformat(run["at"])
    return Announcement(
        id=str(run.get("verdict", event["id"])),
        kind=kind,
        key=run["key"],
        pipeline=run["pipeline"],
        ended=ended,
        announced=datetime.fromisoformat(event["occurred"]),
        run_id=UUID(run["run_id"]),
        run=run["run"],
        failures=run.get("failures", 0),
        first=datetime.fromisoformat(run["first"]) if "first" in run else ended,
        step=event["resource"].get(STEP_LABEL),
    )


def open_incidents(announcements: Iterable[Announcement]) -> Mapping[str, Incident]:
    """The outages that have not ended, by the pipelines' keys."""
    found: dict[str, Incident] = {}
    for each in sorted(announcements, key=lambda each: (each.ended, each.announced)):
        if each.kind is VerdictKind.RECOVERY:
            found.pop(each.key, None)
        elif each.kind in _GRAVITY:
            found[each.key] = _continued(found.get(each.key), each)
    return found


def all_are_down(announcements: Iterable[Announcement]) -> datetime | None:
    """Since when all listed pipelines are down; None when they are not."""
    last: Announcement | None = None
    for each in announcements:
        about_all = each.kind in (VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN)
        if about_all and (last is None or each.ended >= last.ended):
            last = each
    return last.ended if last and last.kind is VerdictKind.ALL_DOWN else None


def _continued(known: Incident | None, each: Announcement) -> Incident:
    gravest = max(known.gravest if known else each.kind, each.kind, key=_GRAVITY.index)
    return Incident(
        key=each.key,
        pipeline=each.pipeline,
        since=min(known.since, each.first) if known else each.first,
        failures=max(known.failures if known else 0, each.failures),
        gravest=gravest,
        step=each.step or (known.step if known else None),
    )
