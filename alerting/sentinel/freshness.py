"""Whether a pipeline has succeeded in time. Pure: no I/O, no clock."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Protocol

from alerting.plan.published import PublishedPipeline, SentinelSettings
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended, no_run
from alerting.sentinel.verdicts import Verdict, verdict_id
from alerting.settings.durations import format_duration

MOMENT = timedelta(microseconds=1)
"""The time between a moment and the one before it."""


class Expecting(Protocol):
    """What freshness is judged by."""

    @property
    def rules(self) -> SentinelSettings:
        """The stack's rules."""

    @property
    def deployed(self) -> datetime | None:
        """Since when pipelines are expected to run."""

    @property
    def known(self) -> Mapping[str, datetime]:
        """Since when there is a pipeline to run, by its name."""


def stale(
    key: str,
    pipeline: PublishedPipeline,
    success: Ended | None,
    around: Expecting,
    by: datetime,
) -> Iterator[Verdict]:
    """What has been true since the pipeline's last success: its data was stale at these times.

    Of deadlines it is the last one by then. A pipeline that never succeeded is expected to from the
    time at which the stack was deployed, or the pipeline was made, whichever was later.
    """
    since = _since(pipeline, success, around)
    if since is None:
        return
    last = success or no_run(pipeline.flow, pipeline.deployment, since)
    about = str(last.state_id) if success else since.isoformat()
    if pipeline.fresh_within and (at := since + pipeline.fresh_within) <= by:
        fact = f"no success for {format_duration(pipeline.fresh_within)}"
        yield _verdict(around, key, last, at, fact, "within", about)
    if pipeline.deadline:
        at = pipeline.deadline.last_until(by)
        before = pipeline.deadline.last_until(at - MOMENT)
        if since <= before:
            fact = f"no success by {pipeline.deadline}"
            yield _verdict(around, key, last, at, fact, "deadline", at.isoformat())


def next_stale(
    pipeline: PublishedPipeline, success: Ended | None, around: Expecting, now: datetime
) -> datetime | None:
    """When the pipeline will next be stale, without a success until then."""
    since = _since(pipeline, success, around)
    times: list[datetime] = []
    if since and pipeline.fresh_within:
        times.append(since + pipeline.fresh_within)
    if since and pipeline.deadline:
        times.append(pipeline.deadline.next_after(now))
    return min((time for time in times if time > now), default=None)


def _since(
    pipeline: PublishedPipeline, success: Ended | None, around: Expecting
) -> datetime | None:
    if success or around.deployed is None:
        return success.at if success else None
    return max(around.deployed, around.known.get(pipeline.name, around.deployed))


def _verdict(
    around: Expecting, key: str, last: Ended, at: datetime, fact: str, *about: str
) -> Verdict:
    found = verdict_id(around.rules.scope, VerdictKind.STALE, key, *about)
    return Verdict(VerdictKind.STALE, found, at, last, facts=(("Why", fact),))
