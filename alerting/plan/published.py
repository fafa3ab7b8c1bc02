"""What programs far from the stack's files need to know of it, published as a Prefect block.

Flow-level hooks run inside flows, and the sentinel wherever it is hosted. The block lets both
follow the settings as deployed.
"""

import bz2
import hashlib
import json
from base64 import b64decode, b64encode
from datetime import timedelta
from typing import Self

from pydantic import BaseModel, ConfigDict, Field

from alerting.plan.drill_events import DrillPhase
from alerting.plan.rules import Tier
from alerting.plan.silences import Window
from alerting.plan.verdicts import VerdictKind
from alerting.settings import Environment
from alerting.settings.deadlines import Deadline

SETTINGS_BLOCK = "data-alerts"
MOST_BETWEEN_HEARTBEATS = timedelta(minutes=1)
"""At each heartbeat the sentinel also asks for what it was not told of."""


class PublishedModel(BaseModel):
    """Frozen, and an entry that this version does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class PublishedPipeline(PublishedModel):
    """A listed pipeline."""

    name: str = Field(description="the pipeline's key in the settings")
    flow: str = Field(description="the flow's name")
    deployment: str | None = Field(default=None, description="the deployment's name, None for any")
    owner: str = Field(description="team that answers for it")
    runbook: str | None = Field(default=None, description="what to do when it fails")
    announce_success: bool = Field(default=False, description="whether completions are announced")
    escalate: bool = Field(default=False, description="whether it wakes people")
    every: timedelta | None = Field(default=None, description="how often it runs")
    fresh_within: timedelta | None = Field(
        default=None, description="time without a success after which it is stale"
    )
    deadline: Deadline | None = Field(
        default=None, description="hour by which it must have succeeded since the last one"
    )
    max_duration: timedelta | None = Field(
        default=None, description="time after which a run that has not ended is told of"
    )
    least_rows: int | None = Field(default=None, description="rows that a load must bring")
    drop_below: int | None = Field(
        default=None, description="percentage of the recent median that a load must bring"
    )


class PublishedStep(PublishedModel):
    """An escalation step."""

    label: str = Field(description="its time as the settings write it, such as 15m")
    after: timedelta = Field(description="time since an outage's first failure")
    to: str = Field(description="whom it is for")


class SentinelSettings(PublishedModel):
    """What the sentinel judges by."""

    scope: str = Field(description="tells the stack's events from those of others")
    name: str = Field(description="the sentinel's name on its heartbeat")
    consecutive_failures: int | None = Field(
        description="failures that make a streak, None when no tier hears of one"
    )
    within: timedelta | None = Field(description="time that holds a streak, None for any")
    steps: tuple[PublishedStep, ...] = Field(description="the escalation, by time")
    silent_for: timedelta = Field(description="silence after which the standby rules take over")
    catch_up: timedelta = Field(description="how far back what was missed is announced")
    watch: str = Field(description="name of the automation that watches the heartbeat")
    standby: dict[str, str] = Field(
        description="names of the automations that stand in for a silent sentinel, by key"
    )
    flap_for: timedelta | None = Field(
        default=None, description="time for which a pipeline must stay well, None for none"
    )
    individually: int = Field(
        default=3, description="messages of one kind within a minute that are told one by one"
    )
    maintenance: tuple[Window, ...] = Field(default=(), description="times in which nobody is told")
    routes: tuple[str, ...] = Field(default=(), description="owners with channels of their own")
    told_alike: dict[str, str] = Field(
        default_factory=dict,
        description="by occasion, the route whose channels are told in place of another's",
    )
    pages: tuple[VerdictKind, ...] = Field(
        default=(), description="kinds of verdicts that open an incident which is closed"
    )
    pages_all_down: bool = Field(
        default=False, description="whether somebody is told that all pipelines are down"
    )
    through_silences: bool = Field(
        default=False, description="whether silenced pipelines count for all being down"
    )
    would_page: dict[str, str] = Field(
        default_factory=dict, description="whom PagerDuty would page were it set up, by occasion"
    )
    success: bool = Field(default=False, description="whether completions are announced")
    summary: Deadline | None = Field(default=None, description="when the day is summed up")

    @property
    def heartbeat_every(self) -> timedelta:
        """Time between heartbeats: one or two may be lost without an alarm."""
        return min(self.silent_for / 5, MOST_BETWEEN_HEARTBEATS)


def occasion_name(kind: VerdictKind, step: str | None, route: str) -> str:
    """How an occasion is called where what is said of it is published."""
    return "/".join((kind.value, step or "", route))


class PublishedDrillRule(PublishedModel):
    """An automation that tells of drills."""

    name: str = Field(description="the automation's name")
    channels: tuple[str, ...] = Field(description="whom it tells, in the order of its actions")
    phases: tuple[DrillPhase, ...] = Field(description="of what it tells")


class PublishedRule(PublishedModel):
    """An automation of the stack."""

    key: str = Field(description="its key in the plan")
    name: str = Field(description="the automation's name")
    tier: Tier = Field(description="its tier")
    standby: bool = Field(default=False, description="whether it is deployed paused")
    actions: tuple[str | None, ...] = Field(
        description="the channel that each action tells, None of one that tells nobody"
    )


class PublishedDrills(PublishedModel):
    """How the stack's alerting is tried."""

    scope: str = Field(description="tells the stack's events from those of others")
    told: PublishedDrillRule | None = Field(description="tells of every drill")
    paged: PublishedDrillRule | None = Field(description="pages in the drills that ask for it")
    closed: PublishedDrillRule | None = Field(
        default=None, description="closes what such a drill has opened, where that can be"
    )


class PublishedSettings(PublishedModel):
    """A stack's settings as hooks and the sentinel see them. They hold no secret."""

    tag: str = Field(description="runs with this tag alert")
    failure_automation: str = Field(description="name of the automation that announces failures")
    success_automation: str | None = Field(
        default=None, description="name of the automation that announces completions"
    )
    failure_blocks: tuple[str, ...] = Field(description="block slugs that hear of a failure")
    success_blocks: tuple[str, ...] = Field(description="block slugs that hear of a completion")
    default_owner: str = Field(description="owner of flows that are not listed")
    ui_url: str = Field(description="where runs are looked at")
    pipelines: tuple[PublishedPipeline, ...] = Field(description="the listed pipelines")
    sentinel: SentinelSettings | None = Field(
        default=None, description="what the sentinel judges by, None where triggers judge"
    )
    drills: PublishedDrills | None = Field(
        default=None, description="how the alerting is tried, None of an earlier version"
    )
    stack: str | None = Field(
        default=None, description="whose settings these are, None of an earlier version"
    )
    blocks: tuple[str, ...] = Field(default=(), description="slugs of the stack's other blocks")
    channels: dict[str, str] = Field(
        default_factory=dict, description="the slug of the block that tells each channel"
    )
    rules: tuple[PublishedRule, ...] = Field(
        default=(), description="the stack's automations, none of an earlier version"
    )
    environment: Environment | None = Field(
        default=None, description="what the stack is for, None of an earlier version"
    )

    def pipeline_of(self, flow: str, deployment: str | None) -> PublishedPipeline | None:
        """Find the listed pipeline of a run: by flow and deployment, else by flow alone."""
        of_flow = {p.deployment: p for p in self.pipelines if p.flow == flow}
        return of_flow.get(deployment) or of_flow.get(None)

    def packed(self) -> str:
        """As a block holds it: a thousand pipelines are a tenth as long as their JSON."""
        # What is by default says nothing. Of zlib there are several, which pack differently: a
        # stack would be changed by each machine that deploys it.
        document = self.model_dump_json(exclude_defaults=True)
        return b64encode(bz2.compress(document.encode())).decode()

    @classmethod
    def unpacked(cls, value: object) -> Self:
        """What was packed. Raises ValueError where that is nothing that this version packs."""
        return cls.model_validate(unpack(value))

    @property
    def digest(self) -> str:
        """What tells these settings from others."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:16]


def unpack(value: object) -> dict[str, object]:
    """The document in a block, of whichever version. Raises ValueError where there is none."""
    if isinstance(value, dict):  # as the first versions published it, which are taken over
        return value
    if not isinstance(value, str):
        raise ValueError("the settings as published are text")  # noqa: TRY004 - as all else
    try:
        document = json.loads(bz2.decompress(b64decode(value, validate=True)))
    except OSError:
        raise ValueError("the settings as published are packed") from None
    if not isinstance(document, dict):
        raise ValueError("the settings as published are a mapping")  # noqa: TRY004 - as all else
    return document
