"""Tiers: who is told of what, and when somebody further is."""

from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, Field

from alerting.settings.deadlines import Deadline
from alerting.settings.durations import Duration
from alerting.settings.names import PlainName, RunName
from alerting.settings.settings_model import SettingsModel


def _at_least_one(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("is empty. Name at least one channel")
    return value


Notify = Annotated[
    tuple[str, ...], AfterValidator(_at_least_one), Field(description="channels to tell")
]


class TierSettings(SettingsModel):
    """Who is told."""

    notify: Notify


class CriticalSettings(TierSettings):
    """Who is told of a streak of failures, and what a streak is."""

    consecutive_failures: int = Field(
        default=3, strict=True, ge=2, le=100, description="failures of one flow that make a streak"
    )
    within: Duration | None = Field(
        default=None,
        description="window that holds the streak; by default 24h, and for a pipeline with "
        "`every` at least consecutiveFailures x every",
    )


class OutageSettings(TierSettings):
    """Who is told that every pipeline is down."""

    within: Duration | None = Field(
        default=None,
        description="window in which all pipelines failed; by default the longest `every`, where "
        "24h stands for one that is not stated",
    )
    work_pools: tuple[RunName, ...] = Field(
        default=(), description="work pools that page when they lose their workers; default: any"
    )
    through_silences: bool = Field(
        default=False,
        strict=True,
        description="whether pipelines count also while a silence keeps them quiet",
    )


class LateSettings(TierSettings):
    """Who is told of runs that do not start or do not end, and when a run counts as lost."""

    lost_after: Duration = Field(
        default=timedelta(minutes=10),
        description="time without a heartbeat after which a run counts as crashed, from 90s on. "
        "Runs send one every PREFECT_FLOWS_HEARTBEAT_FREQUENCY seconds, 180 by default: keep to "
        "three times that, or runs that are well are set to crashed",
    )


class TiersSettings(SettingsModel):
    """Who is told of what. A tier that is left out is not deployed."""

    warning: TierSettings = Field(description="one failure")
    critical: CriticalSettings | None = Field(default=None, description="a streak of failures")
    p1: OutageSettings | None = Field(default=None, description="all pipelines down")
    recovery: TierSettings | None = Field(
        default=None,
        description="first success after a failure; by default warning's channels of every kind "
        "but pagerduty",
    )
    late: LateSettings | None = Field(
        default=None,
        description="runs that did not start, or do not end; by default warning's channels of "
        "every kind but pagerduty",
    )
    freshness: TierSettings | None = Field(
        default=None,
        description="pipelines without a success in time; by default who hears a warning",
    )
    anomaly: TierSettings | None = Field(
        default=None, description="loads of too few rows; by default who hears a warning"
    )
    success: TierSettings | None = Field(
        default=None,
        description="completions of pipelines with announceSuccess; by default warning's Slack",
    )


class EscalationStep(SettingsModel):
    """Who hears of a failure that nobody mended in time."""

    after: Duration = Field(description="time since the failure without a success, from 10s on")
    to: PlainName = Field(description="whom this step is for, as the message says it")
    notify: Notify


class OwnerChannels(SettingsModel):
    """Channels of one team, in place of the tiers' own. P1 and drills stay where they are."""

    slack: str | None = Field(
        default=None,
        description="takes the place of the channels of warning and critical of every kind but "
        "pagerduty",
    )
    pagerduty: str | None = Field(
        default=None, description="takes the place of their PagerDuty channels"
    )


class NoiseSettings(SettingsModel):
    """What keeps a bad minute from being a hundred messages."""

    flap_for: Duration | None = Field(
        default=None,
        description="time for which a pipeline must stay well before its recovery is told; a "
        "failure within it is the same outage, told once. Default: told at once",
    )
    individually: int = Field(
        default=3,
        strict=True,
        ge=1,
        le=1000,
        description="messages of one tier within a minute that are sent one by one; the rest of "
        "that minute comes as one list",
    )


class SummarySettings(TierSettings):
    """A summary of the day."""

    at: Deadline = Field(description='when it is sent, such as "08:00 Europe/London Mon-Fri"')
