"""What has been so for longer than a sentinel is answerable, and nobody was told of.

Settings that are taken up may expect what those before did not: a pipeline is listed, or is to
succeed or to end sooner. What they expect may not have been so for days.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import told_ids
from alerting.sentinel.judging import Judge
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import Workspace

EVENTS_KEPT = timedelta(days=7)
"""How far back Prefect knows events, unless it is configured otherwise."""


async def still_to_tell(
    workspace: Workspace,
    judge: Judge,
    verdicts: Iterable[Verdict],
    since: datetime,
    now: datetime,
) -> list[Verdict]:
    """Those verdicts, all of which hold now, that became true before `since` and were never told.

    They are given as of now, so that silences that are on hold them back.
    """
    old = [verdict for verdict in verdicts if verdict.at < since]
    if not old:
        return []
    is_new = not await workspace.followed_before(judge.settings, since)
    asked = [verdict for verdict in old if is_to_tell(verdict, judge, now, is_new=is_new)]
    if not asked:
        return []
    kinds = {VerdictKind.SILENCE_OVER, *(verdict.kind for verdict in asked)}
    events = await workspace.announced(judge.settings, now - EVENTS_KEPT, kinds)
    told = {found for event in events for found in told_ids(event)}
    return [replace(verdict, at=now) for verdict in asked if verdict.id not in told]


def is_to_tell(verdict: Verdict, judge: Judge, now: datetime, *, is_new: bool) -> bool:
    """Whether people should know of a verdict; `is_new` is whether the settings are.

    Of what is older than the events that Prefect keeps nobody knows whether it was told, and it is
    left at that. But a pipeline without a success counts from when it was made, however late it
    was listed.
    """
    is_recent = verdict.at >= now - EVENTS_KEPT
    if is_new:
        return is_recent or not verdict.ended.is_run
    name = judge.name_of(judge.key_of(verdict.ended))
    # What became true in a silence was told by its summary.
    return is_recent and not judge.silences.covering(name, verdict.at)
