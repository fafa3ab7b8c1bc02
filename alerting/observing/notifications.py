"""Who was told of what, from Prefect's own events of actions. Pure: no I/O, no clock."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alerting.drills.judging import EXECUTED, FAILED
from alerting.observing.announcements import Announcement
from alerting.plan import Tier
from alerting.plan.published import PublishedRule, PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import FLOW_RUN_PREFIX, Event, ended_run
from alerting.sentinel.texts import shortened

ACTIONS = (EXECUTED, FAILED)
NOTIFIES = "send-notification"
_EVENT_PREFIX = "prefect.event."
_BLOCK_TYPE_PREFIX = "prefect.block-type."
_CAUSE_ROLE = "triggering-event"
_FIRING_ROLE = "automation-triggered-event"
_TIERS = {
    VerdictKind.FAILURE: Tier.WARNING,
    VerdictKind.STREAK: Tier.CRITICAL,
    VerdictKind.ESCALATION: Tier.ESCALATION,
    VerdictKind.RECOVERY: Tier.RECOVERY,
    VerdictKind.ALL_DOWN: Tier.P1,
}
"""Also of automations that have another name since: an escalation step of another time, say."""
_PAGING = frozenset({Tier.CRITICAL, Tier.P1, Tier.ESCALATION})


@dataclass(frozen=True)
class Notification:
    """A message to a channel, as Prefect sent it or failed to."""

    id: str
    at: datetime
    """When Prefect had handed it over, or gave up."""
    tier: Tier
    channel: str
    automation: str
    problem: str | None = None
    """Why it was not delivered, without secrets; None when it was."""
    pipeline: str | None = None
    """The pipeline's name, None of what is about no one pipeline."""
    run_id: UUID | None = None
    """The run that it is about."""
    seconds: float | None = None
    """From the failure, or whatever else it tells of, until `at`."""

    @property
    def delivered(self) -> bool:
        """Whether Prefect handed it over."""
        return self.problem is None

    @property
    def pages(self) -> bool:
        """Whether its tier is one that calls for somebody."""
        return self.tier in _PAGING


@dataclass(frozen=True)
class Cause:
    """What an automation acted on."""

    id: str
    since: datetime
    """When what it tells of became true."""
    pipeline: str | None
    run_id: UUID | None
    tier: Tier | None = None
    """The tier that tells of it, where that is known without the automation."""


def is_notification(event: Event) -> bool:
    """Whether an event tells what became of a message."""
    return event["event"] in ACTIONS and event["payload"].get("action_type") == NOTIFIES


def notification_of(
    event: Event, settings: PublishedSettings, causes: Mapping[str, Cause]
) -> Notification | None:
    """What became of a message of the stack's; None of other automations' messages.

    `causes` are by the ids of events: of what was acted on, or of the automation's firing.
    """
    name = event["resource"].get("prefect.resource.name", "")
    cause = causes.get(_related(event, _CAUSE_ROLE) or "") or causes.get(
        _related(event, _FIRING_ROLE) or ""
    )
    rule = {rule.name: rule for rule in settings.rules}.get(name)
    tier = rule.tier if rule else cause.tier if cause else None
    if tier is None or not is_notification(event):
        return None
    at = datetime.fromisoformat(event["occurred"])
    return Notification(
        id=str(event["id"]),
        at=at,
        tier=tier,
        channel=_channel(event, rule, settings),
        automation=name,
        problem=_problem(event),
        pipeline=cause.pipeline if cause else None,
        run_id=cause.run_id if cause else None,
        seconds=max((at - cause.since) / timedelta(seconds=1), 0.0) if cause else None,
    )


def causes_of(
    announcements: Iterable[Announcement], firings: Iterable[Event], settings: PublishedSettings
) -> dict[str, Cause]:
    """What automations may have acted on, by the ids of events.

    `firings` are the events by which automations say that they were triggered.
    """
    found = {
        each.id: Cause(each.id, each.true_since, _about(each), each.run_id, _TIERS.get(each.kind))
        for each in announcements
    }
    for firing in firings:
        event: Event | None = firing["payload"].get("triggering_event")
        if event is not None and str(event.get("id")) not in found:
            cause = _cause(event, settings)
            # Servers of earlier versions name the firing alone.
            found[str(firing["id"])] = found[cause.id] = cause
    return found


def _cause(event: Event, settings: PublishedSettings) -> Cause:
    occurred = datetime.fromisoformat(event["occurred"])
    resource_id = event["resource"].get("prefect.resource.id", "")
    if not resource_id.startswith(FLOW_RUN_PREFIX):
        return Cause(str(event["id"]), occurred, None, None)
    ended = ended_run(event, settings.tag)
    names = {e["prefect.resource.role"]: e.get("prefect.resource.name") for e in event["related"]}
    flow = names.get("flow") or ""
    pipeline = settings.pipeline_of(flow, names.get("deployment"))
    return Cause(
        str(event["id"]),
        ended.at if ended else occurred,
        pipeline.name if pipeline else flow,
        UUID(resource_id.removeprefix(FLOW_RUN_PREFIX)),
    )


def _about(each: Announcement) -> str | None:
    return None if each.key == "all" else each.pipeline


def _channel(event: Event, rule: PublishedRule | None, settings: PublishedSettings) -> str:
    related = {each["prefect.resource.role"]: each for each in event.get("related", ())}
    if "block" in related and "block-type" in related:
        kind = related["block-type"]["prefect.resource.id"].removeprefix(_BLOCK_TYPE_PREFIX)
        name = str(related["block"].get("prefect.resource.name", ""))
        by_slug = {slug: channel for channel, slug in settings.channels.items()}
        return by_slug.get(f"{kind}/{name}", name)
    # A block that is not there names itself nowhere.
    index = event["payload"].get("action_index")
    actions = rule.actions if rule else ()
    found = actions[index] if isinstance(index, int) and index < len(actions) else None
    return found or "unknown"


def _problem(event: Event) -> str | None:
    if event["event"] != FAILED:
        return None
    payload: Mapping[str, Any] = event["payload"]
    parts = (payload.get(key) for key in ("reason", "notification_log"))
    return " ".join(shortened(" ".join(str(part) for part in parts if part)).split())


def _related(event: Event, role: str) -> str | None:
    for each in event.get("related", ()):
        if each["prefect.resource.role"] == role:
            return str(each["prefect.resource.id"]).removeprefix(_EVENT_PREFIX)
    return None
