"""Plays runs through a stack in Prefect's own engine, and says what its rules make of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from prefect.server.events.schemas.automations import CompoundTrigger, EventTrigger
from prefect.server.events.schemas.events import ReceivedEvent

from alerting.ctl.explanation import BETWEEN, Asked, Explanation, Firing, Reading
from alerting.ctl.reasons import reason
from alerting.plan import AutomationRule, Plan, Tier
from alerting.plan import EventTrigger as PlannedTrigger
from alerting.plan.published import PublishedPipeline
from alerting.plan.verdicts import VerdictKind
from alerting.scenarios.engine import GRANULARITY, START, Engine
from alerting.scenarios.run_events import RunEvent
from alerting.scenarios.simulation import Deployment, Simulation
from alerting.sentinel.events import OUTCOMES
from alerting.settings.durations import format_duration

STANDS_BY = "paused: stands by for a silent sentinel"
_VERDICTS = {kind.event for kind in VerdictKind}
_FAILED = [kind for kind, failed in OUTCOMES.items() if failed]
_SUCCEEDED = [kind for kind, failed in OUTCOMES.items() if not failed]
_AFTER_SUCCESS = {
    VerdictKind.RECOVERY.event: "nothing had failed before",
    VerdictKind.RESOLVED.event: "nobody was paged before",
    VerdictKind.NOT_ALL_DOWN.event: "not all pipelines were down before",
    VerdictKind.SUCCESS.event: "the pipeline does not announce its completions",
}
_NOT_OF_ENDS = {
    VerdictKind.STALE.event: "it takes a time without a success",
    VerdictKind.ANOMALY.event: "it takes a load that a flow tells of",
    VerdictKind.LATE.event: "it takes a run that does not start or end in time",
    VerdictKind.SILENCE_OVER.event: "it takes a silence that ends",
    VerdictKind.SUMMARY.event: "it takes the end of a day",
}
"""What is not judged by how a run ends."""


def explain(plan: Plan, asked: Asked, engine: Engine) -> Explanation:
    """Play the runs, and let pass what escalates."""
    deployment = Deployment(plan)
    runs = list(_runs(plan, asked))
    simulation = Simulation(deployment, engine)
    with simulation.running():
        for run in runs:
            simulation.advance(run.at - START)
            simulation.happens(run)
        told_now = len(simulation.told)
        simulation.advance(runs[-1].at - START + _longest_wait(plan) + 2 * GRANULARITY)
    rules = {rule.key: rule for rule in plan.automations}
    firings = [Firing(rules[t.rule], t, _verdict_of(rules[t.rule])) for t in simulation.told]
    now, later = firings[:told_now], firings[told_now:]
    events = [ReceivedEvent.model_validate(run.event()) for run in runs]
    pipeline = plan.published.pipeline_of(asked.flow, asked.deployment)
    judged = _Judged(plan, asked, runs[-1].type, pipeline)
    readings = (
        _reading(rule, reason(_trigger(deployment, rule), events), judged, (now, later))
        for rule in plan.automations
    )
    return Explanation(
        plan, asked, events[-1].event, pipeline, tuple(now), tuple(later), tuple(readings)
    )


def _runs(plan: Plan, asked: Asked) -> Iterator[RunEvent]:
    for number in range(asked.times):
        yield RunEvent(
            asked.flow,
            asked.state,
            START + number * BETWEEN,
            run=f"run-{number + 1}",
            message=asked.message,
            deployment=asked.deployment,
            tags=(plan.published.tag,),
        )


def _trigger(deployment: Deployment, rule: AutomationRule) -> EventTrigger | CompoundTrigger:
    trigger = deployment.automation(rule.key).trigger
    if not isinstance(trigger, EventTrigger | CompoundTrigger):
        raise TypeError("the plan knows no other triggers")
    return trigger


def _verdict_of(rule: AutomationRule) -> str | None:
    """The announcement that a rule acts on, when it acts on one."""
    if isinstance(rule.trigger, PlannedTrigger):
        [*names] = rule.trigger.expect
        if names[0] in _VERDICTS:
            return names[0]
    return None


def _longest_wait(plan: Plan) -> timedelta:
    """Until the last escalation step that the plan has, whoever judges."""
    sentinel = plan.published.sentinel
    steps = [step.after for step in sentinel.steps] if sentinel else []
    windows = [
        rule.trigger.within
        for rule in plan.automations
        if rule.tier is Tier.ESCALATION and not rule.standby
    ]
    return max([*steps, *windows], default=timedelta(0))


@dataclass(frozen=True)
class _Judged:
    """Why the sentinel announces something of the runs, or nothing."""

    plan: Plan
    asked: Asked
    state_type: str
    pipeline: PublishedPipeline | None

    def lacks(self, verdict: str) -> str:
        """What the sentinel lacks for a verdict that it did not announce."""
        if verdict in _NOT_OF_ENDS:
            return _NOT_OF_ENDS[verdict]
        if verdict in _AFTER_SUCCESS:
            succeeded = self.state_type in _SUCCEEDED
            return _AFTER_SUCCESS[verdict] if succeeded else self._state(_SUCCEEDED)
        if self.state_type not in _FAILED:
            return self._state(_FAILED)
        return self._of_failures(verdict)

    def _of_failures(self, verdict: str) -> str:
        if verdict == VerdictKind.STREAK.event:
            sentinel = self.plan.published.sentinel
            needed = sentinel.consecutive_failures if sentinel else None
            return f"counts {self.asked.times} of {needed} consecutive failures"
        if verdict == VerdictKind.ALL_DOWN.event:
            return "it takes the failures of two listed pipelines or more"
        if self.pipeline is None:
            return f"{self.asked.flow} is not a listed pipeline"
        return f"pipeline {self.pipeline.name} does not escalate"

    def _state(self, wanted: list[str]) -> str:
        return f"prefect.state-type is {self.state_type}, wanted {' or '.join(wanted)}"


def _reading(
    rule: AutomationRule,
    obstacle: str | None,
    judged: _Judged,
    firings: tuple[Sequence[Firing], Sequence[Firing]],
) -> Reading:
    now, later = ([f for f in each if f.rule is rule] for each in firings)
    verdict = _verdict_of(rule)
    if now:
        times = f", {len(now)} times" if len(now) > 1 else ""
        return Reading(rule, acts=True, why=f"{verdict or 'the event itself'}{times}")
    parts = [STANDS_BY] if rule.standby else []
    parts.append(obstacle or "would act")
    if later:
        parts.append(f"acts at {format_duration(later[0].told.at)} if nothing changes")
    elif verdict:
        parts.append(judged.lacks(verdict))
    return Reading(rule, acts=False, why="; ".join(parts))
