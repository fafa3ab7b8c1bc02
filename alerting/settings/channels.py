"""Channels: where messages go, one model for each kind."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from alerting.settings.names import EmailAddress, Slug
from alerting.settings.settings_model import SettingsModel


class SlackFormat(StrEnum):
    """How a Slack message looks."""

    PLAIN = "plain"
    """The guide's block: text, with bare links."""
    RICH = "rich"
    """Slack's Block Kit: links behind words, and buttons."""


class Incidents(StrEnum):
    """What a page is to PagerDuty."""

    DEDUPLICATED = "deduplicated"
    """One incident for each pipeline, updated as it gets worse, resolved when it is over."""
    PLAIN = "plain"
    """The guide's block: a new incident for each page, resolved by hand."""


class SlackChannel(SettingsModel):
    """A Slack channel, reached by its incoming webhook."""

    kind: Literal["slack"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str = Field(description="key of data-alerts:secrets that holds the webhook URL")
    format: SlackFormat = Field(
        default=SlackFormat.PLAIN,
        description="plain (the block of the alerting guide that this project started from) or "
        "rich (links behind words, and buttons)",
    )


class PagerDutyChannel(SettingsModel):
    """A PagerDuty service, reached by an Events API v2 integration."""

    kind: Literal["pagerduty"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str | None = Field(
        default=None,
        description="key of data-alerts:secrets that holds the integration key; left out while "
        "PagerDuty is not set up, and Slack is then told who would have been paged",
    )
    api_key_secret: str | None = Field(
        default=None, description="key of data-alerts:secrets that holds a PagerDuty API key"
    )
    region: Literal["us", "eu"] = Field(default="us", description="PagerDuty's service region")
    incidents: Incidents = Field(
        default=Incidents.DEDUPLICATED,
        description="deduplicated (one for each pipeline, resolved by its recovery) or plain (a "
        "new one for each page, resolved by hand)",
    )


class TeamsChannel(SettingsModel):
    """A Microsoft Teams channel, reached by its incoming webhook."""

    kind: Literal["teams"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str = Field(description="key of data-alerts:secrets that holds the webhook URL")


class EmailChannel(SettingsModel):
    """Mail, sent by SendGrid."""

    kind: Literal["email"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str = Field(description="key of data-alerts:secrets that holds SendGrid's API key")
    sender: EmailAddress = Field(description="who it is from, as SendGrid has verified it")
    to: tuple[EmailAddress, ...] = Field(min_length=1, description="who gets it")


class WebhookChannel(SettingsModel):
    """Any service that takes JSON over HTTPS: a subject, a text and the tier."""

    kind: Literal["webhook"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str = Field(description="key of data-alerts:secrets that holds the URL")


Channel = Annotated[
    SlackChannel | PagerDutyChannel | TeamsChannel | EmailChannel | WebhookChannel,
    Field(discriminator="kind"),
]
