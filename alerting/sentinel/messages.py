"""What each verdict says. Pure.

Everything is said here and nothing in Prefect's templates, which render an undefined name as
nothing: a message that is wrong fails a test, and not at night.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from alerting.plan.incidents import ALL_DOWN, STORM, IncidentKeys
from alerting.plan.message import Incident, Message
from alerting.plan.published import PublishedPipeline, PublishedSettings, occasion_name
from alerting.plan.rules import Tier
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.judging import pipeline_key, rules_of
from alerting.sentinel.routes import route_of
from alerting.sentinel.texts import listed, one_line, readable, shortened
from alerting.sentinel.verdicts import Verdict

TIERS = {
    VerdictKind.FAILURE: Tier.WARNING,
    VerdictKind.STREAK: Tier.CRITICAL,
    VerdictKind.ESCALATION: Tier.ESCALATION,
    VerdictKind.RECOVERY: Tier.RECOVERY,
    VerdictKind.ALL_DOWN: Tier.P1,
    VerdictKind.NOT_ALL_DOWN: Tier.RECOVERY,
    VerdictKind.RESOLVED: Tier.RECOVERY,
    VerdictKind.SUCCESS: Tier.SUCCESS,
    VerdictKind.STALE: Tier.FRESHNESS,
    VerdictKind.FRESH: Tier.RECOVERY,
    VerdictKind.ANOMALY: Tier.ANOMALY,
    VerdictKind.LATE: Tier.LATE,
    VerdictKind.STUCK: Tier.LATE,
    VerdictKind.SILENCE_OVER: Tier.SUMMARY,
    VerdictKind.SUMMARY: Tier.SUMMARY,
}
_OVER = frozenset(
    {
        VerdictKind.RECOVERY,
        VerdictKind.NOT_ALL_DOWN,
        VerdictKind.RESOLVED,
        VerdictKind.FRESH,
        VerdictKind.SUCCESS,
    }
)
_WITH_ERROR = frozenset(
    {VerdictKind.FAILURE, VerdictKind.STREAK, VerdictKind.ESCALATION, VerdictKind.ALL_DOWN}
)
_NOT_ENDED = frozenset({VerdictKind.LATE, VerdictKind.STUCK, VerdictKind.ANOMALY})
_IN_A_LIST = 40
"""Pipelines that a list names; the rest is counted."""

Words = tuple[str, str]
"""A subject and a sentence."""


def message_of(verdict: Verdict, settings: PublishedSettings) -> Message:
    """What people are told of a verdict."""
    subject, sentence = _words(verdict, settings)
    lines = _member_lines if verdict.members else _lines
    pipeline = _pipeline(verdict, settings)
    return Message(
        TIERS[verdict.kind],
        subject,
        sentence,
        tuple(lines(verdict, settings)),
        _incident(verdict, settings),
        would_page=_would_page(verdict, settings),
        has_runbook=not verdict.members and bool(pipeline and pipeline.runbook),
    )


def _words(verdict: Verdict, settings: PublishedSettings) -> Words:
    flow, members = verdict.ended.flow, len(verdict.members)
    if verdict.members and verdict.kind is not VerdictKind.RESOLVED:
        pipelines = len({pipeline for pipeline, _ in _members(verdict, settings)})
        what = _LISTS[verdict.kind].format(step=_step(verdict, settings))
        who = f"{pipelines} pipelines" if pipelines > 1 else flow
        subject = f"{_LOUD.get(verdict.kind, '')}{who} {what}"
        return subject, f"{who} {what}: {members} within a minute, told as one."
    return _WORDS[verdict.kind](verdict, settings)


def _failure(verdict: Verdict, _: PublishedSettings) -> Words:
    flow = verdict.ended.flow
    return f"Pipeline failed: {flow}", f"{flow} failed."


def _streak(verdict: Verdict, _: PublishedSettings) -> Words:
    in_a_row = verdict.outage.in_a_row if verdict.outage else 1
    flow, times = verdict.ended.flow, f"{in_a_row} times in a row"
    return (
        f"CRITICAL: {flow} failed {times}",
        f"{flow} failed {times}, {_since(verdict)}. This is the latest failure.",
    )


def _escalation(verdict: Verdict, settings: PublishedSettings) -> Words:
    flow, step = verdict.ended.flow, verdict.step
    return (
        f"ESCALATION to {_step(verdict, settings)}: {flow} has not recovered in {step}",
        (
            f"{flow} has been failing {_since(verdict)} and has not succeeded in {step}. This is "
            f"for the {_step(verdict, settings)}; the latest failure is below."
        ),
    )


def _recovery(verdict: Verdict, _: PublishedSettings) -> Words:
    flow, outage = verdict.ended.flow, verdict.outage
    how = "in all" if outage and outage.seemed_over else "in a row"
    return (
        f"Recovered: {flow}",
        (
            f"{flow} completed. It was failing {_since(verdict)}, {_failures(verdict)} time(s) "
            f"{how}."
        ),
    )


def _resolved(verdict: Verdict, _: PublishedSettings) -> Words:
    if verdict.members:
        return "Resolved: the pipelines that failed together", "All of them are well again."
    flow = verdict.ended.flow
    return f"Resolved: {flow}", f"{flow} is well again."


def _all_down(verdict: Verdict, settings: PublishedSettings) -> Words:
    names = [_named(key, settings) for key in verdict.pipelines]
    return (
        f"P1: all {len(names)} pipelines are down",
        (
            f"The last run of every listed pipeline failed: {listed(sorted(names))}. This is the "
            "last failure. Look for what they share: network, credentials, warehouse, workers."
        ),
    )


def _not_all_down(verdict: Verdict, _: PublishedSettings) -> Words:
    flow = verdict.ended.flow
    return "Not all pipelines are down any more", f"{flow} completed."


def _success(verdict: Verdict, _: PublishedSettings) -> Words:
    flow = verdict.ended.flow
    return f"Pipeline completed: {flow}", f"{flow} completed."


def _stale(verdict: Verdict, _: PublishedSettings) -> Words:
    flow, facts = verdict.ended.flow, dict(verdict.facts)
    last = (
        f"It last succeeded at {readable(verdict.ended.at)}."
        if verdict.ended.is_run
        else f"It has not succeeded since it was first expected, at {readable(verdict.ended.at)}."
    )
    return f"Stale: {flow}, {facts['Why']}", f"{flow} is stale: {facts['Why']}. {last}"


def _fresh(verdict: Verdict, _: PublishedSettings) -> Words:
    flow = verdict.ended.flow
    return f"Fresh again: {flow}", f"{flow} completed. Its data had been stale."


def _anomaly(verdict: Verdict, _: PublishedSettings) -> Words:
    flow, facts = verdict.ended.flow, dict(verdict.facts)
    return (
        f"Anomaly: {flow} loaded {facts['Rows']} rows",
        f"{flow} loaded {facts['Rows']} rows; expected were {facts['Expected']}.",
    )


def _late(verdict: Verdict, _: PublishedSettings) -> Words:
    flow = verdict.ended.flow
    return (
        f"Late to start: {flow}",
        (
            f"{flow} should have started at {readable(verdict.ended.at)} and has not. Is a worker "
            "running for its work pool, and is its concurrency limit free?"
        ),
    )


def _stuck(verdict: Verdict, _: PublishedSettings) -> Words:
    flow, facts = verdict.ended.flow, dict(verdict.facts)
    return (
        f"Stuck: {flow} has been running for {facts['Longer than']}",
        (
            f"{flow} has been running since {readable(verdict.ended.at)}, longer than its "
            f"maxDuration of {facts['Longer than']}."
        ),
    )


def _silence_over(verdict: Verdict, _: PublishedSettings) -> Words:
    facts = dict(verdict.facts)
    return f"Silence over: {facts['Silence']}", "This is what nobody was told of meanwhile."


def _summary(verdict: Verdict, settings: PublishedSettings) -> Words:
    facts = dict(verdict.facts)
    title = f"Pipelines of {settings.stack}: {facts['Runs']} runs, {facts['Failed']} failed"
    return title, "What the last day's runs came to."


_WORDS: dict[VerdictKind, Callable[[Verdict, PublishedSettings], Words]] = {
    VerdictKind.FAILURE: _failure,
    VerdictKind.STREAK: _streak,
    VerdictKind.ESCALATION: _escalation,
    VerdictKind.RECOVERY: _recovery,
    VerdictKind.RESOLVED: _resolved,
    VerdictKind.ALL_DOWN: _all_down,
    VerdictKind.NOT_ALL_DOWN: _not_all_down,
    VerdictKind.SUCCESS: _success,
    VerdictKind.STALE: _stale,
    VerdictKind.FRESH: _fresh,
    VerdictKind.ANOMALY: _anomaly,
    VerdictKind.LATE: _late,
    VerdictKind.STUCK: _stuck,
    VerdictKind.SILENCE_OVER: _silence_over,
    VerdictKind.SUMMARY: _summary,
}
# In the past, which reads the same of one pipeline and of many.
_LISTS = {
    VerdictKind.FAILURE: "failed",
    VerdictKind.STREAK: "kept failing",
    VerdictKind.ESCALATION: "did not recover, for the {step}",
    VerdictKind.RECOVERY: "recovered",
    VerdictKind.STALE: "went stale",
    VerdictKind.FRESH: "became fresh again",
    VerdictKind.ANOMALY: "loaded too few rows",
    VerdictKind.LATE: "did not start in time",
    VerdictKind.STUCK: "ran longer than they may",
    VerdictKind.SUCCESS: "completed",
}
_LOUD = {VerdictKind.STREAK: "CRITICAL: ", VerdictKind.ESCALATION: "ESCALATION: "}


def _lines(verdict: Verdict, settings: PublishedSettings) -> Iterator[tuple[str, str]]:
    yield from verdict.facts
    if verdict.kind in (VerdictKind.SILENCE_OVER, VerdictKind.SUMMARY):
        yield "Look", f"{settings.ui_url}/runs"
        return
    ended, pipeline = verdict.ended, _pipeline(verdict, settings)
    yield "Flow", ended.flow
    if ended.is_run:
        yield "Deployment", ended.deployment or "none, an ad hoc run"
        yield "Run", f"{one_line(ended.run)} ({ended.run_id})".strip()
        if verdict.kind not in _NOT_ENDED:
            yield "State", f"{one_line(ended.state)} at {readable(ended.at)}"
    if verdict.kind in _WITH_ERROR:
        yield "Error", shortened(ended.message)
    if verdict.outage and verdict.outage.failures > 1:
        yield "First failure", readable(verdict.outage.first.at)
        yield "Failures", str(verdict.outage.failures)
    yield "Owner", pipeline.owner if pipeline else settings.default_owner
    yield "Runbook", (pipeline and pipeline.runbook) or "none yet"
    page = f"/runs/flow-run/{ended.run_id}" if ended.is_run else "/runs"
    yield "Look", f"{settings.ui_url}{page}"


def _member_lines(verdict: Verdict, settings: PublishedSettings) -> Iterator[tuple[str, str]]:
    counts = Counter(pipeline for pipeline, _ in _members(verdict, settings))
    names = [f"{name} x {n}" if n > 1 else name for name, n in sorted(counts.items())]
    yield "Pipelines", listed(names, _IN_A_LIST)
    owners = sorted({owner for _, owner in _members(verdict, settings)})
    yield "Owners", listed(owners)
    if verdict.kind in _WITH_ERROR:
        errors = Counter(shortened(each.ended.message) for each in verdict.members)
        [(error, times)] = errors.most_common(1)
        yield f"Most frequent error, {times} of {len(verdict.members)}", error
    yield "Look", f"{settings.ui_url}/runs"


def _members(verdict: Verdict, settings: PublishedSettings) -> Iterator[tuple[str, str]]:
    """Each member's pipeline and owner."""
    for member in verdict.members:
        pipeline = _pipeline(member, settings)
        yield (
            pipeline.name if pipeline else member.ended.flow,
            pipeline.owner if pipeline else settings.default_owner,
        )


def _incident(verdict: Verdict, settings: PublishedSettings) -> Incident:
    keys, over = IncidentKeys(rules_of(settings).scope), verdict.kind in _OVER
    if verdict.kind in (VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN):
        return keys.of(ALL_DOWN, over=over)
    if verdict.kind in (VerdictKind.SILENCE_OVER, VerdictKind.SUMMARY):
        return keys.of(f"summary/{verdict.id}", "pipelines")
    if verdict.members:
        return keys.of(STORM, "pipelines", over=over)
    return keys.of_pipeline(pipeline_key(verdict.ended, _pipeline(verdict, settings)), over=over)


def _would_page(verdict: Verdict, settings: PublishedSettings) -> str:
    rules = rules_of(settings)
    routes = (route_of(verdict, settings), "")
    names = (occasion_name(verdict.kind, verdict.step, route) for route in routes)
    return next((rules.would_page[name] for name in names if name in rules.would_page), "")


def _pipeline(verdict: Verdict, settings: PublishedSettings) -> PublishedPipeline | None:
    return settings.pipeline_of(verdict.ended.flow, verdict.ended.deployment)


def _named(key: str, settings: PublishedSettings) -> str:
    flow, _, deployment = key.partition("/")
    pipeline = settings.pipeline_of(flow, deployment or None)
    return pipeline.name if pipeline else key


def _step(verdict: Verdict, settings: PublishedSettings) -> str:
    steps = {step.label: step.to for step in rules_of(settings).steps}
    return steps.get(verdict.step or "", "")


def _failures(verdict: Verdict) -> int:
    return verdict.outage.failures if verdict.outage else 1


def _since(verdict: Verdict) -> str:
    return f"since {readable(verdict.outage.first.at if verdict.outage else verdict.at)}"
