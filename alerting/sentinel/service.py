"""The sentinel's loop: follow the runs, judge, announce, and be heard.

It may be ended at any point, and there may be two: a verdict that was not announced is found again
by the next, and one that is announced twice has the same id, which the server acts on once.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta

import httpx
from websockets.exceptions import WebSocketException

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import SILENCES_CHANGED_EVENT
from alerting.redaction import redact
from alerting.sentinel.backlog import AT_ONCE, Backlog, backlog_of
from alerting.sentinel.drills import answer
from alerting.sentinel.events import FLOW_RUN_PREFIX, Event, announcement, ended_run
from alerting.sentinel.heartbeats import Watch
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import REORDERED, rules_of, silences_of
from alerting.sentinel.ordering import in_order
from alerting.sentinel.recovery import Beginning, Recovered, begin_at, recover, with_pasts
from alerting.sentinel.rounds import Rounds
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import (
    PERSISTED_SECONDS,
    NotDeployedError,
    Progress,
    Workspace,
    nothing,
)

TICK = timedelta(seconds=1)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the sentinel connects again, doubled each time."""
LOOK_BACK = timedelta(minutes=2)
"""How long before the last look the API is asked for what the stream lost."""
LONGEST_LOOK_BACK = REORDERED - timedelta(minutes=1)
"""What ended before, the judge may have let go of, and would count once more."""
NOT_DEPLOYED_SECONDS = 2.0
STANDBY_SECONDS = 30.0
LIVES_IN_VAIN = 2
"""How often it is heard, and gets nowhere, before it must first show that it can."""
LATE_EVENT = f"{FLOW_RUN_PREFIX}Late"
Clock = Callable[[], datetime]

log = logging.getLogger("data-alerts.sentinel")


class SettingsChanged(Exception):  # noqa: N818 - not an error: a reason to begin again
    """The stack was deployed with other settings."""


def utc_now() -> datetime:
    """The time."""
    return datetime.now(UTC)


class Sentinel:
    """Follows one stack's runs in one workspace."""

    def __init__(
        self, workspace: Workspace, *, clock: Clock = utc_now, tick: timedelta = TICK
    ) -> None:
        """Nothing is asked or announced before `run`. `tick` is the time between looks at it."""
        self._workspace = workspace
        self._clock = clock
        self._tick = tick
        self._pause = FIRST_PAUSE
        self._said = ""
        self._in_vain = 0
        """How often it was heard without having come to its first look around after that."""

    async def run(self) -> None:
        """Follow until cancelled. What goes wrong is logged, and tried again."""
        while True:
            try:
                await self.follow()
            except SettingsChanged:
                log.info("the stack was deployed anew")
                continue
            except NotDeployedError as error:
                self._say_once(str(error))
                await asyncio.sleep(NOT_DEPLOYED_SECONDS)
                continue
            except (httpx.HTTPError, WebSocketException, OSError) as error:
                log.warning("lost the server: %s", _said(error))
            except Exception as error:  # a defect must not end the alerting
                log.exception("began again after %s", type(error).__name__)
            await asyncio.sleep(self._pause * random.uniform(0.75, 1.25))  # noqa: S311
            self._pause = min(self._pause * 2, LONGEST_PAUSE)

    def _say_once(self, problem: str) -> None:
        if problem != self._said:
            self._said = problem
            log.warning("%s", problem)

    async def follow(self) -> None:
        """Connect, catch up and follow, until the connection is lost or the settings change.

        Raises NotDeployedError, SettingsChanged, or what the connection ended with.
        """
        settings = await self._workspace.published()
        rules_of_deployed(settings)
        connected = self._clock()
        async with self._workspace.stream(settings) as stream, backlog_of(stream) as backlog:
            # Asked before the first heartbeat, which would be the answer.
            beginning = await begin_at(self._workspace, settings, self._clock())
            watch = Watch(self._workspace, settings, beginning.since, self._clock)
            if self._in_vain >= LIVES_IN_VAIN:
                await self._rehearse(settings, beginning)
            self._in_vain += 1
            await watch.beat()
            if watch.standby:
                await self._wait_for_standby(watch)
            recovered = await recover(
                self._workspace, settings, beginning, self._clock(), watch.beat_if_due
            )
            rounds = self._rounds(recovered, settings, watch.beat_if_due)
            await self.announce(recovered.missed, settings)
            await self._tell(await rounds.missed_loads(), recovered, settings)
            await self._tell(await rounds.stale(self._clock()), recovered, settings)
            watch.catching_up = None
            log.info("following %s; %d missed while away", watch.described, len(recovered.missed))
            self._pause = FIRST_PAUSE
            await self._judge(recovered, rounds, settings, backlog, watch, connected)

    async def _rehearse(self, settings: PublishedSettings, beginning: Beginning) -> None:
        """Ask unheard for all that is needed, and at first tell nothing of it.

        One that fails again and again must not keep the watch quiet, or nobody would ever be told
        that nothing is judged. What it asks for is asked for again afterwards: only then is the
        standby paused, and known what it has told.
        """
        now = self._clock()
        recovered = await recover(self._workspace, settings, beginning, now, nothing)
        rounds = self._rounds(recovered, settings, nothing)
        if self._in_vain >= 2 * LIVES_IN_VAIN:
            # It is the telling that fails: rather a few told twice than one heard and of no use.
            await self.announce(recovered.missed, settings)
        await rounds.missed_loads()
        await rounds.stale(now)
        await rounds.over(now)
        await rounds.overdue(now)
        await self._lost(recovered, settings, now - LOOK_BACK)

    async def _lost(
        self, recovered: Recovered, settings: PublishedSettings, since: datetime
    ) -> list[Ended]:
        judge = recovered.judge
        return await self._workspace.lost_since(settings, since, judge.troubled(), judge.awaited())

    def _rounds(
        self, recovered: Recovered, settings: PublishedSettings, progress: Progress
    ) -> Rounds:
        judge, since, told = recovered.judge, recovered.since, recovered.told
        return Rounds(self._workspace, settings, judge, since, told, progress)

    async def announce(self, verdicts: Iterable[Verdict], settings: PublishedSettings) -> None:
        """Announce verdicts by time, and the gravest first where several became true at once.

        Prefect acts on one after another, at a third of a second each.
        """
        events = [announcement(each, settings, self._clock()) for each in in_order(verdicts)]
        for start in range(0, len(events), AT_ONCE):
            await self._workspace.announce(events[start : start + AT_ONCE])
        for event in events:
            log.info("%s %s", event["event"], event["resource"]["prefect.resource.name"])

    async def _judge(
        self,
        recovered: Recovered,
        rounds: Rounds,
        settings: PublishedSettings,
        backlog: Backlog,
        watch: Watch,
        connected: datetime,
    ) -> None:
        judge, every, looked = recovered.judge, rules_of(settings).heartbeat_every, connected
        while True:
            events = await backlog.some(self._tick)
            await self._answer_drills(events, settings, connected)
            if any(event["event"] == SILENCES_CHANGED_EVENT for event in events):
                await self._read_silences(recovered, settings)
            ends = [
                ended
                for event in events
                if (ended := ended_run(event, settings.tag))
                and await self._workspace.counts(settings, event, ended)
            ]
            await self._observe(ends, recovered, settings)
            now = self._clock()
            # What ends while it reads about a silence is not judged yet, which a heartbeat says.
            watch.catching_up = watch.catching_up or now
            found = [*judge.tick(now), *await rounds.loads(events), *await rounds.over(now)]
            if any(event["event"] == LATE_EVENT for event in events):
                found += await rounds.overdue(now)
            await self._tell(found, recovered, settings)
            await self.announce(recovered.gate.tick(now, recovered.told), settings)
            if len(events) < AT_ONCE:
                watch.catching_up = None
            await watch.beat_if_due()
            if now - looked >= every:
                since = max(looked - LOOK_BACK, now - LONGEST_LOOK_BACK)
                await self._look_around(recovered, rounds, settings, since)
                looked = now

    async def _look_around(
        self, recovered: Recovered, rounds: Rounds, settings: PublishedSettings, since: datetime
    ) -> None:
        """What the stream does not tell, or has lost since then. Raises SettingsChanged."""
        now = self._clock()
        await self._read_silences(recovered, settings)
        await self._observe(await self._lost(recovered, settings, since), recovered, settings)
        found = [*await rounds.lost_loads(since), *await rounds.overdue(now)]
        await self._tell(found, recovered, settings)
        self._in_vain = 0
        if await self._workspace.published() != settings:
            raise SettingsChanged

    async def _read_silences(self, recovered: Recovered, settings: PublishedSettings) -> None:
        added = await self._workspace.silences(settings)
        recovered.judge.silences = silences_of(settings, added)

    async def _tell(
        self, verdicts: Iterable[Verdict], recovered: Recovered, settings: PublishedSettings
    ) -> None:
        """Announce what is told now of further verdicts."""
        new = [verdict for verdict in verdicts if verdict.at >= recovered.since]
        await self.announce(recovered.gate.admit(new, recovered.told), settings)

    async def _answer_drills(
        self, events: Iterable[Event], settings: PublishedSettings, connected: datetime
    ) -> None:
        answers = (answer(event, settings, self._clock(), connected) for event in events)
        if announcements := [each for each in answers if each]:
            await self._workspace.announce(announcements)
            log.info("answered a drill")

    async def _observe(
        self, ends: Sequence[Ended], recovered: Recovered, settings: PublishedSettings
    ) -> None:
        judge = recovered.judge
        found = [
            verdict
            for ended in await with_pasts(self._workspace, settings, judge, ends)
            for verdict in judge.observe(ended)
        ]
        await self._tell(found, recovered, settings)

    async def _wait_for_standby(self, watch: Watch) -> None:
        """Let the standby be paused, so that from here on only one of both tells."""
        log.info("the standby automations are on; waiting for their pause")
        try:
            async with asyncio.timeout(STANDBY_SECONDS):
                while await watch.standby_is_on():
                    await asyncio.sleep(TICK.total_seconds())
                    await watch.beat_if_due()
        except TimeoutError:
            log.warning("the standby automations are still on: some failures may be told twice")
        await asyncio.sleep(PERSISTED_SECONDS)


def rules_of_deployed(settings: PublishedSettings) -> None:
    """Raise NotDeployedError where triggers judge."""
    if settings.sentinel is None:
        raise NotDeployedError(
            "this stack is judged by triggers: set data-alerts:evaluation: sentinel and deploy it"
        )


def _said(error: BaseException) -> str:
    """What went wrong, in one line and without secrets."""
    return " ".join(redact(f"{type(error).__name__}: {error}").split())[:300]
