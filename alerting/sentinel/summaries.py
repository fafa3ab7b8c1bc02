"""What happened in a silence, and in a day. Pure: no I/O, no clock."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.history import Ended, no_run
from alerting.sentinel.judging import rules_of
from alerting.sentinel.texts import listed, readable
from alerting.sentinel.verdicts import Verdict, verdict_id

_LISTED = 40
_UNSOUND = {
    VerdictKind.STALE: "Stale",
    VerdictKind.ANOMALY: "Too few rows",
    VerdictKind.LATE: "Late or stuck",
    VerdictKind.STUCK: "Late or stuck",
}


@dataclass(frozen=True)
class Day:
    """The runs of a day."""

    since: datetime
    until: datetime
    completed: int
    failed: int
    failing: Sequence[str]
    """Names of the pipelines whose last run failed."""
    silenced: Sequence[str] = ()
    """What is silenced at its end, in words."""


def silence_over(
    silence: Silence,
    history: Iterable[Ended],
    settings: PublishedSettings,
    unsound: Iterable[Verdict] = (),
) -> Verdict | None:
    """What nobody was told of in a silence that has ended; None when nothing happened.

    `history` holds at least every end since the silence began, `unsound` every verdict since then
    that is not about an end: of stale data, too few rows, runs that are late or stuck.
    """
    held = [v for v in unsound if silence.covers(_name(v.ended, settings), v.at)]
    happened = [*_failures(silence, history, settings), *_others(held, settings)]
    if not happened:
        return None
    facts = (
        ("Silence", f"{listed(silence.pipelines) or 'all pipelines'}, {silence.reason}"),
        ("From", readable(silence.starts)),
        ("Until", readable(silence.ends)),
        ("By", silence.author),
        *happened,
    )
    over = _verdict(VerdictKind.SILENCE_OVER, settings, silence.ends, facts, silence.id)
    return replace(over, held=tuple(verdict.id for verdict in held))


def _failures(
    silence: Silence, history: Iterable[Ended], settings: PublishedSettings
) -> Iterator[tuple[str, str]]:
    failures: Counter[str] = Counter()
    last: dict[str, Ended] = {}
    for ended in sorted(history, key=lambda each: each.order):
        name = _name(ended, settings)
        if silence.covers(name, ended.at):
            failures[name] += ended.failed
            last[name] = ended
    if failed := sorted(name for name in failures if failures[name]):
        failing = [name for name in failed if last[name].failed]
        yield "Failed", listed([_times(name, failures[name]) for name in failed], _LISTED)
        yield "Still failing", listed(failing, _LISTED) or "none"


def _others(unsound: Iterable[Verdict], settings: PublishedSettings) -> Iterator[tuple[str, str]]:
    names: defaultdict[str, set[str]] = defaultdict(set)
    for verdict in unsound:
        if label := _UNSOUND.get(verdict.kind):
            names[label].add(_name(verdict.ended, settings))
    for label in dict.fromkeys(_UNSOUND.values()):
        if label in names:
            yield label, listed(sorted(names[label]), _LISTED)


def day_over(day: Day, settings: PublishedSettings) -> Verdict:
    """A day in numbers."""
    return _verdict(VerdictKind.SUMMARY, settings, day.until, tuple(_facts(day)))


def _facts(day: Day) -> Iterator[tuple[str, str]]:
    runs = day.completed + day.failed
    yield "From", readable(day.since)
    yield "Until", readable(day.until)
    yield "Runs", str(runs)
    yield "Failed", str(day.failed)
    if runs:
        yield "Completed", f"{day.completed / runs:.1%}"
    yield "Failing now", listed(day.failing, _LISTED) or "none"
    if day.silenced:
        yield "Silenced", listed(day.silenced)


def _verdict(
    kind: VerdictKind,
    settings: PublishedSettings,
    at: datetime,
    facts: tuple[tuple[str, str], ...],
    *about: str,
) -> Verdict:
    found = verdict_id(rules_of(settings).scope, kind, *about, at.isoformat())
    return Verdict(kind, found, at, no_run("", None, at), facts=facts)


def _name(ended: Ended, settings: PublishedSettings) -> str:
    pipeline = settings.pipeline_of(ended.flow, ended.deployment)
    return pipeline.name if pipeline else ended.flow


def _times(name: str, failures: int) -> str:
    return f"{name} {failures} times" if failures > 1 else name
