"""What the page shows: channels, each with its cards."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sandbox.capture.channels import UNKNOWN
from sandbox.capture.incidents import Incident, incidents
from sandbox.capture.messages import CapturedMessage, Service

SHOWN_PER_CHANNEL = 100

_SERVICE_NAMES = {
    Service.SLACK: "Slack",
    Service.PAGERDUTY: "PagerDuty",
    Service.TEAMS: "Microsoft Teams",
    Service.EMAIL: "Email",
    Service.WEBHOOK: "Webhook",
    Service.REFUSED: "Other hosts",
}


@dataclass(frozen=True)
class Card:
    """One card: a message, or an incident with all its events."""

    messages: Sequence[CapturedMessage]
    """The oldest first."""
    incident: Incident | None = None

    @property
    def message(self) -> CapturedMessage:
        """The message whose content is shown; of an incident its last trigger, as in PagerDuty."""
        if self.incident is None:
            return self.messages[0]
        last = self.incident.triggers[-1].message_id
        return next(message for message in self.messages if message.id == last)

    @property
    def latest(self) -> datetime:
        """When it changed last."""
        return self.messages[-1].received_at

    @property
    def template(self) -> str:
        """The template that shows it."""
        if self.incident is not None:
            return "incident.html"
        return f"{self.message.service}.html" if self.message.accepted else "refused.html"


@dataclass(frozen=True)
class Channel:
    """One channel's column, the card that changed last first."""

    name: str
    services: Sequence[str]
    total: int
    """How many messages it got."""
    cards: Sequence[Card]

    @property
    def unshown(self) -> int:
        """How many messages are on none of its cards."""
        return self.total - sum(len(card.messages) for card in self.cards)


def board(messages: Sequence[CapturedMessage]) -> Sequence[Channel]:
    """Return the channels of `messages`, the oldest first, by name; the unknown one is the last."""
    by_channel: dict[str, list[CapturedMessage]] = {}
    for message in messages:
        by_channel.setdefault(message.channel, []).append(message)
    names = sorted(by_channel, key=lambda name: (name == UNKNOWN, name))
    return [_channel(name, by_channel[name]) for name in names]


def _channel(name: str, messages: Sequence[CapturedMessage]) -> Channel:
    services = sorted({_SERVICE_NAMES[message.service] for message in messages})
    cards = sorted(_cards(messages), key=lambda card: card.latest)
    return Channel(name, services, len(messages), cards[: -SHOWN_PER_CHANNEL - 1 : -1])


def _cards(messages: Sequence[CapturedMessage]) -> Sequence[Card]:
    by_id: Mapping[str, CapturedMessage] = {message.id: message for message in messages}
    opened = [
        Card([by_id[update.message_id] for update in incident.updates], incident)
        for incident in incidents(messages)
    ]
    told = {message.id for card in opened for message in card.messages}
    return [*(Card([message]) for message in messages if message.id not in told), *opened]
