"""When the steps of an escalation are due. Pure: no I/O, no clock."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from alerting.plan.published import PublishedStep

Times = Sequence[tuple[datetime, datetime]]
"""Silences, each from and until when, by their ends."""


def due_steps(
    steps: Sequence[PublishedStep], clock: datetime, silent: Times
) -> Iterator[tuple[datetime, datetime, PublishedStep]]:
    """Each step with the time at which it is due, and since when that counts.

    A silence is an acknowledgement: nothing is due in it, and an outage that outlasts it counts
    from its end.
    """
    clocks = [clock, *(ends for _, ends in silent if ends > clock)]
    for since, later in zip(clocks, [*clocks[1:], None], strict=True):
        for step in steps:
            at = since + step.after
            starts_anew = later is not None and at >= later
            if not starts_anew and not any(starts <= at < ends for starts, ends in silent):
                yield at, since, step
