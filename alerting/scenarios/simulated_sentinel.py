"""The sentinel in virtual time: its own judging, without the API that it asks on a server."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from alerting.plan.load_events import Load, load_of, pipeline_of_load
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence
from alerting.plan.verdicts import OVERDUE, VerdictKind
from alerting.scenarios.open_runs import OpenRuns
from alerting.scenarios.run_events import made_id
from alerting.sentinel.anomalies import of_load
from alerting.sentinel.catching_up import StandbyFiring, Told, late_run, missed, standby_firing
from alerting.sentinel.drills import answer
from alerting.sentinel.events import announcement, ended_run, heartbeat, parent_task_run
from alerting.sentinel.gate import Gate
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import REORDERED, Judge, rules_of, silences_of
from alerting.sentinel.ordering import in_order
from alerting.sentinel.overdue import overdue_id
from alerting.sentinel.standing import is_to_tell
from alerting.sentinel.summaries import Day, day_over, silence_over
from alerting.sentinel.verdicts import Verdict

Event = Mapping[str, Any]
_STANDING = frozenset({VerdictKind.STALE, VerdictKind.STUCK})
_LOOK_AHEAD = timedelta(days=2)


class SimulatedSentinel:
    """What the sentinel announces. Whoever plays it passes on its events, at the time they are for.

    It is down at first: `beat`, where heartbeats matter, and `connect` start it.
    """

    def __init__(self, settings: PublishedSettings, deployed: datetime) -> None:
        """`deployed` is when the stack was; what is before that is nobody's to announce."""
        self._settings = settings
        self._rules = rules_of(settings)
        self._deployed = deployed
        self._since = deployed
        self._connected = deployed
        self._judge: Judge | None = None
        self._gate: Gate | None = None
        self._history: list[Ended] = []
        self._open_runs = OpenRuns(settings)
        self._loads: list[Load] = []
        self._added: list[Silence] = []
        self._announced: set[UUID] = set()
        self._firings: list[StandbyFiring] = []
        self._told_overdue: list[tuple[Ended, datetime]] = []
        self._heard: datetime | None = None
        self._heard_before: datetime | None = None
        self._looked: datetime = deployed
        self._alerting_parents: set[UUID] = set()

    def standby_fired(self, event: Event) -> None:
        """The server's event of an automation that fired, for what is not to be told again."""
        if firing := standby_firing(event, self._settings):
            self._firings.append(firing)
        if run := late_run(event, self._settings):
            self._announced.add(overdue_id(VerdictKind.LATE, run, self._settings))
            self._told_overdue.append((run, datetime.fromisoformat(event["occurred"])))

    def knows_parent(self, task_run_id: UUID, *, alerts: bool) -> None:
        """The run that a task run belongs to; the service asks the API about it."""
        if alerts:
            self._alerting_parents.add(task_run_id)

    def silence(self, silence: Silence) -> None:
        """Somebody adds a silence."""
        self._added.append(silence)
        if self._judge:
            self._judge.silences = silences_of(self._settings, self._added)

    def observe(self, event: Event, now: datetime) -> list[Event]:
        """What it announces of an event; an event while it is down is history that it finds later.

        `now` is when the event arrives.
        """
        if self._judge and (answered := answer(event, self._settings, now, self._connected)):
            return [answered]
        if load := load_of(event):
            self._loads.append(load)
            return self._tell(self._of_load(load), now)
        self._open_runs.note(event)
        ended = ended_run(event, self._settings.tag)
        if ended is None or not self._counts(event, ended):
            return self._tell(self._open_runs.overdue(now), now) if self._judge else []
        self._history.append(ended)
        return self._tell(self._judge.observe(ended), now) if self._judge else []

    def next_due(self, now: datetime) -> datetime | None:
        """When it will next have something to announce without a further event."""
        if self._judge is None or self._gate is None:
            return None
        silences = self._judge.silences
        times = [self._judge.next_due(now), self._gate.next_due(now), self._open_runs.next_due(now)]
        times += [each.ends for each in silences.running(now)]
        times += [each.starts for each in silences.coming(now, now + _LOOK_AHEAD)]
        if self._rules.summary:
            times.append(self._rules.summary.next_after(now))
        return min((time for time in times if time and time > now), default=None)

    def tick(self, now: datetime) -> list[Event]:
        """What has become due by now."""
        if self._judge is None or self._gate is None:
            return []
        found = [*self._judge.tick(now), *self._over(now), *self._open_runs.overdue(now)]
        told = self._tell(found, now)
        return [*told, *self._announce(self._gate.tick(now), now)]

    def next_heartbeat(self) -> datetime | None:
        """When it will next be heard."""
        if self._judge is None or self._heard is None:
            return None
        return self._heard + self._rules.heartbeat_every

    def beat(self, now: datetime, *, standby: bool) -> Event:
        """Its sign of life; `standby` says whether the standby automations are resumed."""
        self._heard_before, self._heard = self._heard, now
        event_id = made_id("heartbeat", now.isoformat())
        return heartbeat(self._settings, event_id, now, standby=standby)

    def connect(self, now: datetime) -> list[Event]:
        """It starts, or connects again: what was missed since it was heard before."""
        self._connected = now
        self._since = max(self._deployed, now - self._rules.catch_up)
        if self._heard_before:
            self._since = max(self._since, self._heard_before - REORDERED / 2)
        judge = self._judge = Judge(
            self._settings,
            silences=silences_of(self._settings, self._added),
            deployed=self._deployed,
        )
        for run, at in self._told_overdue:
            judge.note_overdue([run], at)
        gate = self._gate = Gate(judge)
        ordered = sorted(self._history, key=lambda ended: ended.order)
        found = [verdict for ended in ordered for verdict in judge.observe(ended)]
        found += judge.tick(now)
        told = Told(frozenset(self._announced), tuple(self._firings))
        let_through = [*gate.admit(found, told.ids), *gate.tick(now, told.ids)]
        new = missed(let_through, found, self._since, told, self._settings)
        overdue = self._open_runs.overdue(now)
        standing = self._standing(judge, [*overdue, *judge.stale(now)], now)
        others = [*self._over(now), *overdue, *standing]
        others += [verdict for load in self._loads for verdict in self._of_load(load)]
        return [*self._announce(new, now), *self._tell(others, now)]

    def _standing(self, judge: Judge, verdicts: Iterable[Verdict], now: datetime) -> list[Verdict]:
        """What has been so since before it is answerable, and nobody was told of."""
        return [
            replace(verdict, at=now)
            for verdict in verdicts
            if verdict.kind in _STANDING
            and verdict.at < self._since
            and verdict.id not in self._announced
            and is_to_tell(verdict, judge, now, is_new=False)
        ]

    def disconnect(self) -> None:
        """It is killed, or has lost the server: it remembers nothing."""
        self._judge = self._gate = None

    def _over(self, now: datetime) -> list[Verdict]:
        """The silences, and the days, that are over by now."""
        after, self._looked = self._looked, now
        if self._judge is None:
            return []
        over = self._judge.silences.over_between(after, now)
        found = [self._silence_over(each, now) for each in over]
        if self._rules.summary and (at := self._rules.summary.last_until(now)) > after:
            since = self._rules.summary.last_until(at - timedelta(microseconds=1))
            ends = [ended for ended in self._history if since <= ended.at < at]
            failed = sum(ended.failed for ended in ends)
            failing = sorted({ended.flow for ended in self._judge.failing()})
            found.append(
                day_over(Day(since, at, len(ends) - failed, failed, failing), self._settings)
            )
        return [verdict for verdict in found if verdict]

    def _silence_over(self, silence: Silence, now: datetime) -> Verdict | None:
        unsound = self._open_runs.all_overdue(now)
        unsound += [verdict for load in self._loads for verdict in self._of_load(load)]
        if self._judge:
            unsound += self._judge.stale(silence.ends)
        return silence_over(silence, self._history, self._settings, unsound)

    def _of_load(self, load: Load) -> list[Verdict]:
        about = pipeline_of_load(load, self._settings)
        earlier = [
            each
            for each in self._loads
            if each.at < load.at and pipeline_of_load(each, self._settings) == about
        ]
        recent = sorted(earlier, key=lambda each: each.at, reverse=True)
        return list(of_load(load, recent, self._settings))

    def _counts(self, event: Event, ended: Ended) -> bool:
        """A subflow's end does not count where its parent speaks for it, unless it is listed."""
        if parent_task_run(event) not in self._alerting_parents:
            return True
        return self._settings.pipeline_of(ended.flow, ended.deployment) is not None

    def _tell(self, verdicts: Iterable[Verdict], now: datetime) -> list[Event]:
        if self._gate is None:
            return []
        new = [each for each in verdicts if each.at >= self._since]
        return self._announce(self._gate.admit(new), now)

    def _announce(self, verdicts: Iterable[Verdict], now: datetime) -> list[Event]:
        ordered = [v for v in in_order(verdicts) if v.id not in self._announced]
        for verdict in ordered:
            members = verdict.tells_of
            self._announced.update((verdict.id, *(member.id for member in members)))
            if verdict.kind in OVERDUE:
                self._told_overdue += [(member.ended, now) for member in members]
        return [announcement(verdict, self._settings, now) for verdict in ordered]
