"""How much a team is told, and how much of it was needed. Pure: no I/O, no clock."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from statistics import median

from alerting.observing.announcements import Announcement
from alerting.observing.notifications import Notification
from alerting.plan import Tier
from alerting.plan.verdicts import VerdictKind

REPEATS = 3
"""So many outages in the period make a repeat offender."""
_NO_ALERT = frozenset({Tier.RECOVERY, Tier.DRILL})


@dataclass(frozen=True)
class Outage:
    """An outage of a pipeline, as announced."""

    pipeline: str
    began: datetime
    ended: datetime | None
    """When the first success after it ended, None while it lasts."""
    alone: bool
    """Whether nobody was called while it lasted: no streak, no escalation."""


@dataclass(frozen=True)
class Review:
    """What a team looks at to be told less often."""

    alerts: int
    """Messages that asked for attention, without recoveries and drills."""
    undelivered: int
    by_day: tuple[tuple[date, int], ...]
    """Alerts by the day in UTC, the oldest first, without days that had none."""
    by_pipeline: tuple[tuple[str, int], ...]
    """Alerts by the pipeline, the most first."""
    by_channel: tuple[tuple[str, int], ...]
    offenders: tuple[tuple[str, int], ...]
    """Pipelines with several outages, the most first."""
    outages: int
    recovered: int
    """Outages that have ended."""
    recovered_alone: int
    """Of these, those that ended before anybody was called."""
    seconds: tuple[float, ...]
    """From failure to delivery of each delivered alert, the shortest first."""

    @property
    def share_alone(self) -> float | None:
        """Share of the outages that recovered by themselves, of those that ended."""
        return self.recovered_alone / self.recovered if self.recovered else None

    @property
    def median_seconds(self) -> float | None:
        """Median time from failure to delivery."""
        return median(self.seconds) if self.seconds else None


def review(notifications: Iterable[Notification], announcements: Iterable[Announcement]) -> Review:
    """Look at all that was sent and announced in a period."""
    sent = list(notifications)
    alerts = [each for each in sent if each.tier not in _NO_ALERT]
    outages = outages_of(announcements)
    ended = [each for each in outages if each.ended]
    repeats = Counter(each.pipeline for each in outages)
    return Review(
        alerts=len(alerts),
        undelivered=sum(not each.delivered for each in sent),
        by_day=tuple(sorted(Counter(each.at.date() for each in alerts).items())),
        by_pipeline=_most(Counter(each.pipeline for each in alerts if each.pipeline)),
        by_channel=_most(Counter(each.channel for each in alerts)),
        offenders=_most(Counter({p: n for p, n in repeats.items() if n >= REPEATS})),
        outages=len(outages),
        recovered=len(ended),
        recovered_alone=sum(each.alone for each in ended),
        seconds=tuple(sorted(e.seconds for e in alerts if e.delivered and e.seconds is not None)),
    )


def outages_of(announcements: Iterable[Announcement]) -> Sequence[Outage]:
    """The outages in the order in which they began, as far as their failures were announced."""
    by_pipeline: defaultdict[str, list[Announcement]] = defaultdict(list)
    for each in announcements:
        if each.kind not in (VerdictKind.ALL_DOWN, VerdictKind.NOT_ALL_DOWN):
            by_pipeline[each.key].append(each)
    found: list[Outage] = []
    for told in by_pipeline.values():
        found += _outages(sorted(told, key=lambda each: (each.ended, each.announced)))
    return sorted(found, key=lambda outage: outage.began)


def _outages(told: Iterable[Announcement]) -> Iterable[Outage]:
    current: list[Announcement] = []
    for each in told:
        if each.kind is not VerdictKind.RECOVERY:
            current.append(each)
        elif current:
            yield _outage(current, each.ended)
            current = []
    if current:
        yield _outage(current, None)


def _outage(told: Sequence[Announcement], ended: datetime | None) -> Outage:
    alone = all(each.kind is VerdictKind.FAILURE for each in told)
    return Outage(told[0].pipeline, min(each.first for each in told), ended, alone)


def _most(counted: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(counted.items(), key=lambda item: (-item[1], item[0])))
