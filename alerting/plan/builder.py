"""Settings in, plan out. Pure: no Pulumi, no Prefect client, no clock, no environment."""

from collections.abc import Sequence
from dataclasses import replace

from alerting.plan.delivery import Delivery, is_set_up
from alerting.plan.drill_rules import drill_rules, published_drills
from alerting.plan.names import environment_of, names_of, ui_url_of
from alerting.plan.ownership import marked, tags_of
from alerting.plan.published import (
    SETTINGS_BLOCK,
    PublishedPipeline,
    PublishedSettings,
    PublishedStep,
    SentinelSettings,
)
from alerting.plan.rules import AutomationRule, BlockRule, Plan, SecretRule
from alerting.plan.sentinel_tiers import (
    BACK,
    SENTINEL,
    STANDBY_PREFIX,
    WATCH,
    SentinelTierPlanner,
)
from alerting.plan.tiers import TierPlanner, warning_name
from alerting.settings import Environment, Settings
from alerting.settings.consistency import DEFAULT_WINDOW, RESERVED_CHANNEL
from alerting.settings.durations import format_duration
from alerting.settings.models import Channel, Evaluation, SlackChannel
from alerting.settings.secret_values import variable_of

# Long enough to notice a mistake where it hurts, and at once where names are made again and again.
RECOVERY_WINDOW_DAYS = {
    Environment.PROD: 30,
    Environment.STAGING: 7,
    Environment.DEV: 0,
    Environment.SANDBOX: 0,
}
# Prefect's block fails on a blank API key at the moment somebody should be paged. The key is only
# sent in a header that PagerDuty's Events API ignores, so any text does.
UNUSED_API_KEY = "unused"


def build_plan(settings: Settings, stack: str) -> Plan:
    """What the stack consists of."""
    # Pulumi hands mappings over in another order than the file has; the plan must not differ.
    settings = settings.model_copy(update={"pipelines": dict(sorted(settings.pipelines.items()))})
    automations = tuple(
        replace(rule, description=marked(rule.description, stack))
        for rule in (*_automations(settings, stack), *drill_rules(settings, stack))
    )
    published = published_settings(settings, stack, automations)
    return Plan(
        stack=stack,
        secrets=_secrets(settings, stack),
        blocks=(*_channel_blocks(settings), _settings_block(settings, published)),
        automations=automations,
        published=published,
    )


def _automations(settings: Settings, stack: str) -> tuple[AutomationRule, ...]:
    if settings.evaluation is Evaluation.TRIGGERS:
        return tuple(TierPlanner(settings).automations())
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
    return tuple(
        _channel_block(settings, key, channel)
        for key, channel in settings.channels.items()
        if is_set_up(settings, key)
    )


def _channel_block(settings: Settings, key: str, channel: Channel) -> BlockRule:
    name = names_of(settings).block(channel.block)
    if isinstance(channel, SlackChannel):
        return BlockRule(
            key,
            name,
            "slack-webhook",
            {"notify_type": _color(settings, key)},
            {"url": channel.secret},
        )
    # The block's notify_type is the incident's severity; "failure" is PagerDuty's critical.
    data: dict[str, object] = {"notify_type": "failure", "region_name": channel.region}
    secrets = {"integration_key": channel.secret or ""}
    if channel.api_key_secret:
        secrets["api_key"] = channel.api_key_secret
    else:
        data["api_key"] = UNUSED_API_KEY
    return BlockRule(key, name, "pager-duty-webhook", data, secrets)


def _color(settings: Settings, channel: str) -> str:
    """Slack's colour bar follows the block, not the message: the gravest tier it hears decides."""
    tiers = settings.tiers
    grave = [tier.notify for tier in (tiers.critical, tiers.p1) if tier]
    grave += [step.notify for step in settings.escalation]
    if any(channel in notify for notify in grave):
        return "failure"
    if channel in tiers.warning.notify or (tiers.late and channel in tiers.late.notify):
        return "warning"
    return "info"


def _settings_block(settings: Settings, published: PublishedSettings) -> BlockRule:
    name = names_of(settings).block(SETTINGS_BLOCK)
    value = published.model_dump(mode="json")
    return BlockRule(RESERVED_CHANNEL, name, "secret", {"value": value})


def published_settings(
    settings: Settings, stack: str, automations: Sequence[AutomationRule]
) -> PublishedSettings:
    """What programs far from the stack's files follow."""
    slack_of = Delivery(settings).slack_of
    slugs = {block.key: block.slug for block in _channel_blocks(settings)}
    warning = slack_of(settings.tiers.warning.notify)
    success = slack_of(settings.tiers.success.notify) if settings.tiers.success else warning
    judged = settings.evaluation is Evaluation.SENTINEL
    return PublishedSettings(
        tag=settings.tag,
        failure_automation=warning_name(settings),
        failure_blocks=tuple(slugs[channel] for channel in warning),
        success_blocks=tuple(slugs[channel] for channel in success),
        default_owner=settings.default_owner,
        ui_url=ui_url_of(settings),
        pipelines=tuple(
            PublishedPipeline(
                name=key,
                flow=settings.flow_of(key),
                deployment=pipeline.deployment,
                owner=pipeline.owner,
                runbook=pipeline.runbook,
                announce_success=pipeline.announce_success,
                escalate=pipeline.escalate,
            )
            for key, pipeline in settings.pipelines.items()
        ),
        sentinel=_sentinel(settings, stack, automations) if judged else None,
        drills=published_drills(settings, stack, automations),
        stack=stack,
        blocks=tuple(slugs.values()),
        environment=environment_of(settings, stack),
    )


def _sentinel(
    settings: Settings, stack: str, automations: Sequence[AutomationRule]
) -> SentinelSettings:
    names, critical = names_of(settings), settings.tiers.critical
    within = critical.within if critical else None
    by_key = {rule.key: rule for rule in automations}
    return SentinelSettings(
        scope=names.scope(stack),
        name=names.automation(SENTINEL),
        consecutive_failures=critical.consecutive_failures if critical else None,
        within=within,
        steps=tuple(
            PublishedStep(label=format_duration(step.after), after=step.after, to=step.to)
            for step in settings.escalation
        ),
        silent_for=settings.sentinel.silent_for,
        catch_up=within or DEFAULT_WINDOW,
        watch=by_key[WATCH].name,
        back=by_key[BACK].name,
        standby={
            rule.key.removeprefix(STANDBY_PREFIX): rule.name for rule in automations if rule.standby
        },
    )
