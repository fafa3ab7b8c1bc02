"""The triggers of each tier, in the shapes that were measured to work.

Prefect's events carry the state twice: in the event's name and in labels. Names alone miss states
with a name of their own, such as TimedOut, so failures are recognised by the label wherever a
trigger allows it. The closest native triggers stand here; docs/tiers.md names their deviations.
"""

from collections.abc import Iterable
from datetime import timedelta
from glob import escape

from alerting.plan.rules import CompoundTrigger, EventTrigger, Labels, Posture

FLOW_RUN: Labels = {"prefect.resource.id": "prefect.flow-run.*"}
FAILED_RUN: Labels = {**FLOW_RUN, "prefect.state-type": ("FAILED", "CRASHED")}
ANY_STATE = ("prefect.flow-run.*",)
BAD = ("prefect.flow-run.Crashed", "prefect.flow-run.Failed", "prefect.flow-run.TimedOut")
OK = ("prefect.flow-run.Completed",)
EACH_RUN = ("prefect.resource.id",)
EACH_FLOW = ("related:flow:prefect.resource.id",)
EACH_DEPLOYMENT = ("related:deployment:prefect.resource.id", *EACH_FLOW)
RECOVERY_WINDOW = timedelta(days=7)


def tagged(tag: str) -> Labels:
    """Runs that carry the tag: their own, their deployment's or their flow's."""
    return {"prefect.resource.role": "tag", "prefect.resource.id": f"prefect.tag.{tag}"}


def named(role: str, names: Iterable[str]) -> Labels:
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


def _exactly(name: str) -> str:
    """A glob for this one name. A leading `!`, which would negate, becomes any one character."""
    return "?" + escape(name[1:]) if name.startswith("!") else escape(name)


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


def first_success_after_failure(related: tuple[Labels, ...]) -> EventTrigger:
    """The first completed run of a flow that had failed."""
    return EventTrigger(
        expect=OK,
        after=BAD,
        match=FLOW_RUN,
        match_related=related,
        for_each=EACH_FLOW,
        within=RECOVERY_WINDOW,
    )


def late(related: tuple[Labels, ...]) -> EventTrigger:
    """A run that should have started and did not."""
    return EventTrigger(("prefect.flow-run.Late",), FLOW_RUN, related, for_each=EACH_RUN)


def work_pool_not_ready() -> EventTrigger:
    """A work pool that lost its last worker."""
    return EventTrigger(
        ("prefect.work-pool.not-ready",),
        {"prefect.resource.id": "prefect.work-pool.*"},
        (),
        for_each=EACH_RUN,
    )
