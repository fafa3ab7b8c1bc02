"""When the sentinel has somebody told, of what, and whom: one entry for each automation.

| tier | of | told by default |
| --- | --- | --- |
| warning | a failure | the tier's channels |
| critical | a streak of failures | the tier's channels |
| escalation | an outage that lasts, step by step | the step's channels |
| p1 | all pipelines down | the tier's channels |
| recovery | the end of an outage or of stale data; PagerDuty closes what it was paged for | Slack |
| freshness, anomaly | no success in time; too few rows | who hears a warning |
| late | a run that does not start or end | Slack |
| success, summary | good news; a day, or a silence, in numbers | Slack |

Owners with channels of their own are told there. Those who are told alike share an automation.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from alerting.plan.delivery import Delivery
from alerting.plan.rules import Tier
from alerting.plan.verdicts import DEFAULT_ROUTE, VerdictKind
from alerting.settings import Settings
from alerting.settings.durations import format_duration
from alerting.settings.tiers import EscalationStep


@dataclass(frozen=True)
class Occasion:
    """What one automation tells of."""

    key: str
    title: str
    tier: Tier
    description: str
    kinds: tuple[VerdictKind, ...]
    notify: tuple[str, ...]
    step: EscalationStep | None = None
    routes: tuple[str, ...] = ()
    """Whose channels these are; none where no owner has channels of its own."""

    @property
    def label(self) -> str | None:
        """The escalation step's label."""
        return format_duration(self.step.after) if self.step else None


def occasions(settings: Settings) -> Iterator[Occasion]:
    """Every occasion on which the stack's verdicts are told."""
    for occasion in (*_for_everybody(settings), _closing(settings)):
        yield from _by_route(settings, occasion)
    yield from _p1(settings)


def routed(settings: Settings, owner: str, notify: tuple[str, ...]) -> tuple[str, ...]:
    """Who is told in place of these channels, of a pipeline of an owner."""
    own = settings.owners.get(owner)
    if own is None:
        return notify
    tiers = settings.tiers
    # An escalation to somebody else's channel stays with somebody else.
    usual = {*tiers.warning.notify, *(tiers.critical.notify if tiers.critical else ())}
    delivery = Delivery(settings)

    def channel_of(name: str) -> str:
        if name not in usual:
            return name
        other = own.pagerduty if delivery.is_pagerduty(name) else own.slack
        return other or name

    return tuple(dict.fromkeys(map(channel_of, notify)))


def _by_route(settings: Settings, occasion: Occasion) -> Iterator[Occasion]:
    """An occasion for each list of channels, with the routes that lead there."""
    told: dict[tuple[str, ...], list[str]] = {
        _hearing(settings, occasion, occasion.notify): [DEFAULT_ROUTE] if occasion.routes else []
    }
    for owner in sorted(settings.owners) if occasion.routes else ():
        notify = routed(settings, owner, occasion.notify)
        told.setdefault(_hearing(settings, occasion, notify), []).append(owner)
    for notify, routes in told.items():
        if notify:
            yield _routed(occasion, notify, tuple(routes))


def _hearing(settings: Settings, occasion: Occasion, notify: tuple[str, ...]) -> tuple[str, ...]:
    """Those of a route's channels that take such a message.

    An owner's PagerDuty may have incidents to close where everybody's has none, and the other way
    round.
    """
    delivery = Delivery(settings)
    if VerdictKind.RESOLVED in occasion.kinds:
        return tuple(filter(delivery.closes, notify))
    if VerdictKind.RECOVERY in occasion.kinds:
        # Incidents are closed by themselves: many recoveries may be one message, which closes none.
        return tuple(c for c in notify if not delivery.closes(c))
    return notify


def _routed(occasion: Occasion, notify: tuple[str, ...], routes: tuple[str, ...]) -> Occasion:
    key, title = occasion.key, occasion.title
    if routes and DEFAULT_ROUTE not in routes:
        # By its first owner: a further one that is told alike keeps what it has counted.
        key, title = f"{key}@{routes[0]}", f"{title}, {routes[0]}"
    return Occasion(
        key,
        title,
        occasion.tier,
        occasion.description,
        occasion.kinds,
        notify,
        occasion.step,
        routes,
    )


def _for_everybody(settings: Settings) -> Iterator[Occasion]:
    tiers, delivery = settings.tiers, Delivery(settings)
    pipelines = settings.pipelines.values()
    warned, on_slack = tiers.warning.notify, delivery.warned_quietly()
    any_route = (DEFAULT_ROUTE,)
    yield Occasion(
        "warning",
        "Pipeline Failure Alert",
        Tier.WARNING,
        f"One message for each failed run with the tag {settings.tag}.",
        (VerdictKind.FAILURE,),
        warned,
        routes=any_route,
    )
    yield Occasion(
        "recovery",
        "Pipeline Recovery",
        Tier.RECOVERY,
        "The first success of a pipeline that had failed, or was stale.",
        (VerdictKind.RECOVERY, VerdictKind.FRESH),
        delivery.told_of_recovery(),
        routes=any_route,
    )
    if tiers.critical:
        failures = tiers.critical.consecutive_failures
        yield Occasion(
            "critical",
            "Pipeline Critical Alert",
            Tier.CRITICAL,
            f"{failures} consecutive failures of one pipeline, and every further {failures}.",
            (VerdictKind.STREAK,),
            tiers.critical.notify,
            routes=any_route,
        )
    if any(pipeline.escalate for pipeline in pipelines):
        for step in settings.escalation:
            after = format_duration(step.after)
            yield Occasion(
                f"escalation-{after}",
                f"Pipeline Escalation ({after})",
                Tier.ESCALATION,
                f"An outage of {after}, for the {step.to}.",
                (VerdictKind.ESCALATION,),
                step.notify,
                step,
                any_route,
            )
    if any(pipeline.fresh_within or pipeline.deadline for pipeline in pipelines):
        yield Occasion(
            "freshness",
            "Pipeline Stale",
            Tier.FRESHNESS,
            "A pipeline that has not succeeded in time.",
            (VerdictKind.STALE,),
            tiers.freshness.notify if tiers.freshness else warned,
            routes=any_route,
        )
    if any(pipeline.rows for pipeline in pipelines):
        yield Occasion(
            "anomaly",
            "Pipeline Anomaly",
            Tier.ANOMALY,
            "A load of too few rows.",
            (VerdictKind.ANOMALY,),
            tiers.anomaly.notify if tiers.anomaly else warned,
            routes=any_route,
        )
    yield Occasion(
        "late",
        "Pipeline Late",
        Tier.LATE,
        "A run that did not start in time, or takes longer than it may.",
        (VerdictKind.LATE, VerdictKind.STUCK),
        tiers.late.notify if tiers.late else on_slack,
        routes=any_route,
    )
    if tiers.success and any(pipeline.announce_success for pipeline in pipelines):
        yield Occasion(
            "success",
            "Pipeline Success",
            Tier.SUCCESS,
            "A completed run of a pipeline with announceSuccess.",
            (VerdictKind.SUCCESS,),
            tiers.success.notify,
            routes=any_route,
        )
    yield Occasion(
        "silence-over",
        "Silence Over",
        Tier.SUMMARY,
        "What happened in a silence, once it is over.",
        (VerdictKind.SILENCE_OVER,),
        on_slack,
    )
    if settings.daily_summary:
        yield Occasion(
            "summary",
            "Daily Summary",
            Tier.SUMMARY,
            "The last day's runs, failures and recoveries.",
            (VerdictKind.SUMMARY,),
            settings.daily_summary.notify,
        )


def _closing(settings: Settings) -> Occasion:
    """The end of what a pipeline was paged for: for everybody who was told of it."""
    tiers = settings.tiers
    lists = [tiers.warning.notify, tiers.critical.notify if tiers.critical else ()]
    lists += [step.notify for step in settings.escalation]
    lists += [tier.notify for tier in (tiers.freshness, tiers.anomaly, tiers.late) if tier]
    return Occasion(
        "resolved",
        "Incident Resolved",
        Tier.RECOVERY,
        "Closes the incident of a pipeline that is well again.",
        (VerdictKind.RESOLVED,),
        tuple(dict.fromkeys(name for notify in lists for name in notify)),
        routes=(DEFAULT_ROUTE,),
    )


def _p1(settings: Settings) -> Iterator[Occasion]:
    p1, delivery = settings.tiers.p1, Delivery(settings)
    if p1 is None or len(settings.pipelines) < 2:  # noqa: PLR2004 - it takes two to be all
        return
    yield Occasion(
        "p1-all-down",
        "Pipelines All Down",
        Tier.P1,
        "The last run of every listed pipeline failed.",
        (VerdictKind.ALL_DOWN,),
        p1.notify,
    )
    if resolving := tuple(name for name in p1.notify if delivery.closes(name)):
        yield Occasion(
            "p1-resolved",
            "Pipelines Not All Down",
            Tier.RECOVERY,
            "Closes the incident of all pipelines being down.",
            (VerdictKind.NOT_ALL_DOWN,),
            resolving,
        )
