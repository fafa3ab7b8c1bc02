"""What a page shows: the last overview there is, however old, and what keeps it from being new."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

from alerting.connection import ConnectionProblem
from alerting.observing.observer import Observer
from alerting.observing.overview import Overview
from alerting.sentinel.service import Clock, utc_now
from alerting.sentinel.workspace import NotDeployedError

LOOK_EVERY = timedelta(seconds=15)
LOOKS_SEEN = 3
"""How often a page asks between two looks."""
OLD_AFTER = timedelta(seconds=60)
LOOK_SECONDS = 120.0
"""After so long a look is given up, and Prefect said to be slow."""
REST = 1.0
"""Between two questions about older runs: so long as the last took, and no longer than this."""

log = logging.getLogger("data-alerts.page")


@dataclass(frozen=True)
class View:
    """What there is to show at one time."""

    overview: Overview | None
    """None before the first."""
    problem: str | None
    """Why there is nothing newer, in one line."""
    is_old: bool
    now: datetime
    number: int
    """How many overviews there were."""
    ask_every: timedelta
    """How often a page in a browser should ask for a newer one."""

    @property
    def version(self) -> str:
        """What is another text for another view."""
        at = self.overview.at.isoformat() if self.overview else "none"
        return f"{at} {self.number} {self.is_old} {self.problem or ''}"


class Watch:
    """Looks again and again. It never ends because of what Prefect answers."""

    def __init__(
        self,
        observer: Observer,
        *,
        every: timedelta = LOOK_EVERY,
        old_after: timedelta = OLD_AFTER,
        clock: Clock = utc_now,
    ) -> None:
        """Begin with nothing to show."""
        self._observer = observer
        self._every = every.total_seconds()
        self._old_after = old_after
        self._clock = clock
        self._overview: Overview | None = None
        self._problem: str | None = None
        self._number = 0

    def view(self) -> View:
        """What there is to show now."""
        now, overview = self._clock(), self._overview
        is_old = overview is not None and now - overview.at > self._old_after
        ask_every = timedelta(seconds=self._every / LOOKS_SEEN)
        return View(overview, self._problem, is_old, now, self._number, ask_every)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            start = monotonic()
            await self._attempt(self._look)
            if self._problem is None:
                await self._attempt(partial(self._learn, start + self._every))
            await asyncio.sleep(max(start + self._every - monotonic(), 0.0))

    async def _look(self) -> None:
        await self._observer.ask()
        await self._show()

    async def _show(self) -> None:
        self._overview = await self._observer.overview()
        self._number += 1

    async def _learn(self, until: float) -> None:
        """Use the time until the next look, half of it: the server has others to serve."""
        shown, unshown = monotonic(), False
        while (asked := monotonic()) < until:
            if not await self._observer.ask_more():
                break
            took, unshown = monotonic() - asked, True
            if monotonic() - shown > self._every / 5:
                await self._show()
                shown, unshown = monotonic(), False
            if self._observer.knows_enough:
                await asyncio.sleep(min(took, REST))
        # Without anything new the pages that are open would be sent the same once more.
        if unshown:
            await self._show()

    async def _attempt(self, action: Callable[[], Awaitable[None]]) -> None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await action()
        except (ConnectionProblem, NotDeployedError) as error:
            self._say(str(error))
        except TimeoutError:
            self._say(f"Prefect takes longer than {LOOK_SECONDS:.0f} s to answer")
        except Exception as error:  # a defect must not take the page down
            log.exception("looking ended with %s", type(error).__name__)
            self._say(f"looking failed ({type(error).__name__}): see the log")
        else:
            self._problem = None

    def _say(self, problem: str) -> None:
        if problem != self._problem:
            log.warning("%s", problem)
        self._problem = problem
