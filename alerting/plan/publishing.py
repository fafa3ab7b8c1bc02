"""From settings to what is published of them."""

from collections.abc import Sequence

from alerting.plan.channel_kinds import Webhook
from alerting.plan.delivery import Delivery, is_set_up
from alerting.plan.documents import crashing, in_order, switches
from alerting.plan.drill_rules import published_drills
from alerting.plan.names import environment_of, names_of, ui_url_of
from alerting.plan.occasions import occasions
from alerting.plan.published import (
    PublishedPipeline,
    PublishedRule,
    PublishedSettings,
    PublishedStep,
    SentinelSettings,
    occasion_name,
)
from alerting.plan.rules import AutomationRule, BlockRule
from alerting.plan.sentinel_tiers import SENTINEL, STANDBY_PREFIX, WATCH
from alerting.plan.silences import Window
from alerting.plan.tiers import warning_name
from alerting.plan.verdicts import VerdictKind
from alerting.settings import Settings
from alerting.settings.consistency import DEFAULT_WINDOW
from alerting.settings.durations import format_duration
from alerting.settings.models import Evaluation


def published_settings(
    settings: Settings,
    stack: str,
    automations: Sequence[AutomationRule],
    blocks: Sequence[BlockRule],
) -> PublishedSettings:
    """What programs far from the stack's files follow."""
    delivery = Delivery(settings)
    warning = settings.tiers.warning.notify
    success = settings.tiers.success.notify if settings.tiers.success else warning
    judged = settings.evaluation is Evaluation.SENTINEL
    return PublishedSettings(
        tag=settings.tag,
        failure_automation=warning_name(settings),
        success_automation=next((r.name for r in automations if r.key == "success"), None),
        failure_blocks=_hook_blocks(settings, warning),
        success_blocks=_hook_blocks(settings, success),
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
                every=pipeline.every,
                fresh_within=pipeline.fresh_within,
                deadline=pipeline.deadline,
                max_duration=pipeline.max_duration,
                least_rows=pipeline.rows.min if pipeline.rows else None,
                drop_below=pipeline.rows.drop_below if pipeline.rows else None,
            )
            for key, pipeline in settings.pipelines.items()
        ),
        sentinel=_sentinel(settings, stack, automations) if judged else None,
        drills=published_drills(settings, stack, automations),
        stack=stack,
        blocks=tuple(block.slug for block in blocks),
        channels={
            channel: delivery.kind(channel).through.slug
            for channel in settings.channels
            if is_set_up(settings, channel)
        },
        rules=tuple(map(_published_rule, automations)),
        environment=environment_of(settings, stack),
    )


def _published_rule(rule: AutomationRule) -> PublishedRule:
    told: list[str | None] = [notification.channel for notification in rule.notifications]
    switched: list[str | None] = [None for _ in switches(rule)]
    others: list[str | None] = [None for _ in crashing(rule)]
    return PublishedRule(
        key=rule.key,
        name=rule.name,
        tier=rule.tier,
        standby=rule.standby,
        actions=(*in_order(rule, told, switched), *others),
    )


def _hook_blocks(settings: Settings, notify: tuple[str, ...]) -> tuple[str, ...]:
    """The blocks through which a flow's hook tells quiet channels, which take its text."""
    delivery = Delivery(settings)
    kinds = [delivery.kind(channel) for channel in delivery.quiet(notify)]
    return tuple(kind.blocks()[0].slug for kind in kinds if not isinstance(kind, Webhook))


def _sentinel(
    settings: Settings, stack: str, automations: Sequence[AutomationRule]
) -> SentinelSettings:
    names, critical, p1 = names_of(settings), settings.tiers.critical, settings.tiers.p1
    within = critical.within if critical else None
    by_key = {rule.key: rule for rule in automations}
    summary = settings.daily_summary
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
        # A short window is about streaks: what was missed for longer is late, not void.
        catch_up=max(within or DEFAULT_WINDOW, DEFAULT_WINDOW),
        watch=by_key[WATCH].name,
        standby={
            rule.key.removeprefix(STANDBY_PREFIX): rule.name for rule in automations if rule.standby
        },
        flap_for=settings.noise.flap_for,
        individually=settings.noise.individually,
        maintenance=tuple(map(Window.of, settings.maintenance)),
        routes=tuple(sorted(settings.owners)),
        told_alike=_told_alike(settings),
        pages=_pages(settings),
        pages_all_down=p1 is not None and len(settings.pipelines) > 1,
        through_silences=p1 is not None and p1.through_silences,
        would_page=_would_page(settings),
        success=any(rule.key.startswith("success") for rule in automations),
        summary=summary.at if summary else None,
    )


def _told_alike(settings: Settings) -> dict[str, str]:
    """Routes that lead to the same channels as another one, the first of them."""
    return {
        occasion_name(kind, occasion.label, route): occasion.routes[0]
        for occasion in occasions(settings)
        for kind in occasion.kinds
        for route in occasion.routes[1:]
    }


def _pages(settings: Settings) -> tuple[VerdictKind, ...]:
    """The kinds of verdicts that open an incident which must be closed."""
    delivery = Delivery(settings)
    found = {
        kind
        for occasion in occasions(settings)
        if any(delivery.closes(channel) for channel in occasion.notify)
        for kind in occasion.kinds
    }
    return tuple(sorted(found - {VerdictKind.RESOLVED, VerdictKind.NOT_ALL_DOWN}))


def _would_page(settings: Settings) -> dict[str, str]:
    """Whom PagerDuty would page were it set up, by occasion."""
    delivery = Delivery(settings)
    found: dict[str, str] = {}
    for occasion in occasions(settings):
        waking = occasion.step.to if occasion.step else None
        if text := delivery.would_page(occasion.notify, waking=waking):
            for kind in occasion.kinds:
                for route in occasion.routes or ("",):
                    found[occasion_name(kind, occasion.label, route)] = text
    return found
