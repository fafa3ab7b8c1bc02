"""Kinds of channels: the blocks that each needs, and how a message is written for it.

docs/blocks.md has what was measured of Prefect's blocks. A custom webhook replaces `{{name}}` in
its template one name after another, also inside what it has just put in: a message must never hold
two opening braces, see `forms`.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from alerting.plan.forms import Form
from alerting.plan.rules import BlockRule
from alerting.settings.channels import (
    Channel,
    EmailChannel,
    Incidents,
    PagerDutyChannel,
    SlackChannel,
    SlackFormat,
    TeamsChannel,
    WebhookChannel,
)

AnyChannel = TypeVar(
    "AnyChannel", SlackChannel, PagerDutyChannel, TeamsChannel, EmailChannel, WebhookChannel
)

# Prefect's block fails on a blank API key at the moment somebody should be paged. The key is only
# sent in a header that PagerDuty's Events API ignores, so any text does.
UNUSED_API_KEY = "unused"
_SECONDS = 5
"""Of a receiver that does not answer: Prefect asks four times, and all other actions wait."""
_JSON = {"Content-Type": "application/json"}
_PAGERDUTY = {
    "us": "https://events.pagerduty.com/v2/enqueue",
    "eu": "https://events.eu.pagerduty.com/v2/enqueue",
}


@dataclass(frozen=True)
class Kind(ABC, Generic[AnyChannel]):
    """A channel, ready to be told."""

    key: str
    """The channel's name in the settings."""
    block: str
    """The name of its blocks in Prefect."""
    channel: AnyChannel
    color: str
    """The colour of its messages, as Prefect's blocks name it: info, warning or failure."""

    @abstractmethod
    def blocks(self) -> tuple[BlockRule, ...]:
        """Its blocks. Messages go through the last."""

    @property
    @abstractmethod
    def form(self) -> Form:
        """How messages are written for it."""

    @property
    def resolves(self) -> bool:
        """Whether what it opens is closed by a message that says so."""
        return False

    @property
    def through(self) -> BlockRule:
        """The block that messages go through."""
        return self.blocks()[-1]

    def _rule(
        self, slug: str, data: Mapping[str, object], secrets: Mapping[str, str], suffix: str = ""
    ) -> BlockRule:
        return BlockRule(self.key + suffix, self.block, slug, data, secrets)

    def _raw_webhook(
        self, suffix: str, url: str, body: str, secrets: Mapping[str, str]
    ) -> BlockRule:
        """A custom webhook that posts `body` as it is: a text in `form_data` is not encoded."""
        data = {
            "name": self.key,
            "url": url,
            "form_data": body,
            "headers": _JSON,
            "timeout": _SECONDS,
        }
        filled = {f"secrets.{name}": secret for name, secret in secrets.items()}
        return self._rule("custom-webhook", data, filled, suffix)


class Slack(Kind[SlackChannel]):
    """Slack: the guide's block, which flows' hooks use as well, and one for rich messages."""

    def blocks(self) -> tuple[BlockRule, ...]:
        """The plain block; where messages are rich, a webhook after it."""
        plain = self._rule(
            "slack-webhook", {"notify_type": self.color}, {"url": self.channel.secret}
        )
        if self.channel.format is SlackFormat.PLAIN:
            return (plain,)
        # The URL comes whole from the secrets: its path is what nobody may know.
        return plain, self._raw_webhook(
            "-rich", "{{url}}", "{{body}}", {"url": self.channel.secret}
        )

    @property
    def form(self) -> Form:
        """Slack's markup, or its Block Kit."""
        return Form.RICH if self.channel.format is SlackFormat.RICH else Form.SLACK


class PagerDuty(Kind[PagerDutyChannel]):
    """PagerDuty: the guide's block, and one that updates and resolves what it has opened."""

    def blocks(self) -> tuple[BlockRule, ...]:
        """The plain block; for deduplicated incidents a webhook after it. None without a key."""
        if self.channel.secret is None:
            return ()
        # The block's notify_type is the incident's severity; "failure" is PagerDuty's critical.
        data: dict[str, object] = {"notify_type": "failure", "region_name": self.channel.region}
        secrets = {"integration_key": self.channel.secret}
        if self.channel.api_key_secret:
            secrets["api_key"] = self.channel.api_key_secret
        else:
            data["api_key"] = UNUSED_API_KEY
        plain = self._rule("pager-duty-webhook", data, secrets)
        if not self.resolves:
            return (plain,)
        url = _PAGERDUTY[self.channel.region]
        # A string in JSON holds no raw line break, so no message can spell the key's place.
        body = '{"routing_key": "{{\nrouting_key\n}}", {{body}}}'
        return plain, self._raw_webhook(
            "-incidents", url, body, {"routing_key": self.channel.secret}
        )

    @property
    def form(self) -> Form:
        """Text, or an event of the Events API."""
        return Form.INCIDENT if self.resolves else Form.PLAIN

    @property
    def resolves(self) -> bool:
        """Whether incidents are deduplicated."""
        return self.channel.incidents is Incidents.DEDUPLICATED


class Teams(Kind[TeamsChannel]):
    """Microsoft Teams, by Prefect's block."""

    def blocks(self) -> tuple[BlockRule, ...]:
        """Its one block."""
        # The image would be fetched from another host by whoever reads the message.
        data = {"notify_type": self.color, "include_image": False}
        return (self._rule("ms-teams-webhook", data, {"url": self.channel.secret}),)

    @property
    def form(self) -> Form:
        """Text without markup."""
        return Form.PLAIN


class Email(Kind[EmailChannel]):
    """Mail, by Prefect's block for SendGrid."""

    def blocks(self) -> tuple[BlockRule, ...]:
        """Its one block."""
        data = {
            "notify_type": self.color,
            "sender_email": self.channel.sender,
            "to_emails": list(self.channel.to),
        }
        return (self._rule("sendgrid-email", data, {"api_key": self.channel.secret}),)

    @property
    def form(self) -> Form:
        """HTML, since SendGrid sends it as that."""
        return Form.HTML


class Webhook(Kind[WebhookChannel]):
    """Any service that takes JSON."""

    def blocks(self) -> tuple[BlockRule, ...]:
        """Its one block."""
        return (self._raw_webhook("", "{{url}}", "{{body}}", {"url": self.channel.secret}),)

    @property
    def form(self) -> Form:
        """A JSON object with the message's parts."""
        return Form.JSON

    @property
    def resolves(self) -> bool:
        """Its JSON says whether something is over."""
        return True


AnyKind = Slack | PagerDuty | Teams | Email | Webhook


def kind_of(key: str, block: str, channel: Channel, color: str) -> AnyKind:
    """The kind of a channel."""
    match channel:
        case SlackChannel():
            return Slack(key, block, channel, color)
        case PagerDutyChannel():
            return PagerDuty(key, block, channel, color)
        case TeamsChannel():
            return Teams(key, block, channel, color)
        case EmailChannel():
            return Email(key, block, channel, color)
        case WebhookChannel():
            return Webhook(key, block, channel, color)
