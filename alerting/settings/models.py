"""What a stack is configured with: one frozen model per key of `Pulumi.<stack>.yaml`."""

from datetime import timedelta
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from alerting.settings.channels import Channel
from alerting.settings.durations import Duration
from alerting.settings.encrypted import Encrypted, FromEnv, read_credential, read_secret
from alerting.settings.maintenance import MaintenanceWindow
from alerting.settings.names import AwsSecretName, Key, PlainName, RunName, Slug, Tag
from alerting.settings.pipelines import PipelineSettings
from alerting.settings.settings_model import SettingsModel
from alerting.settings.tiers import (
    EscalationStep,
    NoiseSettings,
    Notify,
    OwnerChannels,
    SummarySettings,
    TiersSettings,
)
from alerting.settings.urls import ApiUrl, BaseUrl, is_cloud


class Environment(StrEnum):
    """Decides how hard it is to lose a secret; see `RECOVERY_WINDOW_DAYS`."""

    PROD = "prod"
    STAGING = "staging"
    DEV = "dev"
    SANDBOX = "sandbox"


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
        description="channels of every kind but pagerduty that hear of a drill; by default all of "
        "them that hear of anything. PagerDuty's page with `alertctl drill --page` alone",
    )


class AdoptedThings(SettingsModel):
    """What was made elsewhere and becomes the stack's at its next deployment; unread after it."""

    secrets: dict[Key, PlainName] = Field(default_factory=dict, description="ARNs, by secret")
    blocks: dict[Key, PlainName] = Field(default_factory=dict, description="ids, by channel")
    automations: dict[Key, PlainName] = Field(
        default_factory=dict, description="ids, by the keys that `alertctl rules` lists"
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
    owners: dict[PlainName, OwnerChannels] = Field(
        default_factory=dict, description="owners of pipelines with channels of their own"
    )
    noise: NoiseSettings = Field(
        default_factory=NoiseSettings, description="what keeps many failures from many messages"
    )
    maintenance: tuple[MaintenanceWindow, ...] = Field(
        default=(), description="times in which nobody is told, see docs/silences.md"
    )
    daily_summary: SummarySettings | None = Field(
        default=None, description="a summary of the last day's runs"
    )
    pipelines: dict[RunName, PipelineSettings] = Field(
        default_factory=dict, description="pipelines that somebody owns"
    )

    def flow_of(self, pipeline: str) -> str:
        """Name of the flow a pipeline runs."""
        return self.pipelines[pipeline].flow or pipeline
