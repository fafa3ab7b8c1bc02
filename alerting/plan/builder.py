"""Settings in, plan out. Pure: no Pulumi, no Prefect client, no clock, no environment."""

from dataclasses import replace

from alerting.plan.delivery import Delivery
from alerting.plan.drill_rules import drill_rules
from alerting.plan.names import environment_of, names_of
from alerting.plan.ownership import marked, tags_of
from alerting.plan.published import SETTINGS_BLOCK, PublishedSettings
from alerting.plan.publishing import published_settings
from alerting.plan.rules import AutomationRule, BlockRule, Plan, SecretRule
from alerting.plan.sentinel_tiers import SentinelTierPlanner
from alerting.plan.tiers import TierPlanner
from alerting.settings import Environment, Settings
from alerting.settings.channel_checks import RESERVED_CHANNEL
from alerting.settings.models import Evaluation
from alerting.settings.secret_values import variable_of

# Long enough to notice a mistake where it hurts, and at once where names are made again and again.
RECOVERY_WINDOW_DAYS = {
    Environment.PROD: 30,
    Environment.STAGING: 7,
    Environment.DEV: 0,
    Environment.SANDBOX: 0,
}


def build_plan(settings: Settings, stack: str) -> Plan:
    """What the stack consists of."""
    # Pulumi hands mappings over in another order than the file has; the plan must not differ.
    mappings = ("pipelines", "channels", "secrets", "owners")
    settings = settings.model_copy(
        update={name: dict(sorted(getattr(settings, name).items())) for name in mappings}
    )
    automations = tuple(
        replace(rule, description=marked(rule.description, stack))
        for rule in (*_automations(settings, stack), *drill_rules(settings, stack))
    )
    channels = _channel_blocks(settings)
    published = published_settings(settings, stack, automations, channels)
    return Plan(
        stack=stack,
        secrets=_secrets(settings, stack),
        blocks=(*channels, _settings_block(settings, published)),
        automations=automations,
        published=published,
    )


def _automations(settings: Settings, stack: str) -> tuple[AutomationRule, ...]:
    if settings.evaluation is Evaluation.TRIGGERS:
        return tuple(TierPlanner(settings, stack).automations())
    return tuple(SentinelTierPlanner(settings, stack).automations())


def _secrets(settings: Settings, stack: str) -> tuple[SecretRule, ...]:
    environment = environment_of(settings, stack)
    names = names_of(settings)
    kinds = {c.secret: c.kind for c in settings.channels.values() if c.secret}
    return tuple(
        SecretRule(
            key=key,
            name=names.secret(secret.name),
            description=f"{key} for Prefect pipeline alerts ({stack})",
            recovery_window_days=RECOVERY_WINDOW_DAYS[environment],
            protect=environment is Environment.PROD,
            kms_key_id=settings.kms_key_id,
            tags=tags_of(stack),
            variable=variable_of(key),
            kind=kinds.get(key, "pagerduty"),
        )
        for key, secret in settings.secrets.items()
    )


def _channel_blocks(settings: Settings) -> tuple[BlockRule, ...]:
    delivery = Delivery(settings)
    return tuple(block for key in settings.channels for block in delivery.kind(key).blocks())


def _settings_block(settings: Settings, published: PublishedSettings) -> BlockRule:
    name = names_of(settings).block(SETTINGS_BLOCK)
    return BlockRule(RESERVED_CHANNEL, name, "secret", {"value": published.packed()})
