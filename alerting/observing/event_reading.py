"""Learns of what was announced and sent: events, which Prefect keeps for days, each read once."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from alerting.observing.announcements import Announcement, announcements_of
from alerting.observing.memory import Memory
from alerting.observing.notifications import (
    ACTIONS,
    Notification,
    causes_of,
    is_notification,
    notification_of,
)
from alerting.observing.prefect_reader import CountedClient
from alerting.plan import Tier
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import HEARTBEAT_EVENT, SCOPE_LABEL, VerdictKind, sentinel_resource
from alerting.sentinel.catching_up import AUTOMATION_TRIGGERED
from alerting.sentinel.events import Event
from alerting.sentinel.prefect_events import from_then_on, read_events

KEPT = timedelta(days=30)
_BLOCK_PREFIX = "prefect.block-document."
OVERLAP = timedelta(minutes=2)
"""How much later than it occurred an event may be written down, and still be read."""
_ANNOUNCED = frozenset({Tier.WARNING, Tier.CRITICAL, Tier.ESCALATION, Tier.RECOVERY})


class Topic(StrEnum):
    """What events are kept about."""

    VERDICTS = "verdicts"
    FIRINGS = "firings"
    ACTIONS = "actions"
    """By the stack's automations."""
    SENT = "sent"
    """By whatever sends with the stack's blocks: automations may have had other names."""


@dataclass(frozen=True)
class Told:
    """What was announced and sent in a time."""

    settings: PublishedSettings
    since: datetime
    announcements: tuple[Announcement, ...]
    """The oldest first."""
    notifications: tuple[Notification, ...]
    """The newest first."""


class EventReading:
    """Brings a stack's events into memory."""

    def __init__(self, client: CountedClient, memory: Memory) -> None:
        """Ask nothing yet."""
        self._client = client
        self._memory = memory

    async def catch_up(
        self, settings: PublishedSettings, blocks: Sequence[str], now: datetime
    ) -> None:
        """Read what happened since the last time, by the ids of the stack's blocks.

        Raises what the client raises.
        """
        for topic in Topic:
            asked = _asked(topic, settings, blocks)
            if asked is not None:
                await self._read(topic, asked, now)

    async def heartbeat(self, settings: PublishedSettings) -> Event | None:
        """The sentinel's last sign of life. Raises what the client raises."""
        if settings.sentinel is None:
            return None
        asked = {
            "event": {"name": [HEARTBEAT_EVENT]},
            "resource": {"id": [sentinel_resource(settings.sentinel.scope)]},
            "order": "DESC",
        }
        async for event in read_events(self._client, asked, page=1):
            return event
        return None

    def told(self, settings: PublishedSettings, now: datetime, period: timedelta) -> Told:
        """What was announced and sent in the time until now, as far as it was read."""
        since = now - period
        return Told(settings, since, self.announcements(since), self.notifications(settings, since))

    def announcements(self, since: datetime) -> tuple[Announcement, ...]:
        """What the sentinel announced since then, the oldest first."""
        events = self._memory.events(Topic.VERDICTS, since.timestamp())
        return tuple(each for event in events for each in announcements_of(event))

    def notifications(
        self, settings: PublishedSettings, since: datetime
    ) -> tuple[Notification, ...]:
        """What was sent since then, the newest first."""
        firings = self._memory.events(Topic.FIRINGS, since.timestamp())
        # What a message is about may have come a little before it.
        causes = causes_of(self.announcements(since - timedelta(days=1)), firings, settings)
        events = {
            str(event["id"]): event
            for topic in (Topic.ACTIONS, Topic.SENT)
            for event in self._memory.events(topic, since.timestamp())
        }
        found = (notification_of(event, settings, causes) for event in events.values())
        sent = (each for each in found if each)
        return tuple(sorted(sent, key=lambda each: (each.at, each.id), reverse=True))

    async def _read(self, topic: Topic, asked: Mapping[str, Any], now: datetime) -> None:
        until = self._memory.note(f"until {topic}")
        since = datetime.fromisoformat(until) - OVERLAP if until else now - KEPT
        found = read_events(self._client, {"occurred": from_then_on(since), **asked})
        events = [event async for event in found]
        if topic in (Topic.ACTIONS, Topic.SENT):
            events = [event for event in events if is_notification(event)]
        self._memory.keep_events(topic, events)
        self._memory.keep_note(f"until {topic}", now.isoformat())


def _asked(
    topic: Topic, settings: PublishedSettings, blocks: Sequence[str]
) -> dict[str, Any] | None:
    """A filter for the events of a topic; None where there are none."""
    names: list[str]
    match topic:
        case Topic.VERDICTS:
            if settings.sentinel is None:
                return None
            return {
                "event": {"name": [kind.event for kind in VerdictKind]},
                "resource": {"labels": {SCOPE_LABEL: settings.sentinel.scope}},
            }
        case Topic.SENT:
            ids = [f"{_BLOCK_PREFIX}{block}" for block in blocks]
            return {"event": {"name": list(ACTIONS)}, "related": {"id": ids}} if ids else None
        case Topic.FIRINGS:
            names, events = list(_firing(settings)), [AUTOMATION_TRIGGERED]
        case Topic.ACTIONS:
            names, events = [rule.name for rule in settings.rules], list(ACTIONS)
    if not names:
        return None
    labels = {"prefect.resource.name": names}
    return {"event": {"name": events}, "resource": {"labels": labels}}


def _firing(settings: PublishedSettings) -> Iterator[str]:
    """Automations that act on something else than a verdict, which is kept already."""
    for rule in settings.rules:
        judged = settings.sentinel is not None and not rule.standby
        if not (judged and rule.tier in _ANNOUNCED):
            yield rule.name
