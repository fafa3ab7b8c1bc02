"""The sentinel's heartbeat, and what it says of the standby automations."""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import heartbeat
from alerting.sentinel.judging import rules_of
from alerting.sentinel.workspace import Workspace

SAID_AGAIN = timedelta(minutes=1)

log = logging.getLogger("data-alerts.sentinel")


class Watch:
    """Is heard in time, for as long as somebody asks it to."""

    def __init__(
        self,
        workspace: Workspace,
        settings: PublishedSettings,
        since: datetime,
        clock: Callable[[], datetime],
    ) -> None:
        """Nothing is said yet; what is due since then is still to be announced."""
        self.catching_up: datetime | None = since
        """From when on it still has to announce what it missed; None when it has announced all."""
        self.standby = False
        """Whether the standby automations were on at the last heartbeat."""
        self._workspace = workspace
        self._settings = settings
        self._rules = rules_of(settings)
        self._clock = clock
        self._last: datetime | None = None
        self._said: datetime | None = None
        self._outside: set[asyncio.Task[None]] = set()

    @property
    def described(self) -> str:
        """What is followed, in a few words."""
        return f"{len(self._settings.pipelines)} pipelines of {self._rules.scope}"

    async def beat(self) -> None:
        """Be heard, and when the standby is on, say so."""
        now = self._clock()
        self.standby = await self.standby_is_on()
        # Each that says so has the standby paused and people told; the pausing takes seconds.
        says_so = self.standby and (self._said is None or now - self._said > SAID_AGAIN)
        if says_so:
            self._said = now
        event = heartbeat(
            self._settings, uuid4(), now, standby=says_so, judged_until=self.catching_up
        )
        await self._workspace.announce([event])
        self._last = now
        self._ping_outside()

    async def beat_if_due(self) -> bool:
        """Be heard when it is time to; returns whether it was."""
        if self._last and self._clock() - self._last < self._rules.heartbeat_every:
            return False
        await self.beat()
        return True

    async def standby_is_on(self) -> bool:
        """Whether Prefect's own triggers are alerting now."""
        states = await self._workspace.automations(list(self._rules.standby.values()))
        return any(state.enabled for state in states.values())

    def _ping_outside(self) -> None:
        """Tell the outside, without waiting for it."""
        task = asyncio.create_task(self._ping())
        self._outside.add(task)
        task.add_done_callback(self._outside.discard)

    async def _ping(self) -> None:
        try:
            await self._workspace.ping()
        except Exception as error:  # noqa: BLE001 - its own absence is what it reports
            log.warning("the outside ping failed: %s", type(error).__name__)
