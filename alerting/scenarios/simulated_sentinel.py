"""The sentinel in virtual time: its own judging, without the API that it asks on a server."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from alerting.plan.published import PublishedSettings
from alerting.scenarios.run_events import made_id
from alerting.sentinel.catching_up import StandbyFiring, Told, missed, standby_firing
from alerting.sentinel.drills import answer
from alerting.sentinel.events import announcement, ended_run, heartbeat, parent_task_run
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import REORDERED, Judge, rules_of
from alerting.sentinel.verdicts import Verdict

Event = Mapping[str, Any]


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
        self._history: list[Ended] = []
        self._announced: set[UUID] = set()
        self._firings: list[StandbyFiring] = []
        self._heard: datetime | None = None
        self._heard_before: datetime | None = None
        self._alerting_parents: set[UUID] = set()

    def standby_fired(self, event: Event) -> None:
        """The server's event of an automation that fired, for what is not to be told again."""
        if firing := standby_firing(event, self._settings):
            self._firings.append(firing)

    def knows_parent(self, task_run_id: UUID, *, alerts: bool) -> None:
        """The run that a task run belongs to; the service asks the API about it."""
        if alerts:
            self._alerting_parents.add(task_run_id)

    def observe(self, event: Event, now: datetime) -> list[Event]:
        """What it announces of an event; an event while it is down is history that it finds later.

        `now` is when the event arrives.
        """
        if self._judge and (answered := answer(event, self._settings, now, self._connected)):
            return [answered]
        ended = ended_run(event, self._settings.tag)
        if ended is None or not self._counts(event, ended):
            return []
        self._history.append(ended)
        if self._judge is None:
            return []
        found = self._judge.observe(ended)
        return self._announce([v for v in found if v.at >= self._since], now)

    def next_due(self, now: datetime) -> datetime | None:
        """When it will next have something to announce without a further event."""
        return self._judge.next_due(now) if self._judge else None

    def tick(self, now: datetime) -> list[Event]:
        """What has become due by now."""
        return self._announce(self._judge.tick(now), now) if self._judge else []

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
        self._judge = Judge(self._settings)
        ordered = sorted(self._history, key=lambda ended: ended.order)
        found = [verdict for ended in ordered for verdict in self._judge.observe(ended)]
        found += self._judge.tick(now)
        told = Told(frozenset(self._announced), tuple(self._firings))
        return self._announce(missed(found, self._since, told, self._settings), now)

    def disconnect(self) -> None:
        """It is killed, or has lost the server: it remembers nothing."""
        self._judge = None

    def _counts(self, event: Event, ended: Ended) -> bool:
        """A subflow's end does not count where its parent speaks for it, unless it is listed."""
        if parent_task_run(event) not in self._alerting_parents:
            return True
        return self._settings.pipeline_of(ended.flow, ended.deployment) is not None

    def _announce(self, verdicts: Iterable[Verdict], now: datetime) -> list[Event]:
        ordered = sorted(verdicts, key=lambda verdict: verdict.at)
        self._announced.update(verdict.id for verdict in ordered)
        return [announcement(verdict, self._settings, now) for verdict in ordered]
