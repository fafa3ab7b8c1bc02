"""The incidents that captured PagerDuty events open, update and close."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sandbox.capture.messages import CapturedMessage, Service
from sandbox.capture.pagerduty import EventAction


class IncidentStatus(StrEnum):
    """Where an incident stands."""

    TRIGGERED = "triggered"
    ACKNOWLEDGED = "acknowledged"
    RESOLVED = "resolved"


@dataclass(frozen=True)
class Update:
    """One event of an incident."""

    message_id: str
    received_at: datetime
    action: EventAction
    summary: str
    severity: str
    """Of a trigger; empty if the event names none."""


@dataclass(frozen=True)
class Incident:
    """What one channel was paged for, from its first trigger to its resolve."""

    channel: str
    dedup_key: str
    status: IncidentStatus
    updates: tuple[Update, ...]
    """Every event that changed it or was added to it, the oldest first."""

    @property
    def opened_at(self) -> datetime:
        """When the first trigger arrived."""
        return self.updates[0].received_at

    @property
    def resolved_at(self) -> datetime | None:
        """When the resolve arrived; None while the incident is open."""
        return self.updates[-1].received_at if self.status is IncidentStatus.RESOLVED else None

    @property
    def triggers(self) -> tuple[Update, ...]:
        """The trigger that opened it and those that were added to it."""
        return tuple(update for update in self.updates if update.action is EventAction.TRIGGER)

    @property
    def count(self) -> int:
        """How many triggers it took in; all but the first woke nobody."""
        return len(self.triggers)

    @property
    def summary(self) -> str:
        """The summary it was opened with, which PagerDuty keeps as its title."""
        return self.updates[0].summary

    @property
    def summaries(self) -> tuple[str, ...]:
        """The summary of each trigger."""
        return tuple(update.summary for update in self.triggers)

    @property
    def severities(self) -> tuple[str, ...]:
        """The severity of each trigger."""
        return tuple(update.severity for update in self.triggers)

    @property
    def severity(self) -> str:
        """The severity of the last trigger."""
        return self.triggers[-1].severity


def incidents(messages: Iterable[CapturedMessage]) -> list[Incident]:
    """Return the incidents that `messages`, the oldest first, have opened, the first opened first.

    As in PagerDuty, a trigger is added to the open incident of its channel and dedup key, and
    opens a new one when that is resolved; a trigger does not take an acknowledgement back; an
    acknowledge or resolve without an open incident does nothing.
    """
    opened: list[Incident] = []
    open_at: dict[tuple[str, str], int] = {}
    for message in messages:
        if not (message.accepted and message.service is Service.PAGERDUTY and message.dedup_key):
            continue
        update = _update(message)
        key = (message.channel, message.dedup_key)
        if key in open_at:
            place = open_at[key]
            opened[place] = _updated(opened[place], update)
            if update.action is EventAction.RESOLVE:
                del open_at[key]
        elif update.action is EventAction.TRIGGER:
            open_at[key] = len(opened)
            opened.append(Incident(*key, IncidentStatus.TRIGGERED, (update,)))
    return opened


def _update(message: CapturedMessage) -> Update:
    return Update(
        message_id=message.id,
        received_at=message.received_at,
        action=EventAction(message.event_action or ""),
        summary=message.title,
        severity=message.severity or "",
    )


def _updated(incident: Incident, update: Update) -> Incident:
    status = {
        EventAction.TRIGGER: incident.status,
        EventAction.ACKNOWLEDGE: IncidentStatus.ACKNOWLEDGED,
        EventAction.RESOLVE: IncidentStatus.RESOLVED,
    }[update.action]
    return replace(incident, status=status, updates=(*incident.updates, update))
