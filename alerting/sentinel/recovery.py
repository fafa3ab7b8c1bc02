"""A judge that knows what happened before, and what it has yet to announce.

The sentinel keeps nothing: each start, and each reconnection, begins here.
"""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import OVERDUE, VerdictKind
from alerting.sentinel.catching_up import StandbyFiring, Told, late_run, missed, standby_firing
from alerting.sentinel.events import Event, announced_runs, runs_told, told_ids
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended, no_run
from alerting.sentinel.judging import (
    REORDERED,
    Judge,
    pipeline_key,
    pipeline_key_of,
    rules_of,
    silences_of,
)
from alerting.sentinel.overdue import overdue_id
from alerting.sentinel.standing import EVENTS_KEPT
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import Progress, Workspace, nothing

AT_ONCE = 8
"""Questions that the server is asked at the same time."""

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Beginning:
    """From when on the sentinel is answerable."""

    since: datetime
    """Verdicts from then on must have been announced."""
    deployed: datetime
    """Since when the stack is there."""


@dataclass(frozen=True)
class Recovered:
    """Where the sentinel takes up again."""

    judge: Judge
    gate: Gate
    since: datetime
    """Verdicts from then on must have been announced."""
    missed: list[Verdict]
    """Those of them that nobody has been told of."""
    told: frozenset[UUID] = frozenset()
    """The ids of those that somebody was."""


async def begin_at(workspace: Workspace, settings: PublishedSettings, now: datetime) -> Beginning:
    """The time from which on verdicts must have been announced.

    That is from where the last sentinel had come to, and a little before: what ended then may not
    have been announced any more. Before the first sentinel it is since the stack was deployed.
    """
    rules = rules_of(settings)
    watch = (await workspace.automations([rules.watch])).get(rules.watch)
    deployed = watch.created if watch else now
    judged = await workspace.judged_until(settings)
    since = judged - REORDERED / 2 if judged else deployed
    return Beginning(max(since, deployed, now - rules.catch_up), deployed)


async def recover(
    workspace: Workspace,
    settings: PublishedSettings,
    beginning: Beginning,
    now: datetime,
    progress: Progress,
) -> Recovered:
    """Rebuild history from the API, and find what has not been announced since then.

    `progress` is awaited after each step of it.
    """
    since = beginning.since
    announced = await workspace.announced(settings, since)
    await progress()
    firings = await workspace.standby_firings(settings, since)
    await progress()
    # A failure that follows a success too soon belongs to the outage before it.
    earlier = since - (rules_of(settings).flap_for or timedelta(0))
    # What was announced is history too, also where the run was deleted or set again since.
    recent = _by_state(ended for event in announced for ended in announced_runs(event))
    recent |= _by_state(await workspace.ended_since(settings, earlier, progress))
    await progress()
    pasts = await _pasts(workspace, settings, recent.values(), earlier, progress)
    judge = Judge(
        settings,
        silences=silences_of(settings, await workspace.silences(settings)),
        deployed=beginning.deployed,
        known=await workspace.first_known(settings),
    )
    late = list(_late_runs(firings, settings))
    for run, at in late:
        judge.note_overdue([run], at)
    await _note_overdue(workspace, judge, now)
    gate = Gate(judge, knows_storms=not await workspace.had_storm(settings))
    found: list[Verdict] = []
    for ended in sorted((_by_state(pasts) | recent).values(), key=lambda each: each.order):
        found += judge.observe(ended)
    found += judge.tick(now)
    ids = frozenset(told for event in announced for told in told_ids(event))
    ids |= {overdue_id(VerdictKind.LATE, run, settings) for run, _ in late}
    told = Told(ids, tuple(_firings(firings, settings)))
    let_through = [*gate.admit(found, ids), *gate.tick(now, ids)]
    return Recovered(judge, gate, since, missed(let_through, found, since, told, settings), ids)


async def _note_overdue(workspace: Workspace, judge: Judge, now: datetime) -> None:
    """Late and stuck runs that people were told of, which a success has ended or will."""
    if OVERDUE.isdisjoint(rules_of(judge.settings).pages):
        return
    for event in await workspace.announced(judge.settings, now - EVENTS_KEPT, OVERDUE):
        judge.note_overdue(runs_told(event), datetime.fromisoformat(event["occurred"]))


async def with_pasts(
    workspace: Workspace, settings: PublishedSettings, judge: Judge, ends: Sequence[Ended]
) -> list[Ended]:
    """Ends, and before them what the judge must know of their pipelines.

    That is everything where it has not seen the pipeline, and the last success where an outage
    begins: the stream may have lost it, and it tells one outage from another.
    """
    first: dict[str, Ended] = {}
    for ended in sorted(ends, key=lambda each: each.order):
        if judge.needs_past(ended):
            first.setdefault(judge.key_of(ended), ended)
    asked = [workspace.past(settings, ended, ended.at) for ended in first.values()]
    pasts = await _few_at_once(asked, nothing)
    earlier = _by_state(ended for past in pasts for ended in past)
    return sorted((earlier | _by_state(ends)).values(), key=lambda each: each.order)


def _by_state(ends: Iterable[Ended]) -> dict[UUID, Ended]:
    return {ended.state_id: ended for ended in ends}


async def _pasts(
    workspace: Workspace,
    settings: PublishedSettings,
    recent: Iterable[Ended],
    since: datetime,
    progress: Progress,
) -> list[Ended]:
    """What led to the condition, by then, of each pipeline that is listed or ran since."""
    one_of: dict[str, Ended] = {
        pipeline_key_of(p): no_run(p.flow, p.deployment, since) for p in settings.pipelines
    }
    for ended in recent:
        key = pipeline_key(ended, settings.pipeline_of(ended.flow, ended.deployment))
        one_of.setdefault(key, ended)
    found: list[Ended] = []
    flows = await workspace.flows_among(sorted({each.flow for each in one_of.values()}))
    asked = [workspace.past(settings, e, since) for e in one_of.values() if e.flow in flows]
    for past in await _few_at_once(asked, progress):
        found += past
    return found


async def _few_at_once(questions: Sequence[Awaitable[Answer]], progress: Progress) -> list[Answer]:
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(question: Awaitable[Answer]) -> Answer:
        async with turn:
            answer = await question
            await progress()
            return answer

    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(ask(question)) for question in questions]
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None
    return [task.result() for task in tasks]


def _late_runs(
    events: Iterable[Event], settings: PublishedSettings
) -> Iterator[tuple[Ended, datetime]]:
    """The late runs of which the standby told, and when."""
    for event in events:
        if run := late_run(event, settings):
            yield run, datetime.fromisoformat(event["occurred"])


def _firings(events: Iterable[Event], settings: PublishedSettings) -> list[StandbyFiring]:
    return [firing for event in events if (firing := standby_firing(event, settings))]
