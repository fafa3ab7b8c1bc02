"""Secrets as a stack's file declares them: where each comes from and who uses it."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from alerting.plan import Plan, SecretRule, build_plan
from alerting.secrets.errors import SecretsError
from alerting.settings import SecretSource, Settings
from alerting.settings.channels import PagerDutyChannel
from alerting.settings.stackfile import StackFile


@dataclass(frozen=True)
class BlockField:
    """The field of a Prefect block that a secret fills."""

    type_slug: str
    block: str
    field: str

    def __str__(self) -> str:
        return f"{self.type_slug}/{self.block}"


@dataclass(frozen=True)
class DeclaredSecret:
    """A secret, where its value comes from, and who uses it."""

    key: str
    rule: SecretRule
    source: SecretSource | None
    """None where the stack's configuration holds the value."""
    channels: tuple[str, ...]
    fields: tuple[BlockField, ...]

    @property
    def name(self) -> str:
        """Its name in AWS."""
        return self.rule.name

    @property
    def comes_from(self) -> str:
        """Where a deployment takes the value from, in words."""
        if self.source is SecretSource.ENV:
            return f"variable {self.rule.variable}"
        if self.source is SecretSource.SECRETS_MANAGER:
            return "Secrets Manager"
        return "stack configuration"


def declared_secrets(found: StackFile) -> list[DeclaredSecret]:
    """Every secret of a stack, in the order of its file."""
    plan = build_plan(found.settings, found.stack)
    return [
        DeclaredSecret(
            key=rule.key,
            rule=rule,
            source=found.settings.secrets[rule.key].source,
            channels=_channels(found.settings, rule.key),
            fields=_fields(plan, rule.key),
        )
        for rule in plan.secrets
    ]


def secret_named(secrets: Sequence[DeclaredSecret], key: str) -> DeclaredSecret:
    """The secret of that key. Raises SecretsError, with the nearest key, when there is none."""
    by_key = {secret.key: secret for secret in secrets}
    if key in by_key:
        return by_key[key]
    close = get_close_matches(key, sorted(by_key), n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Name one of {', '.join(by_key) or 'none'}"
    # What was asked for is not repeated: it may be the value, pasted in place of the name.
    raise SecretsError(f"data-alerts:secrets has no such key. {hint}")


def _channels(settings: Settings, key: str) -> tuple[str, ...]:
    return tuple(
        name
        for name, channel in settings.channels.items()
        if key == channel.secret
        or (isinstance(channel, PagerDutyChannel) and key == channel.api_key_secret)
    )


def _fields(plan: Plan, key: str) -> tuple[BlockField, ...]:
    return tuple(
        BlockField(block.type_slug, block.name, field)
        for block in plan.blocks
        for field, secret in block.secrets.items()
        if secret == key
    )
