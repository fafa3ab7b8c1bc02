"""What is configured soundly and will not do what people expect of it. Pure.

Errors are the settings' business: they keep a stack from being deployed. These are told beside it.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from alerting.plan.delivery import Delivery, is_set_up
from alerting.plan.occasions import Occasion, occasions, routed
from alerting.plan.rules import Plan, Tier
from alerting.plan.silences import Silences, Window
from alerting.plan.verdicts import DEFAULT_ROUTE, OVERDUE
from alerting.plan.waking import unpaged
from alerting.settings import Environment, Settings
from alerting.settings.durations import format_duration
from alerting.settings.models import Evaluation

_PAGING = frozenset({Tier.CRITICAL, Tier.ESCALATION, Tier.P1})
_AWAKE = timedelta(minutes=1)
_FROM, _LOOKED_AT = datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=62)


@dataclass(frozen=True)
class Finding:
    """Something to be looked at: where it is, what it means and what to do."""

    key: str
    text: str


def findings(settings: Settings, plan: Plan) -> list[Finding]:
    """Everything that is found of a stack's settings and their plan."""
    return [
        *_nobody_told(settings),
        *_never_fires(settings),
        *_told_twice(settings),
        *_never_resolved(settings),
        *_wakes_nobody(settings),
        *_stopped(settings, plan),
    ]


def _nobody_told(settings: Settings) -> Iterator[Finding]:
    """Pipelines of which those would not be told who should."""
    delivery = Delivery(settings)
    for name, pipeline in settings.pipelines.items():
        notify = routed(settings, pipeline.owner, settings.tiers.warning.notify)
        if not any(is_set_up(settings, channel) for channel in notify):
            yield Finding(
                f"pipelines.{name}",
                f"nobody at {pipeline.owner} would be told of its failures: {', '.join(notify)} is "
                f"not set up, and {', '.join(delivery.reached(notify))} hears in its place. Give "
                "it a secret, or name another channel",
            )
    silenced = cache(_is_silenced_always)
    for name in settings.pipelines:
        windows = [w for w in settings.maintenance if not w.pipelines or name in w.pipelines]
        if windows and silenced(tuple(Window.of(each) for each in windows)):
            yield Finding(
                f"pipelines.{name}",
                "nobody would be told of it: maintenance silences it all the time. Shorten the "
                "windows",
            )


def _is_silenced_always(windows: tuple[Window, ...]) -> bool:
    """Whether these windows leave no time to be told in, in any of some weeks."""
    silences, at = Silences(windows=windows), _FROM
    while at < _FROM + _LOOKED_AT:
        running = silences.running(at)
        coming = silences.coming(at, at + _AWAKE)
        if not running and not coming:
            return False
        at = max(each.ends for each in running or coming)
    return True


def _never_fires(settings: Settings) -> Iterator[Finding]:
    """Tiers that cannot fire."""
    tiers, pipelines = settings.tiers, settings.pipelines.values()
    if tiers.p1 and len(settings.pipelines) < 2:  # noqa: PLR2004 - it takes two to be all
        yield Finding("tiers.p1", "never fires for pipelines: list two of them at least")
    if settings.escalation and not any(pipeline.escalate for pipeline in pipelines):
        yield Finding("escalation", "never fires: no pipeline has escalate: true")
    if tiers.freshness and not any(p.fresh_within or p.deadline for p in pipelines):
        yield Finding("tiers.freshness", "never fires: no pipeline has freshWithin or deadline")
    if tiers.anomaly and not any(pipeline.rows for pipeline in pipelines):
        yield Finding("tiers.anomaly", "never fires: no pipeline has rows")
    if tiers.success and not any(pipeline.announce_success for pipeline in pipelines):
        yield Finding("tiers.success", "never fires: no pipeline has announceSuccess: true")
    flap_for = settings.noise.flap_for
    for name, pipeline in settings.pipelines.items():
        if flap_for and pipeline.every and flap_for >= pipeline.every:
            yield Finding(
                f"pipelines.{name}.every",
                f"its recovery is never told while it fails now and then: noise.flapFor of "
                f"{format_duration(flap_for)} is as long as its interval. Shorten flapFor",
            )


def _told_twice(settings: Settings) -> Iterator[Finding]:
    """Rules that page for one event, and channels that are one place."""
    yield from _paged_twice(settings)
    places: defaultdict[str, list[str]] = defaultdict(list)
    for name, declared in settings.channels.items():
        if declared.secret:
            places[declared.secret].append(name)
    for occasion in _of_default_route(settings):
        for secret, names in places.items():
            if len(both := [name for name in names if name in occasion.notify]) > 1:
                yield Finding(
                    occasion.key,
                    f"tells {' and '.join(both)}, which are one place: both use {secret}. Name one",
                )


def _paged_twice(settings: Settings) -> Iterator[Finding]:
    delivery = Delivery(settings)
    paging: defaultdict[str, set[str]] = defaultdict(set)
    for occasion in _of_default_route(settings):
        for channel in occasion.notify:
            if delivery.is_pagerduty(channel) and not delivery.resolves(channel):
                paging[channel].add(occasion.key)
    for channel, keys in paging.items():
        if {"warning", "critical"} <= keys:
            yield Finding(
                "tiers.critical",
                f"pages {channel} for a failure that warning pages it for: with incidents: plain "
                "that is two incidents. Take it out of one, or let incidents be deduplicated",
            )


def _never_resolved(settings: Settings) -> Iterator[Finding]:
    """Pages whose incidents nothing closes."""
    delivery = Delivery(settings)
    triggers_judge = settings.evaluation is Evaluation.TRIGGERS
    for occasion in _of_default_route(settings):
        if triggers_judge and OVERDUE.issuperset(occasion.kinds):
            for channel in filter(delivery.closes, occasion.notify):
                yield Finding(
                    occasion.key,
                    f"pages {channel}, and nothing resolves it: no trigger sees the success that "
                    "ends it. Tell Slack, close them by hand, or use evaluation: sentinel",
                )
        if occasion.tier not in _PAGING:
            continue
        for channel in occasion.notify:
            if delivery.is_pagerduty(channel) and not delivery.resolves(channel):
                yield Finding(
                    occasion.key,
                    f"pages {channel}, and no recovery resolves it: it has incidents: plain. "
                    "Use deduplicated, or close them by hand",
                )


def _wakes_nobody(settings: Settings) -> Iterator[Finding]:
    """Escalation steps on a channel that has the incident already."""
    delivery, seen = Delivery(settings), dict[str, str]()
    for step in settings.escalation:
        after = format_duration(step.after)
        for channel in step.notify:
            if delivery.resolves(channel) and channel in seen:
                yield Finding(
                    f"escalation.{after}",
                    f"updates the incident that {seen[channel]} opened on {channel}, which wakes "
                    f"nobody again: PagerDuty's own policy must reach the {step.to}, or name a "
                    "channel of theirs",
                )
            seen.setdefault(channel, f"the step of {after}")


def _stopped(settings: Settings, plan: Plan) -> Iterator[Finding]:
    """Production that wakes nobody, which a policy stops and the settings allow."""
    if plan.published.environment is not Environment.PROD:
        return
    delivery = Delivery(settings)
    paging = [
        rule.key
        for rule in plan.automations
        if rule.enabled and any(delivery.is_pagerduty(each.channel) for each in rule.notifications)
    ]
    if missing := ", ".join(unpaged(plan.published, paging)):
        yield Finding(
            "environment",
            f"is prod, and nobody is paged for {missing}: the policy paging-rules-stay stops the "
            "deployment in CI. Have tiers and escalation name a PagerDuty channel that has its "
            "secret, or say by environment that this is not production",
        )


def _of_default_route(settings: Settings) -> Iterator[Occasion]:
    if settings.evaluation is Evaluation.SENTINEL:
        for occasion in occasions(settings):
            if not occasion.routes or DEFAULT_ROUTE in occasion.routes:
                yield occasion
        return
    yield from occasions(settings.model_copy(update={"owners": {}}))
