"""The triggers of each tier, in the shapes that were measured to work.

Prefect's events carry the state twice: in the event's name and in labels. Names alone miss states
with a name of their own, such as TimedOut, so failures are recognised by the label wherever a
trigger allows it. The closest native triggers stand here; docs/tiers.md names their deviations.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from glob import escape

from alerting.plan.drill_events import DRILL_RESOURCES, PAGE_LABEL, YES
from alerting.plan.rules import CompoundTrigger, EventTrigger, Labels, Posture
from alerting.plan.verdicts import (
    EVENT_PREFIX,
    HEARTBEAT_EVENT,
    RESUMED,
    ROUTE_LABEL,
    SCOPE_LABEL,
    STANDBY_LABEL,
    STEP_LABEL,
    VerdictKind,
    sentinel_resource,
)

FLOW_RUN: Labels = {"prefect.resource.id": "prefect.flow-run.*"}
FAILED_RUN: Labels = {**FLOW_RUN, "prefect.state-type": ("FAILED", "CRASHED")}
ANY_STATE = ("prefect.flow-run.*",)
BAD = ("prefect.flow-run.Crashed", "prefect.flow-run.Failed", "prefect.flow-run.TimedOut")
OK = ("prefect.flow-run.Completed",)
HEARTBEAT = "prefect.flow-run.heartbeat"
GONE = ("prefect.flow-run.Cancelled", "prefect.flow-run.Paused", "prefect.flow-run.Suspended")
EACH_RUN = ("prefect.resource.id",)
EACH_FLOW = ("related:flow:prefect.resource.id",)
EACH_DEPLOYMENT = ("related:deployment:prefect.resource.id", *EACH_FLOW)
DEPLOYED = ("prefect.automation.created", "prefect.automation.updated")
RECOVERY_WINDOW = timedelta(days=7)
WORKER_GAP = timedelta(minutes=5)
MOST_PAIRED = 100
"""Beyond it, entries that tell pairs apart would grow larger than a server should evaluate."""


def tagged(tag: str) -> Labels:
    """Runs that carry the tag: their own, their deployment's or their flow's."""
    return {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}


def named(role: str | tuple[str, ...], names: Iterable[str]) -> Labels:
    """Runs whose flow or deployment has one of these names."""
    return {"prefect.resource.role": role, "prefect.resource.name": tuple(map(_exactly, names))}


def not_named(role: str, names: Iterable[str]) -> tuple[Labels, ...]:
    """Runs whose flow or deployment has none of these names.

    One entry a name: within an entry a list means "any of", and any run lacks one of two names.
    """
    return tuple(
        {"prefect.resource.role": role, "prefect.resource.name": f"!{_exactly(name)}"}
        for name in names
    )


def of_pipelines(pipelines: Sequence[tuple[str, str | None]]) -> tuple[Labels, ...]:
    """Runs of these flows; where deployments are given, of these pairs of flow and deployment."""
    flows = sorted({flow for flow, _ in pipelines})
    deployments = sorted({deployment for _, deployment in pipelines if deployment})
    if not deployments:
        return (named("flow", flows),)
    pairs = [(flow, deployment) for flow, deployment in pipelines if deployment]
    return named("flow", flows), named("deployment", deployments), *_paired(pairs)


def _paired(pairs: Sequence[tuple[str, str]]) -> Iterator[Labels]:
    """Entries that let a flow's run through only with a deployment that goes with the flow.

    Of the names in an entry any will do, so there is one for each deployment: a run is of another
    deployment, or of a flow that goes with this one. The same by flow where flows are fewer. Where
    a flow and a deployment share a name, an entry may let through too much, but never too little.
    """
    by = 0 if len({flow for flow, _ in pairs}) < len({deployment for _, deployment in pairs}) else 1
    names = sorted({pair[by] for pair in pairs})
    if 1 < len(names) <= MOST_PAIRED:
        for name in names:
            partners = sorted({pair[1 - by] for pair in pairs if pair[by] == name})
            others = [other for other in names if other != name]
            yield named(("flow", "deployment"), partners + others)


def _exactly(name: str) -> str:
    """A glob for this one name.

    A leading `!` would negate, and [!] would too, so it goes with a slash, which no name contains.
    """
    return "[/!]" + escape(name[1:]) if name.startswith("!") else escape(name)


def one_failure(related: tuple[Labels, ...]) -> EventTrigger:
    """Each failed run, once."""
    return EventTrigger(ANY_STATE, FAILED_RUN, related, for_each=EACH_RUN)


def failures_in_window(
    related: tuple[Labels, ...], threshold: int, within: timedelta
) -> EventTrigger:
    """So many failures of one flow in a window that opens with the first."""
    return EventTrigger(
        ANY_STATE, FAILED_RUN, related, for_each=EACH_FLOW, threshold=threshold, within=within
    )


def all_failed(pipelines: Iterable[tuple[Labels, ...]], within: timedelta) -> CompoundTrigger:
    """A failure of every pipeline in a window."""
    children = tuple(EventTrigger(ANY_STATE, FAILED_RUN, related) for related in pipelines)
    return CompoundTrigger(children, within)


def unmended(
    related: tuple[Labels, ...], within: timedelta, for_each: tuple[str, ...]
) -> EventTrigger:
    """A failure after which neither a success nor a further failure came in time.

    A further failure is expected too, since a success would otherwise satisfy the window for a
    failure that follows it. And `for_each` is required: without it `after` is ignored.
    """
    return EventTrigger(
        expect=(*OK, *BAD),
        after=BAD,
        match=FLOW_RUN,
        match_related=related,
        for_each=for_each,
        posture=Posture.PROACTIVE,
        within=within,
    )


def first_success_after_failure(related: tuple[Labels, ...], within: timedelta) -> EventTrigger:
    """The first completed run of a flow that had failed."""
    return EventTrigger(
        expect=OK,
        after=BAD,
        match=FLOW_RUN,
        match_related=related,
        for_each=EACH_FLOW,
        within=within,
    )


def late(related: tuple[Labels, ...]) -> EventTrigger:
    """A run that should have started and did not."""
    return EventTrigger(("prefect.flow-run.Late",), FLOW_RUN, related, for_each=EACH_RUN)


def work_pool_not_ready(names: Sequence[str]) -> EventTrigger:
    """A work pool that stayed without a worker: one of these, or any when none is named.

    Not at once: a new pool reports itself not ready until its first worker comes, and a worker
    that is rolled over leaves a gap. One that is paused or deleted was meant to go.
    """
    return EventTrigger(
        expect=(
            "prefect.work-pool.deleted",
            "prefect.work-pool.paused",
            "prefect.work-pool.ready",
        ),
        after=("prefect.work-pool.not-ready",),
        match={"prefect.resource.id": "prefect.work-pool.*", **_of_name(names)},
        match_related=(),
        for_each=EACH_RUN,
        posture=Posture.PROACTIVE,
        within=WORKER_GAP,
    )


def work_pool_ready(names: Sequence[str]) -> EventTrigger:
    """A work pool that has a worker again, or was meant to have none."""
    gone = work_pool_not_ready(names)
    return replace(gone, posture=Posture.REACTIVE, within=RECOVERY_WINDOW)


def lost(related: tuple[Labels, ...], within: timedelta) -> EventTrigger:
    """A run that sent heartbeats, and then neither a further one nor an end.

    A run that is killed outright says nothing: to Prefect it is running for ever.
    """
    return EventTrigger(
        expect=(HEARTBEAT, *OK, *BAD, *GONE),
        after=(HEARTBEAT,),
        match=FLOW_RUN,
        match_related=related,
        for_each=EACH_RUN,
        posture=Posture.PROACTIVE,
        within=within,
    )


def verdicts(
    kinds: Iterable[VerdictKind],
    scope: str,
    *,
    step: str | None = None,
    routes: tuple[str, ...] = (),
) -> EventTrigger:
    """Each of the sentinel's verdicts of some kinds.

    Of escalations those of one step, and where owners have channels of their own those for some.
    """
    match: dict[str, str | tuple[str, ...]] = {
        "prefect.resource.id": f"{EVENT_PREFIX}*",
        SCOPE_LABEL: scope,
    }
    if step is not None:
        match[STEP_LABEL] = step
    if routes:
        match[ROUTE_LABEL] = tuple(map(_exactly, routes))
    return EventTrigger(tuple(kind.event for kind in kinds), match, (), for_each=EACH_RUN)


def drill(events: tuple[str, ...], scope: str, *, pages: bool) -> EventTrigger:
    """Each of these events of a stack's drills; with `pages`, of the drills that may page."""
    match = {"prefect.resource.id": f"{DRILL_RESOURCES}*", SCOPE_LABEL: scope}
    if pages:
        match[PAGE_LABEL] = YES
    return EventTrigger(events, match, (), for_each=EACH_RUN)


def silent(scope: str, sentinel: str, armed_by: str, within: timedelta) -> EventTrigger:
    """No heartbeat for so long, since the last one or since automation `armed_by` was deployed.

    Without `after` Prefect would fire three windows late. Its bucket goes by `for_each`, and both
    the heartbeat and the deployment must fall into the same one: neither carries this label.
    """
    return EventTrigger(
        expect=(HEARTBEAT_EVENT,),
        after=(HEARTBEAT_EVENT, *DEPLOYED),
        match={
            "prefect.resource.id": (sentinel_resource(scope), "prefect.automation.*"),
            "prefect.resource.name": (_exactly(sentinel), _exactly(armed_by)),
        },
        match_related=(),
        for_each=("data-alerts.one-bucket",),
        posture=Posture.PROACTIVE,
        within=within,
    )


def heard_again(scope: str) -> EventTrigger:
    """A heartbeat that finds the standby automations resumed."""
    match = {"prefect.resource.id": sentinel_resource(scope), STANDBY_LABEL: RESUMED}
    return EventTrigger((HEARTBEAT_EVENT,), match, (), for_each=EACH_RUN)


def _of_name(names: Sequence[str]) -> Labels:
    return {"prefect.resource.name": tuple(map(_exactly, names))} if names else {}
