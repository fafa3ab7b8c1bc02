"""Prefect's trigger engine in virtual time: in this process, without a server.

The engine is Prefect's. What it keeps between events is kept in memory in place of its database,
and what it fires is collected where its server would queue the actions. Importing this module
imports Prefect's server, which takes seconds, so others import it where they use it.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import Any, NoReturn, Self, TypeVar, cast
from unittest import mock
from uuid import UUID

import time_machine
from cachetools import TTLCache
from prefect.context import SettingsContext
from prefect.server.events import triggers
from prefect.server.events.ordering import SEEN_EXPIRATION
from prefect.server.events.ordering.memory import CausalOrdering
from prefect.server.events.schemas.automations import Automation, Firing, Posture
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.settings import PREFECT_EVENTS_EXPIRED_BUCKET_BUFFER, Profile, Settings
from prefect.types import DateTime

from alerting.scenarios.windows import Windows

GRANULARITY = timedelta(seconds=5)
"""How often a server looks for what did not happen."""
START = datetime(2026, 1, 5, tzinfo=UTC)
"""When time begins."""
_SEEN_AT_MOST = 10_000

T = TypeVar("T")
Event = Mapping[str, Any]


class EngineError(Exception):
    """Prefect's engine failed where its server would only have logged it."""


class Engine:
    """Prefect's trigger engine. One serves any number of simulations, one after another.

    While `running`, the process's clock stands still and is moved by `move_to`; `feed` has the
    engine react to an event, and `evaluate` to what did not happen by now. Both return what fired.
    """

    def __init__(self, settings: Settings, windows: Windows | None = None) -> None:
        """`settings` are Prefect's; see `fresh_settings`. `windows` keep its state."""
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._windows = windows or Windows()
        self._automations: dict[UUID, Automation] = {}
        self._fired: list[Firing] = []
        self._first_tick = self._last_tick = START
        self._now = START

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the event loop."""
        self._loop.close()

    @property
    def now(self) -> datetime:
        """The time in the engine."""
        return self._now

    @contextmanager
    def running(self, automations: Iterable[Automation], start: datetime = START) -> Iterator[None]:
        """A server that starts at this time with these automations and nothing else."""
        self._now = start
        with ExitStack() as stack:
            profile = Profile(name="scenarios", settings={})
            stack.enter_context(SettingsContext(profile=profile, settings=self._settings))
            stand_ins: dict[str, Any] = {"act": self._collect, "logger": _RaisingLogger()}
            stand_ins |= self._windows.stand_ins()
            stack.enter_context(mock.patch.multiple(triggers, **stand_ins))
            self._clock = stack.enter_context(time_machine.travel(start, tick=False))
            stack.callback(triggers.clear_loaded_automations)
            self._windows.clear()
            self._automations = {automation.id: automation for automation in automations}
            self._boot()
            yield

    def move_to(self, time: datetime) -> None:
        """Let time pass. What is due meanwhile is for the caller: see `next_evaluation`."""
        self._now = time
        self._clock.move_to(time)

    def feed(self, event: Event) -> list[Firing]:
        """What an event that arrives now makes fire. One that was seen before makes nothing."""
        self._pass_idle_runs()
        self.run(self._feed(ReceivedEvent.model_validate(event)))
        return self._take()

    def next_evaluation(self) -> datetime | None:
        """When the server will next look at a window that is open; None when none is."""
        runs = [triggers.next_proactive_runs.get(key, self._first_tick) for key in self._open()]
        if not runs:
            return None
        return max(self._tick_from(min(runs)), self._last_tick + GRANULARITY)

    def evaluate(self) -> list[Firing]:
        """What fires because something did not happen by now, a time of `next_evaluation`."""
        self._pass_idle_runs()
        self._last_tick = self._now
        self.run(self._evaluate())
        return self._take()

    def set_enabled(self, automation_id: UUID, *, enabled: bool) -> None:
        """Pause or resume an automation. Its open windows stay, as on a server."""
        automation = self._automations[automation_id]
        automation.enabled = enabled
        triggers.load_automation(automation)

    def is_enabled(self, automation_id: UUID) -> bool:
        """Whether an automation is acting."""
        return self._automations[automation_id].enabled

    def restart(self) -> None:
        """The server comes up anew: open windows are in its database, all else is forgotten."""
        self._boot()
        self._last_tick = self._now - GRANULARITY

    def _boot(self) -> None:
        triggers.clear_loaded_automations()
        self.run(triggers.reset_events_clock())
        # Its own cache goes by a clock that does not stand still.
        ordering = CausalOrdering("triggers")
        ordering.clear()
        ordering._seen_events = TTLCache(  # noqa: SLF001
            _SEEN_AT_MOST, SEEN_EXPIRATION.total_seconds(), timer=self._seconds
        )
        for automation in self._automations.values():
            triggers.load_automation(automation)
        self._first_tick = self._last_tick = self._now

    def _seconds(self) -> float:
        return self._now.timestamp()

    async def _feed(self, event: ReceivedEvent) -> None:
        if await CausalOrdering("triggers").event_has_been_seen(event.id):
            return
        await self._sweep()
        await triggers.reactive_evaluation(event)

    async def _evaluate(self) -> None:
        await self._sweep()
        await triggers.evaluate_proactive_triggers()

    async def _sweep(self) -> None:
        """Forget windows that ended long ago, as the server did at its last look."""
        elapsed = (self._now - self._first_tick) // GRANULARITY
        looked = self._first_tick + elapsed * GRANULARITY
        offset = timedelta(seconds=await triggers.get_events_clock_offset())
        older_than = looked + offset - PREFECT_EVENTS_EXPIRED_BUCKET_BUFFER.value()
        await self._windows.sweep_closed_buckets(None, older_than)

    def _open(self) -> set[UUID]:
        """The proactive triggers that have a window, still open or not yet looked at."""
        proactive = {k for k, t in triggers.triggers.items() if t.posture == Posture.Proactive}
        return proactive & self._windows.triggers() if proactive else set()

    def _pass_idle_runs(self) -> None:
        """Let runs of triggers that have no window go by: they find nothing and do nothing."""
        open_now = self._open()
        for key, trigger in triggers.triggers.items():
            if trigger.posture != Posture.Proactive or key in open_now:
                continue
            run = self._tick_from(triggers.next_proactive_runs.get(key, self._first_tick))
            while run < self._now:
                run = self._tick_from(run + trigger.within)
            triggers.next_proactive_runs[key] = cast("DateTime", run)

    def _tick_from(self, time: datetime) -> datetime:
        """The server's first look at or after a time."""
        elapsed = time.timestamp() - self._first_tick.timestamp()
        return self._first_tick + ceil(elapsed / GRANULARITY.total_seconds()) * GRANULARITY

    def _take(self) -> list[Firing]:
        fired, self._fired = self._fired, []
        return fired

    async def _collect(self, firing: Firing) -> None:
        self._fired.append(firing)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the engine's event loop."""
        return self._loop.run_until_complete(work)


class _RaisingLogger:
    """Stands for the engine's logger, and makes an error of what it would only log as one."""

    def exception(self, message: str, *values: object) -> NoReturn:
        raise EngineError(message % values)

    def _ignore(self, *_: object, **__: object) -> None: ...

    debug = info = warning = _ignore
