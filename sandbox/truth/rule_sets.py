"""The rule sets that are compared, as triggers of Prefect's."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from alerting.plan import Plan, Tier
from alerting.plan.documents import trigger_document
from alerting.settings.models import Evaluation
from sandbox.fleet import TAG, fleet_plan
from sandbox.truth.matching import TIERS

_STEP = "escalation-"
_OTHERS = {"p1-work-pool", "work-pool-ready", "resolved", "p1-resolved"}
"""Rules that are not about a run, or that close an incident and page nobody."""
_GUIDE_STATES = ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"]


@dataclass(frozen=True)
class Rule:
    """A trigger, and what its firing says."""

    tier: Tier
    trigger: dict[str, Any]
    """As Prefect's API takes it."""
    step: str | None = None
    """An escalation's time, such as 15m."""


@dataclass(frozen=True)
class RuleSet:
    """Rules that are deployed together; with `judged` they match the sentinel's verdicts."""

    name: str
    rules: tuple[Rule, ...]
    plan: Plan
    judged: bool = False


def rule_sets(pipelines: int) -> tuple[RuleSet, ...]:
    """Those that are compared, over so many pipelines."""
    native = fleet_plan(pipelines, Evaluation.TRIGGERS)
    ours = fleet_plan(pipelines, Evaluation.SENTINEL)
    as_written = {"prefect.resource.role": "flow-run", "prefect.tag": TAG}
    mended = {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{TAG}"}
    return (
        RuleSet("guide, as written", tuple(_of_guide(as_written)), native),
        RuleSet("guide, its tag mended", tuple(_of_guide(mended)), native),
        RuleSet("native triggers", tuple(_of_plan(native)), native),
        RuleSet("ours", tuple(_of_plan(ours)), ours, judged=True),
    )


def _of_guide(related: dict[str, str]) -> Iterator[Rule]:
    """Its two automations. Of P1, escalation and recovery it only speaks."""
    trigger = {
        "type": "event",
        "posture": "Reactive",
        "expect": _GUIDE_STATES,
        "match_related": related,
    }
    yield Rule(Tier.WARNING, trigger)
    yield Rule(Tier.CRITICAL, {**trigger, "threshold": 3, "within": 86_400})


def _of_plan(plan: Plan) -> Iterator[Rule]:
    """What acts on runs and on verdicts about them."""
    for rule in plan.automations:
        if rule.enabled and rule.tier in TIERS and rule.key not in _OTHERS:
            step = rule.key.removeprefix(_STEP) if rule.tier is Tier.ESCALATION else None
            yield Rule(rule.tier, trigger_document(rule.trigger), step)
