"""Who is woken: once for each failure, and still tomorrow."""

from collections.abc import Iterator

from pulumi_policy import (
    PolicyResource,
    ReportViolation,
    StackValidationArgs,
    StackValidationPolicy,
)

from alerting.plan import CompoundTrigger, EventTrigger, Posture
from alerting.plan.drill_rules import DRILL_PAGE
from alerting.plan.sentinel_tiers import STANDBY_PREFIX
from alerting.plan.waking import unpaged
from policy.resources import (
    AUTOMATION,
    BLOCK,
    is_enabled,
    is_pager,
    is_production,
    of_type,
    pager_name,
    pagers_of,
    published_of,
    trigger_of,
    unkeyed_pages,
)

_STATE = "prefect.state-type"


def _once(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    paging = [each for each in of_type(args.resources, AUTOMATION) if pagers_of(each)]
    for automation in paging:
        trigger = trigger_of(automation.props)
        if trigger and (problem := _repeats(trigger)):
            report_violation(f"{automation.name}: {problem}.", automation.urn)
    for automation in of_type(args.resources, AUTOMATION):
        if unkeyed_pages(automation):
            report_violation(
                f"{automation.name}: pages without a dedup_key, so that each message is an "
                "incident which nothing resolves. Have the plan write its messages: see "
                "alerting/plan/channel_kinds.py.",
                automation.urn,
            )
    for one, other in _doubled([each for each in paging if is_enabled(each)]):
        report_violation(
            f"{other.name}: rings the same pager as {one.name}, by the same trigger. Remove one.",
            other.urn,
        )


def _repeats(trigger: EventTrigger | CompoundTrigger) -> str | None:
    """Why one failure would page more than once, None when it would not."""
    if isinstance(trigger, CompoundTrigger):
        return None if trigger.within else "pages without a window. Set within"
    if not trigger.for_each:
        return "pages for every event. Key it by run, flow or deployment: set for_each"
    counts = trigger.threshold > 1 or trigger.posture is Posture.PROACTIVE
    if counts and not trigger.within:
        return "counts, or waits, without a window. Set within"
    if any("*" in event for event in trigger.expect) and _STATE not in trigger.match:
        return f"pages for every state of a run. Name the events in expect, or match {_STATE}"
    return None


def _doubled(paging: list[PolicyResource]) -> Iterator[tuple[PolicyResource, PolicyResource]]:
    for index, one in enumerate(paging):
        for other in paging[index + 1 :]:
            shared = set(pagers_of(one)) & set(pagers_of(other))
            if shared and trigger_of(one.props) == trigger_of(other.props):
                yield one, other


def _stay(args: StackValidationArgs, report_violation: ReportViolation) -> None:
    published = published_of(args.resources)
    paging = [each for each in of_type(args.resources, AUTOMATION) if pagers_of(each)]
    for automation in paging:
        if not is_enabled(automation) and not automation.name.startswith(STANDBY_PREFIX):
            report_violation(
                f"{automation.name}: pages, and is switched off. Switch it on, or remove the pager "
                "from its tier.",
                automation.urn,
            )
    acting = [each for each in paging if is_enabled(each) and each.name != DRILL_PAGE]
    rung = {pager for automation in acting for pager in pagers_of(automation)}
    silent: dict[str, PolicyResource] = {}
    # Sorted: the channel's own block comes before the one for its incidents, however made.
    for block in sorted(of_type(args.resources, BLOCK), key=lambda each: each.name):
        if is_pager(block) and pager_name(block) not in rung:
            silent.setdefault(pager_name(block), block)
    for block in silent.values():
        report_violation(
            f"{block.name}: is a pager that no alert rings. Name the channel in a tier or an "
            "escalation step, or remove it.",
            block.urn,
        )
    if published and is_production(published):
        for occasion in unpaged(published, (each.name for each in acting)):
            report_violation(
                f"{occasion}: nobody is paged for it in production. Bring back the automation "
                "with this key, enabled and with a PagerDuty channel: see data-alerts:tiers "
                "and data-alerts:escalation.",
                None,
            )


POLICIES = [
    StackValidationPolicy(
        "page-once",
        "One failure is one page: PagerDuty opens an incident for each, and whoever is woken by "
        "ten for one sleeps through the eleventh.",
        _once,
    ),
    StackValidationPolicy(
        "paging-rules-stay",
        "What wakes people is not deleted or switched off without a replacement: that nobody is "
        "paged any more is noticed only when somebody should have been.",
        _stay,
    ),
]
