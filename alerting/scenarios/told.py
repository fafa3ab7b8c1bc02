"""Who was told what, and when."""

from dataclasses import dataclass
from datetime import timedelta

from alerting.plan import Tier


@dataclass(frozen=True)
class Message:
    """What a channel was sent."""

    channel: str
    subject: str
    body: str


@dataclass(frozen=True)
class Told:
    """A rule fired and told its channels."""

    at: timedelta
    """When, since the start."""
    tier: Tier
    rule: str
    """The rule's key."""
    messages: tuple[Message, ...]
    leeway: timedelta
    """How much later than due a server may have noticed."""

    @property
    def channels(self) -> frozenset[str]:
        """Who was told."""
        return frozenset(message.channel for message in self.messages)
