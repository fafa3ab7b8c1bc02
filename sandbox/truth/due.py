"""The plain reference: which pages a history makes due. It shares nothing with the sentinel.

Written to be obviously right, looking at the whole history at once, where the sentinel hears of
one run after another and forgets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import groupby
from uuid import UUID

from alerting.plan import Tier
from alerting.scenarios.run_events import RunEvent

FAILED = {"FAILED", "CRASHED"}
SUCCEEDED = {"COMPLETED"}
ALL = "all pipelines"


@dataclass(frozen=True)
class Rules:
    """What the stack asks for."""

    consecutive_failures: int
    steps: tuple[tuple[str, timedelta], ...]
    """Each escalation step's label, and its time since an outage's first failure."""


@dataclass(frozen=True)
class Outage:
    """From a pipeline's first failure to its next success; of `ALL`, while all are down."""

    pipeline: str
    start: datetime
    end: datetime | None


@dataclass(frozen=True)
class Due:
    """A page that must be sent, once."""

    tier: Tier
    outage: Outage
    at: datetime
    run: UUID | None
    """The run it is about; None for an escalation, which no run brings about."""
    step: str | None = None


def pages_due(history: Iterable[RunEvent], rules: Rules, until: datetime) -> list[Due]:
    """Every page that is due by then, in the order in which they are."""
    ends = sorted(
        (state for state in history if state.type in FAILED | SUCCEEDED and state.at <= until),
        key=lambda state: state.at,
    )
    flows = sorted({end.flow for end in ends})
    due = [
        page
        for flow in flows
        for page in _of_pipeline([end for end in ends if end.flow == flow], rules)
    ]
    of_all = list(_all_down(ends))
    due = [*_unexplained(due, [page.outage for page in of_all]), *of_all]
    return sorted((page for page in due if page.at <= until), key=lambda page: page.at)


def _of_pipeline(ends: Sequence[RunEvent], rules: Rules) -> Iterator[Due]:
    """What one pipeline's runs make due, from all of its ends."""
    stretches = [list(ends) for _, ends in groupby(ends, key=lambda end: end.type in FAILED)]
    for index, failures in enumerate(stretches):
        if failures[0].type not in FAILED:
            continue
        success = stretches[index + 1][0] if index + 1 < len(stretches) else None
        first = failures[0]
        outage = Outage(first.flow, first.at, success.at if success else None)
        for number, failure in enumerate(failures, start=1):
            yield Due(Tier.WARNING, outage, failure.at, failure.run_id)
            if number % rules.consecutive_failures == 0:
                yield Due(Tier.CRITICAL, outage, failure.at, failure.run_id)
        for label, after in rules.steps:
            at = first.at + after
            if success is None or success.at > at:
                yield Due(Tier.ESCALATION, outage, at, None, label)
        if success:
            yield Due(Tier.RECOVERY, outage, success.at, success.run_id)


def _unexplained(due: Iterable[Due], of_all: Sequence[Outage]) -> Iterator[Due]:
    """The pages, without those for a streak that all being down explains.

    Of a pipeline that is still down when not all are any more, the last of these is due then.
    """
    held: dict[tuple[str, datetime], Due] = {}
    for page in due:
        explains = [
            each
            for each in of_all
            if each.start < page.at and (each.end is None or page.at < each.end)
        ]
        if page.tier is not Tier.CRITICAL or not explains:
            yield page
            continue
        [outage] = explains
        if outage.end and (page.outage.end is None or page.outage.end > outage.end):
            held[page.outage.pipeline, outage.end] = page
    yield from (replace(page, at=at) for (_, at), page in held.items())


def _all_down(ends: Iterable[RunEvent]) -> Iterator[Due]:
    """Each end after which all that have run are down, and before which they were not."""
    last: dict[str, bool] = {}
    turns: list[tuple[RunEvent, bool]] = []
    for end in ends:
        was_down = _are_all_down(last)
        last[end.flow] = end.type in FAILED
        if was_down != _are_all_down(last):
            turns.append((end, not was_down))
    for index, (end, is_down) in enumerate(turns):
        if is_down:
            mended = turns[index + 1][0].at if index + 1 < len(turns) else None
            yield Due(Tier.P1, Outage(ALL, end.at, mended), end.at, end.run_id)


def _are_all_down(last: Mapping[str, bool]) -> bool:
    """Whether two or more have run, and the last run of each that has failed."""
    return len(last) > 1 and all(last.values())
