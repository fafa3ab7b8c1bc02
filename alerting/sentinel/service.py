"""The sentinel's loop: follow the runs, judge, announce, and be heard.

It may be ended at any point, and there may be two: a verdict that was not announced is found again
by the next, and one that is announced twice has the same id, which the server acts on once.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
from websockets.exceptions import WebSocketException

from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.redaction import redact
from alerting.sentinel.backlog import AT_ONCE, Backlog, backlog_of
from alerting.sentinel.drills import answer
from alerting.sentinel.events import Event, announcement, ended_run, heartbeat
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import rules_of
from alerting.sentinel.recovery import Recovered, begin_at, recover, with_pasts
from alerting.sentinel.verdicts import Verdict
from alerting.sentinel.workspace import PERSISTED_SECONDS, NotDeployedError, Workspace

TICK = timedelta(seconds=1)
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before the sentinel connects again, doubled each time."""
LOOK_BACK = timedelta(minutes=3)
"""How far back the API is asked for what the stream lost; less than what the judge remembers."""
NOT_DEPLOYED_SECONDS = 2.0
STANDBY_SECONDS = 30.0
SAID_AGAIN = timedelta(minutes=1)
GRAVITY = (
    VerdictKind.ALL_DOWN,
    VerdictKind.STREAK,
    VerdictKind.ESCALATION,
    VerdictKind.FAILURE,
    VerdictKind.RECOVERY,
    VerdictKind.NOT_ALL_DOWN,
)
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
        self._outside: set[asyncio.Task[None]] = set()

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
            since = await begin_at(self._workspace, settings, self._clock())
            watch = _Watch(self, settings, since)
            await watch.beat()
            if watch.standby:
                await self._wait_for_standby(watch)
            recovered = await recover(
                self._workspace, settings, since, self._clock(), watch.beat_if_due
            )
            await self.announce(recovered.missed, settings)
            watch.catching_up = None
            log.info("following %s; %d missed while away", watch.described, len(recovered.missed))
            self._pause = FIRST_PAUSE
            await self._judge(recovered, settings, backlog, watch, connected)

    async def announce(self, verdicts: Iterable[Verdict], settings: PublishedSettings) -> None:
        """Announce verdicts by time, and the gravest first where several became true at once.

        Prefect acts on one after another, at a third of a second each.
        """
        ordered = sorted(verdicts, key=lambda each: (each.at, GRAVITY.index(each.kind)))
        events = [announcement(each, settings, self._clock()) for each in ordered]
        for start in range(0, len(events), AT_ONCE):
            await self._workspace.announce(events[start : start + AT_ONCE])
        for event in events:
            log.info("%s %s", event["event"], event["resource"]["prefect.resource.name"])

    async def _judge(
        self,
        recovered: Recovered,
        settings: PublishedSettings,
        backlog: Backlog,
        watch: "_Watch",
        connected: datetime,
    ) -> None:
        judge = recovered.judge
        while True:
            events = await backlog.some(self._tick)
            await self._answer_drills(events, settings, connected)
            ends = [
                ended
                for event in events
                if (ended := ended_run(event, settings.tag))
                and await self._workspace.counts(settings, event, ended)
            ]
            await self._observe(ends, recovered, settings)
            await self.announce(judge.tick(self._clock()), settings)
            if await watch.beat_if_due():
                since = self._clock() - LOOK_BACK
                lost = await self._workspace.lost_since(settings, since, judge.failing())
                await self._observe(lost, recovered, settings)
                if await self._workspace.published() != settings:
                    raise SettingsChanged

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
        await self.announce([v for v in found if v.at >= recovered.since], settings)

    async def _wait_for_standby(self, watch: "_Watch") -> None:
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

    def ping(self) -> None:
        """Tell the outside, without waiting for it."""
        task = asyncio.create_task(self._ping())
        self._outside.add(task)
        task.add_done_callback(self._outside.discard)

    async def _ping(self) -> None:
        try:
            await self._workspace.ping()
        except Exception as error:  # noqa: BLE001 - its own absence is what it reports
            log.warning("the outside ping failed: %s", type(error).__name__)

    @property
    def workspace(self) -> Workspace:
        """Where it follows runs."""
        return self._workspace

    def now(self) -> datetime:
        """The sentinel's time."""
        return self._clock()


class _Watch:
    """The heartbeat, and what it says of the standby automations."""

    def __init__(self, sentinel: Sentinel, settings: PublishedSettings, since: datetime) -> None:
        self.catching_up: datetime | None = since
        """From when on it still has to announce what it missed; None when it has."""
        self._sentinel = sentinel
        self._settings = settings
        self._rules = rules_of(settings)
        self._last: datetime | None = None
        self._said: datetime | None = None
        self.standby = False

    @property
    def described(self) -> str:
        return f"{len(self._settings.pipelines)} pipelines of {self._rules.scope}"

    async def beat(self) -> None:
        """Be heard, and when the standby is on, say so."""
        now = self._sentinel.now()
        self.standby = await self.standby_is_on()
        # Each that says so has the standby paused and people told; the pausing takes seconds.
        says_so = self.standby and (self._said is None or now - self._said > SAID_AGAIN)
        if says_so:
            self._said = now
        event = heartbeat(
            self._settings, uuid4(), now, standby=says_so, judged_until=self.catching_up
        )
        await self._sentinel.workspace.announce([event])
        self._last = now
        self._sentinel.ping()

    async def beat_if_due(self) -> bool:
        """Be heard when it is time to; returns whether it was."""
        now = self._sentinel.now()
        if self._last and now - self._last < self._rules.heartbeat_every:
            return False
        await self.beat()
        return True

    async def standby_is_on(self) -> bool:
        """Whether Prefect's own triggers are alerting now."""
        names = list(self._rules.standby.values())
        states = await self._sentinel.workspace.automations(names)
        return any(state.enabled for state in states.values())


def rules_of_deployed(settings: PublishedSettings) -> None:
    """Raise NotDeployedError where triggers judge."""
    if settings.sentinel is None:
        raise NotDeployedError(
            "this stack is judged by triggers: set data-alerts:evaluation: sentinel and deploy it"
        )


def _said(error: BaseException) -> str:
    """What went wrong, in one line and without secrets."""
    return " ".join(redact(f"{type(error).__name__}: {error}").split())[:300]
