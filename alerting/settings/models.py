"""What a stack is configured with: one frozen model per key of `Pulumi.<stack>.yaml`."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.alias_generators import to_camel

from alerting.settings.durations import Duration
from alerting.settings.encrypted import Encrypted, FromEnv, read_credential, read_secret
from alerting.settings.names import AwsSecretName, Key, PlainName, RunName, Slug, Tag
from alerting.settings.urls import ApiUrl, BaseUrl, HttpUrl, is_cloud


class SettingsModel(BaseModel):
    """Frozen, camelCase in YAML, and a key it does not know is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


class Environment(StrEnum):
    """Decides how hard it is to lose a secret; see `RECOVERY_WINDOW_DAYS`."""

    PROD = "prod"
    STAGING = "staging"
    DEV = "dev"
    SANDBOX = "sandbox"


def _at_least_one(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise ValueError("is empty. Name at least one channel")
    return value


SecretText = Annotated[SecretStr | Encrypted, BeforeValidator(read_secret)]
Credential = Annotated[FromEnv | SecretStr | Encrypted, BeforeValidator(read_credential)]


class PrefectSettings(SettingsModel):
    """Where Prefect's API is and how to log in to it."""

    endpoint: ApiUrl = Field(
        description="the API's URL: of a Prefect Cloud workspace, or a server's http(s)://.../api"
    )
    api_key: Credential | None = Field(
        default=None, description="Prefect Cloud's API key, encrypted, or {from: env}"
    )
    basic_auth_key: Credential | None = Field(
        default=None, description="a server's user:password, encrypted, or {from: env}"
    )
    ui_url: BaseUrl | None = Field(
        default=None, description="where people open runs; derived from the endpoint when left out"
    )

    @property
    def is_cloud(self) -> bool:
        """Whether this is Prefect Cloud."""
        return is_cloud(self.endpoint)


class SecretSource(StrEnum):
    """Where a secret's value comes from when it is not in the stack's configuration."""

    ENV = "env"
    SECRETS_MANAGER = "secretsmanager"


class SecretSettings(SettingsModel):
    """One secret in AWS Secrets Manager, and where its value comes from."""

    name: AwsSecretName = Field(description="the secret's name in AWS")
    value: SecretText | None = Field(
        default=None, description="the encrypted value; the stack writes it to Secrets Manager"
    )
    source: SecretSource | None = Field(
        default=None,
        alias="from",
        description="env (a variable a CI step filled) or secretsmanager (put there out of band)",
    )


class SlackChannel(SettingsModel):
    """A Slack channel, reached by its incoming webhook."""

    kind: Literal["slack"]
    block: Slug = Field(description="the block's name in Prefect")
    secret: str = Field(description="key of data-alerts:secrets that holds the webhook URL")


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


Channel = Annotated[SlackChannel | PagerDutyChannel, Field(discriminator="kind")]
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


class TiersSettings(SettingsModel):
    """Who is told of what. A tier that is left out is not deployed."""

    warning: TierSettings = Field(description="one failure")
    critical: CriticalSettings | None = Field(default=None, description="a streak of failures")
    p1: OutageSettings | None = Field(default=None, description="all pipelines down")
    recovery: TierSettings | None = Field(
        default=None, description="first success after a failure; by default warning's Slack"
    )
    late: TierSettings | None = Field(
        default=None, description="runs that did not start; by default warning's Slack"
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


class Evaluation(StrEnum):
    """Who decides that somebody must be told."""

    SENTINEL = "sentinel"
    TRIGGERS = "triggers"


class SentinelOptions(SettingsModel):
    """How the sentinel is watched."""

    silent_for: Duration = Field(
        default=timedelta(minutes=5),
        description="silence after which people are told and Prefect's triggers take over, from "
        "10s on; a heartbeat comes five times as often",
    )
    notify: Notify | None = Field(
        default=None,
        description="who is told that the alerting itself is down; by default p1's channels, else "
        "critical's, else warning's",
    )


class DrillOptions(SettingsModel):
    """Who hears of drills."""

    notify: Notify | None = Field(
        default=None,
        description="Slack channels that hear of a drill; by default all that hear of anything. "
        "PagerDuty's page with `alertctl drill --page` alone",
    )


class AdoptedThings(SettingsModel):
    """What was made elsewhere and becomes the stack's at its next deployment; unread after it."""

    secrets: dict[Key, PlainName] = Field(default_factory=dict, description="ARNs, by secret")
    blocks: dict[Key, PlainName] = Field(default_factory=dict, description="ids, by channel")
    automations: dict[Key, PlainName] = Field(
        default_factory=dict, description="ids, by the keys that `alertctl rules` lists"
    )


class PipelineSettings(SettingsModel):
    """A pipeline that somebody owns. Flows with the tag that are not listed alert as well."""

    owner: PlainName = Field(description="team that answers for it")
    runbook: HttpUrl | None = Field(default=None, description="what to do when it fails")
    every: Duration | None = Field(default=None, description="how often it runs")
    flow: RunName | None = Field(default=None, description="the flow's name; default: the key")
    deployment: RunName | None = Field(
        default=None, description="the deployment's name; default: any, and none"
    )
    escalate: bool = Field(default=False, strict=True, description="whether it wakes people")
    announce_success: bool = Field(
        default=False, strict=True, description="whether hooks announce its completions"
    )


class Settings(SettingsModel):
    """A stack's `data-alerts:` configuration."""

    prefect: PrefectSettings = Field(description="where Prefect's API is, its endpoint at least")
    environment: Environment | None = Field(
        default=None,
        description="what the stack is for; default: its name when it is one of these, else prod",
    )
    name_prefix: Slug | None = Field(
        default=None, description="goes before every name, where stacks share an account"
    )
    tag: Tag = Field(default="dlt", description="the tag of flow runs that alert")
    default_owner: PlainName = Field(
        default="unassigned", description="owner named for tagged flows that are not listed"
    )
    kms_key_id: PlainName | None = Field(
        default=None, description="KMS key for the secrets; default: the account's own"
    )
    evaluation: Evaluation = Field(
        default=Evaluation.SENTINEL,
        description="sentinel (exact; `alertctl sentinel run` must be hosted) or triggers "
        "(Prefect's own, an approximation that needs no host)",
    )
    sentinel: SentinelOptions = Field(
        default_factory=SentinelOptions, description="how the sentinel is watched"
    )
    drill: DrillOptions = Field(
        default_factory=DrillOptions, description="who hears of drills, see docs/drills.md"
    )
    adopt: AdoptedThings = Field(
        default_factory=AdoptedThings,
        description="what the next deployment takes over; `alertctl adopt` writes it",
    )
    secrets: dict[Key, SecretSettings] = Field(
        default_factory=dict, description="webhooks and keys, each with its name in AWS"
    )
    channels: dict[Key, Channel] = Field(
        min_length=1, description="Slack channels and PagerDuty services, by a name of your own"
    )
    tiers: TiersSettings = Field(description="who is told of what, warning at least")
    escalation: tuple[EscalationStep, ...] = Field(
        default=(), description="who hears of a failure that lasts, step by step"
    )
    pipelines: dict[RunName, PipelineSettings] = Field(
        default_factory=dict, description="pipelines that somebody owns"
    )

    def flow_of(self, pipeline: str) -> str:
        """Name of the flow a pipeline runs."""
        return self.pipelines[pipeline].flow or pipeline


def longest_interval(pipelines: dict[str, PipelineSettings], unstated: timedelta) -> timedelta:
    """Longest interval between runs, `unstated` for a pipeline that does not say."""
    return max((p.every or unstated for p in pipelines.values()), default=unstated)
