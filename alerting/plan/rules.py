"""The plan's vocabulary: what is to exist in AWS and Prefect, without saying how it gets there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:  # it needs the tiers
    from alerting.plan.published import PublishedSettings

Labels = Mapping[str, str | tuple[str, ...]]
"""Labels that one resource must carry: globs, `!` negates, a tuple means any of these."""


class Tier(StrEnum):
    """How bad it is, and so who is told."""

    WARNING = "warning"
    CRITICAL = "critical"
    P1 = "p1"
    ESCALATION = "escalation"
    RECOVERY = "recovery"
    LATE = "late"
    ALERTING = "alerting"
    """The alerting itself is down, or back."""
    DRILL = "drill"
    """Nothing is wrong: somebody tries whether messages arrive."""
    FRESHNESS = "freshness"
    """No success in time."""
    ANOMALY = "anomaly"
    """A load of too few rows."""
    SUCCESS = "success"
    """Good news, for those who asked for it."""
    SUMMARY = "summary"
    """What happened in a day, or in a silence."""


class Posture(StrEnum):
    """Whether a trigger fires on events or on their absence; Prefect's own words."""

    REACTIVE = "Reactive"
    PROACTIVE = "Proactive"


@dataclass(frozen=True)
class EventTrigger:
    """Fires on a number of events, or on their absence, in a window. Prefect's `event` trigger."""

    expect: tuple[str, ...]
    match: Labels
    match_related: tuple[Labels, ...]
    for_each: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    posture: Posture = Posture.REACTIVE
    threshold: int = 1
    within: timedelta = timedelta(0)


@dataclass(frozen=True)
class CompoundTrigger:
    """Fires when every one of its triggers fired within a window. Prefect's `compound` trigger."""

    triggers: tuple[EventTrigger, ...]
    within: timedelta
    require: Literal["all"] = "all"


@dataclass(frozen=True)
class Notification:
    """A message to one channel. Subject and body are Jinja templates that Prefect renders.

    `block` is the key of the block that it goes through.
    """

    channel: str
    subject: str
    body: str
    block: str


@dataclass(frozen=True)
class AutomationRule:
    """One Prefect automation.

    `key` is the stable part of its Pulumi name: a new key makes a new automation, which forgets
    what the old one had counted. `resumes`, `pauses` and `created_after` are keys of other rules,
    which stand before this one in the plan.

    With `crashes` it sets the run to crashed, and that is the state's message.

    A `standby` rule is deployed paused; what watches the sentinel resumes and pauses it, and the
    program leaves that alone.
    """

    key: str
    name: str
    tier: Tier
    description: str
    trigger: EventTrigger | CompoundTrigger
    notifications: tuple[Notification, ...] = ()
    standby: bool = False
    resumes: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    crashes: str | None = None
    created_after: tuple[str, ...] = ()

    @property
    def enabled(self) -> bool:
        """Whether it acts as soon as it is deployed."""
        return not self.standby


@dataclass(frozen=True)
class SecretRule:
    """One secret in AWS Secrets Manager. `variable` is where `from: env` finds the value."""

    key: str
    name: str
    description: str
    recovery_window_days: int
    protect: bool
    kms_key_id: str | None
    tags: Mapping[str, str]
    variable: str
    kind: str


@dataclass(frozen=True)
class BlockRule:
    """One Prefect block: the way to a channel, or settings that flows read.

    `secrets` names, for each field of the block, the secret that fills it; a field within another
    is written with a dot.
    """

    key: str
    name: str
    type_slug: str
    data: Mapping[str, object]
    secrets: Mapping[str, str] = field(default_factory=dict)

    @property
    def slug(self) -> str:
        """The block as Prefect's commands name it, such as `slack-webhook/alerts`."""
        return f"{self.type_slug}/{self.name}"

    def document(self, values: Mapping[str, str]) -> dict[str, object]:
        """The block's data with `values` of its secrets, by the secrets' keys."""
        document: dict[str, object] = dict(self.data)
        for path, key in self.secrets.items():
            outer, _, inner = path.rpartition(".")
            if outer:
                # A copy: the rule's own data stays as it is.
                held = document.get(outer)
                document[outer] = {**(held if isinstance(held, dict) else {}), inner: values[key]}
            else:
                document[inner] = values[key]
        return document


@dataclass(frozen=True)
class Plan:
    """All that a stack consists of."""

    stack: str
    secrets: tuple[SecretRule, ...]
    blocks: tuple[BlockRule, ...]
    automations: tuple[AutomationRule, ...]
    published: "PublishedSettings"

    @property
    def settings_slug(self) -> str:
        """The block with the published settings, which comes last of the blocks."""
        return self.blocks[-1].slug
