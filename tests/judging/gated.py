"""A history as it is heard, and what people are told of it, moment by moment."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import Judge, silences_of
from alerting.sentinel.verdicts import Verdict
from tests.shared.histories import minute

AHEAD = timedelta(days=2)


def silence(begins: float, ends: float, *pipelines: str) -> Silence:
    """A silence from one minute to another, of these pipelines or of all."""
    return Silence(
        id=f"{begins}-{ends}-{'-'.join(pipelines)}",
        pipelines=pipelines,
        starts=minute(begins),
        ends=minute(ends),
        reason="a move",
        author="ada",
    )


def judge_with(
    settings: PublishedSettings, *silences: Silence, deployed: datetime | None = None
) -> Judge:
    """A judge that knows of silences."""
    return Judge(settings, silences=silences_of(settings, silences), deployed=deployed)


def followed(judge: Judge, history: Iterable[Ended], until: datetime) -> Iterator[Verdict]:
    """What a judge finds that hears of each end at once and looks whenever something is due."""
    now: datetime | None = None
    for ended in sorted(history, key=lambda each: each.order):
        if now is not None:
            yield from _due(judge, now, ended.at)
        now = ended.at
        yield from judge.observe(ended)
    if now is not None:
        yield from _due(judge, now, until, including=True)


def _due(
    judge: Judge, now: datetime, until: datetime, *, including: bool = False
) -> Iterator[Verdict]:
    while (at := _next(judge, now)) and (at < until or (including and at == until)):
        yield from judge.tick(at)
        now = at


def _next(judge: Judge, now: datetime) -> datetime | None:
    """When something is due, or a silence begins or ends and something may then be."""
    silences = judge.silences
    times = [each.starts for each in silences.coming(now, now + AHEAD)]
    times += [each.ends for each in silences.running(now)]
    due = judge.next_due(now)
    return min([*times, due] if due else times, default=None)


class Live:
    """A sentinel without a server: a judge, a gate, and what they have had told and when."""

    def __init__(
        self, judge: Judge, gate: Gate | None = None, since: datetime | None = None
    ) -> None:
        self.judge = judge
        self.gate = gate or Gate(judge)
        self.told: list[tuple[datetime, Verdict]] = []
        self.found: list[Verdict] = []
        self._now = since

    def hears(self, history: Iterable[Ended], *, later: timedelta = timedelta(0)) -> "Live":
        """It hears of each end, so much later."""
        for ended in sorted(history, key=lambda each: each.order):
            self.waits_until(ended.at + later)
            self._admit(self.judge.observe(ended), ended.at + later)
        return self

    def waits_until(self, time: datetime) -> "Live":
        """Time goes on, and it looks whenever something is due."""
        while self._now and (due := self._next(self._now, time)):
            self._now = due
            self._admit(self.judge.tick(due), due)
            self.told += [(due, verdict) for verdict in self.gate.tick(due)]
        self._now = time
        return self

    @property
    def verdicts(self) -> list[Verdict]:
        """What was told, without when."""
        return [verdict for _, verdict in self.told]

    def _admit(self, verdicts: list[Verdict], now: datetime) -> None:
        self.found += verdicts
        self.told += [(now, verdict) for verdict in self.gate.admit(verdicts)]

    def _next(self, now: datetime, to: datetime) -> datetime | None:
        times = (_next(self.judge, now), self.gate.next_due(now))
        return min((time for time in times if time and time <= to), default=None)
