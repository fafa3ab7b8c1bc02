"""What a stack is configured with: one frozen model per key of `Pulumi.<stack>.yaml`."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    ValidationInfo,
)
from pydantic.alias_generators import to_camel

from alerting.settings.durations import Duration

CLOUD_API_HOST = "api.prefect.cloud"
_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CLOUD_PATH = re.compile(rf"/api/accounts/{_ID}/workspaces/{_ID}", re.IGNORECASE)


class SettingsModel(BaseModel):
    """Frozen, camelCase in YAML, and a key it does not know is an error."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        hide_input_in_errors=True,
        arbitrary_types_allowed=True,
    )


class Encrypted:
    """Stands for a `{secure: ...}` value that was not decrypted, as in `alertctl check`."""

    def __repr__(self) -> str:
        return "<encrypted>"


class Environment(StrEnum):
    """Decides how hard it is to lose a secret; see `RECOVERY_WINDOW_DAYS`."""

    PROD = "prod"
    STAGING = "staging"
    DEV = "dev"
    SANDBOX = "sandbox"


def _refuse_plain_text(value: object, info: ValidationInfo) -> object:
    if isinstance(value, str) and (info.context or {}).get("from_file"):
        raise ValueError(
            "is in plain text. Encrypt it with `pulumi config set --secret --path`, fed from a "
            "pipe so that it stays out of the shell history, and consider it leaked"
        )
    if not isinstance(value, str | Encrypted | SecretStr | dict | FromEnv):
        raise ValueError("expected an encrypted value, {secure: ...}")  # noqa: TRY004 pydantic
    return value


def _no_credentials_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and parts.hostname
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("expected an http:// or https:// URL")
    if parts.username or parts.password:
        raise ValueError(
            "expected a URL without user and password. Use apiKey or basicAuthKey for those"
        )
    return value.rstrip("/")


def _api_url(value: str) -> str:
    path = urlsplit(value).path
    is_cloud = urlsplit(value).hostname == CLOUD_API_HOST
    if is_cloud and not _CLOUD_PATH.fullmatch(path):
        raise ValueError(
            f"expected https://{CLOUD_API_HOST}/api/accounts/<id>/workspaces/<id>, "
            "as `prefect config view` shows it"
        )
    if not is_cloud and not path.endswith("/api"):
        raise ValueError("expected the API's URL, which ends in /api")
    return value


class FromEnv(SettingsModel):
    """A credential that a CI step put into the environment."""

    source: Literal["env"] = Field(alias="from", description="env: read from the environment")


HttpUrl = Annotated[str, AfterValidator(_no_credentials_url)]
PlainName = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*\S[^\x00-\x1f\x7f]*$"
    ),
]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
SecretText = Annotated[SecretStr | Encrypted, BeforeValidator(_refuse_plain_text)]
Credential = Annotated[FromEnv | SecretStr | Encrypted, BeforeValidator(_refuse_plain_text)]


class PrefectSettings(SettingsModel):
    """Where Prefect's API is and how to log in to it."""

    endpoint: Annotated[HttpUrl, AfterValidator(_api_url)] = Field(
        description="the API's URL: of a Prefect Cloud workspace, or a server's http(s)://.../api"
    )
    api_key: Credential | None = Field(
        default=None, description="Prefect Cloud's API key, encrypted, or {from: env}"
    )
    basic_auth_key: Credential | None = Field(
        default=None, description="a server's user:password, encrypted, or {from: env}"
    )
    ui_url: HttpUrl | None = Field(
        default=None, description="where people open runs; derived from the endpoint when left out"
    )

    @property
    def is_cloud(self) -> bool:
        """Whether this is Prefect Cloud."""
        return urlsplit(self.endpoint).hostname == CLOUD_API_HOST


class SecretSource(StrEnum):
    """Where a secret's value comes from when it is not in the stack's configuration."""

    ENV = "env"
    SECRETS_MANAGER = "secretsmanager"


class SecretSettings(SettingsModel):
    """One secret in AWS Secrets Manager, and where its value comes from."""

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9/_+=.@-]{1,400}$")] = Field(
        description="the secret's name in AWS: letters, digits and /_+=.@-"
    )
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
    block: Slug = Field(description="the block's name in Prefect: a-z, 0-9 and single dashes")
    secret: str = Field(description="key of data-alerts:secrets that holds the webhook URL")


class PagerDutyChannel(SettingsModel):
    """A PagerDuty service, reached by an Events API v2 integration."""

    kind: Literal["pagerduty"]
    block: Slug = Field(description="the block's name in Prefect: a-z, 0-9 and single dashes")
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
    tuple[str, ...], Field(min_length=1, description="channels to tell, at least one")
]


class TierSettings(SettingsModel):
    """Who is told."""

    notify: Notify


class CriticalSettings(TierSettings):
    """Who is told of a streak of failures, and what a streak is."""

    consecutive_failures: int = Field(
        default=3, ge=2, le=100, description="failures of one flow that make a streak"
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
        description="window in which all pipelines failed; by default the longest `every`, or 24h",
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


class PipelineSettings(SettingsModel):
    """A pipeline that somebody owns. Flows with the tag that are not listed alert as well."""

    owner: PlainName = Field(description="team that answers for it")
    runbook: HttpUrl | None = Field(default=None, description="what to do when it fails")
    every: Duration | None = Field(default=None, description="how often it runs")
    flow: PlainName | None = Field(default=None, description="the flow's name; default: the key")
    deployment: PlainName | None = Field(
        default=None, description="the deployment's name; default: any, and none"
    )
    escalate: bool = Field(default=False, strict=True, description="whether it wakes people")
    announce_success: bool = Field(
        default=False, strict=True, description="whether hooks announce its completions"
    )


class Settings(SettingsModel):
    """A stack's `data-alerts:` configuration."""

    prefect: PrefectSettings
    environment: Environment | None = Field(
        default=None,
        description="prod, staging, dev or sandbox; default: the stack's name, else prod",
    )
    name_prefix: Slug | None = Field(
        default=None, description="goes before every name, where stacks share an account"
    )
    tag: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,59}$")] = Field(
        default="dlt", description="the tag of flow runs that alert"
    )
    default_owner: PlainName = Field(
        default="unassigned", description="owner named for tagged flows that are not listed"
    )
    kms_key_id: PlainName | None = Field(
        default=None, description="KMS key for the secrets; default: the account's own"
    )
    secrets: dict[PlainName, SecretSettings] = Field(default_factory=dict)
    channels: dict[PlainName, Channel] = Field(min_length=1)
    tiers: TiersSettings
    escalation: tuple[EscalationStep, ...] = ()
    pipelines: dict[PlainName, PipelineSettings] = Field(default_factory=dict)

    def flow_of(self, pipeline: str) -> str:
        """Name of the flow a pipeline runs."""
        return self.pipelines[pipeline].flow or pipeline


def every_longest(pipelines: dict[str, PipelineSettings]) -> timedelta | None:
    """Longest stated interval between runs, or None when none states one."""
    return max((p.every for p in pipelines.values() if p.every), default=None)
