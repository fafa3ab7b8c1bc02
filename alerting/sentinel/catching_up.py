"""What is still to be told after a time away. Pure: no I/O, no clock.

While the sentinel was silent, Prefect's own triggers may have told part of it, in their way. What
they told is not told again, and what they did not see is.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event, ended_run, run_in_state
from alerting.sentinel.grouping import without
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import pipeline_key, rules_of
from alerting.sentinel.verdicts import Verdict

AUTOMATION_TRIGGERED = "prefect.automation.triggered"
_KINDS = {
    "warning": VerdictKind.FAILURE,
    "recovery": VerdictKind.RECOVERY,
    "critical": VerdictKind.STREAK,
    "escalation": VerdictKind.ESCALATION,
    "p1-all-down": VerdictKind.ALL_DOWN,
}
_LATE = "late"


@dataclass(frozen=True)
class StandbyFiring:
    """A standby automation told somebody."""

    kind: VerdictKind
    step: str | None
    at: datetime
    ended: Ended
    """The run that made it fire."""
    pipeline: str


@dataclass(frozen=True)
class Told:
    """What has been told: by sentinels, by the verdicts' ids, and by the standby automations."""

    ids: frozenset[UUID] = frozenset()
    firings: tuple[StandbyFiring, ...] = field(default=())

    def covers(self, verdict: Verdict, key: str, mended: datetime | None) -> bool:
        """Whether nobody needs to be told of a verdict about the pipeline with this key.

        `mended` is when the outage that it is about ended, None when it has not.
        """
        if verdict.id in self.ids:
            return True
        return any(
            _same(verdict, key, firing)
            for firing in self.firings
            if mended is None or firing.ended.at <= mended
        )


def missed(
    verdicts: Iterable[Verdict],
    found: Iterable[Verdict],
    since: datetime,
    told: Told,
    settings: PublishedSettings,
) -> list[Verdict]:
    """Those of the verdicts that were to be told since then and that nobody was told of.

    `found` are all that were found, which say when outages ended.
    """
    mended = {
        verdict.outage.anchor: verdict.at
        for verdict in found
        if verdict.outage and verdict.kind is VerdictKind.RECOVERY
    }

    def is_new(verdict: Verdict) -> bool:
        end = mended.get(verdict.outage.anchor) if verdict.outage else None
        return not told.covers(verdict, _key(verdict.ended, settings), end)

    return [
        new
        for verdict in verdicts
        if verdict.at >= since
        for new in without(verdict, lambda member: not is_new(member))
        if is_new(new)
    ]


def standby_firing(event: Event, settings: PublishedSettings) -> StandbyFiring | None:
    """The firing that an automation's event tells of; None when it is not one of the standby's."""
    key, triggering = _standby_rule(event, settings)
    ended = ended_run(triggering, settings.tag) if triggering else None
    if key is None or ended is None:
        return None
    kind, step = _kind_of(key)
    at = datetime.fromisoformat(event["occurred"])
    return StandbyFiring(kind, step, at, ended, _key(ended, settings))


def late_run(event: Event, settings: PublishedSettings) -> Ended | None:
    """The late run of which a firing of the standby told; None for other events."""
    key, triggering = _standby_rule(event, settings)
    return run_in_state(triggering, settings.tag) if triggering and key == _LATE else None


def _standby_rule(
    event: Event, settings: PublishedSettings
) -> tuple[str | None, Mapping[str, Any] | None]:
    """The key of the standby's rule that fired, and the event that it fired on."""
    keys = {name: key for key, name in rules_of(settings).standby.items()}
    key = keys.get(event["resource"].get("prefect.resource.name", ""))
    return key, event["payload"].get("triggering_event")


def _kind_of(key: str) -> tuple[VerdictKind, str | None]:
    """What a rule's key, such as `escalation-15m-deployments`, says of it."""
    tier, _, rest = key.partition("-")
    if key in _KINDS:
        return _KINDS[key], None
    return _KINDS[tier], rest.split("-")[0] if tier == "escalation" else None


def _same(verdict: Verdict, key: str, firing: StandbyFiring) -> bool:
    if verdict.kind is not firing.kind:
        return False
    match verdict.kind:
        case VerdictKind.FAILURE | VerdictKind.RECOVERY:
            return verdict.ended.state_id == firing.ended.state_id
        case VerdictKind.ALL_DOWN:
            return firing.at >= verdict.at
    if firing.pipeline != key or verdict.outage is None or firing.step != verdict.step:
        return False
    return verdict.outage.first.at <= firing.ended.at and firing.at >= verdict.at


def _key(ended: Ended, settings: PublishedSettings) -> str:
    return pipeline_key(ended, settings.pipeline_of(ended.flow, ended.deployment))
