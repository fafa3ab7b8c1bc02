"""What the trigger engine keeps between events, in memory.

Prefect keeps it in SQL tables, which costs a millisecond for each statement and half a dozen
statements for each trigger that an event concerns. Each method here has the name, the arguments and
the meaning of the function of Prefect's that it stands for; a test plays random histories through
both.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from prefect.server.events.schemas.automations import (
    CompositeTrigger,
    EventTrigger,
    Firing,
    Trigger,
)
from prefect.server.events.schemas.events import ReceivedEvent

_BATCH = 500
Key = tuple[str, ...]
Session = Any
"""Prefect hands its database's session about; there is none here."""


@dataclass
class Window:
    """Prefect's automation bucket: a time in which a trigger counts events."""

    trigger_id: UUID
    bucketing_key: Key
    start: datetime
    end: datetime
    count: int
    last_event: ReceivedEvent | None
    last_operation: str = ""


class Windows:
    """The windows of all triggers, and what the children of compound triggers fired."""

    def __init__(self) -> None:
        """Begin without any."""
        self._windows: dict[UUID, dict[Key, Window]] = {}
        self._firings: dict[UUID, dict[UUID, Firing]] = {}

    def stand_ins(self) -> dict[str, Callable[..., Any]]:
        """What takes the place of which function in Prefect's trigger engine."""
        methods = (
            self.automations_session,
            self.read_bucket,
            self.ensure_bucket,
            self.increment_bucket,
            self.start_new_bucket,
            self.remove_bucket,
            self.remove_buckets_exceeding_threshold,
            self.read_buckets_for_automation,
            self.sweep_closed_buckets,
            self.acquire_composite_trigger_lock,
            self.clear_old_child_firings,
            self.upsert_child_firing,
            self.get_child_firings,
            self.clear_child_firings,
        )
        return {method.__name__: method for method in methods}

    def clear(self) -> None:
        """Forget everything."""
        self._windows.clear()
        self._firings.clear()

    def triggers(self) -> set[UUID]:
        """The triggers that have a window."""
        return {trigger_id for trigger_id, windows in self._windows.items() if windows}

    @asynccontextmanager
    async def automations_session(self, **_: object) -> AsyncIterator[Session]:
        """A session in which nothing is to be committed."""

        async def commit() -> None: ...

        yield SimpleNamespace(commit=commit)

    async def read_bucket(self, _: Session, trigger: Trigger, bucketing_key: Key) -> Window | None:
        """A trigger's window for these values, if it has one."""
        return self._of(trigger.id).get(bucketing_key)

    async def ensure_bucket(
        self,
        _: Session,
        trigger: EventTrigger,
        bucketing_key: Key,
        start: datetime,
        end: datetime,
        last_event: ReceivedEvent | None,
        initial_count: int = 0,
    ) -> Window:
        """Open a window unless there is one; that one only notes the event."""
        window = self._of(trigger.id).get(bucketing_key)
        if window is None:
            return self._open(trigger.id, bucketing_key, start, end, initial_count, last_event)
        window.last_event = last_event or window.last_event
        return window

    async def increment_bucket(
        self, _: Session, bucket: Window, count: int, last_event: ReceivedEvent | None
    ) -> Window:
        """Count an event."""
        window = self._of(bucket.trigger_id).get(bucket.bucketing_key)
        if window is None:
            return self._open(
                bucket.trigger_id, bucket.bucketing_key, bucket.start, bucket.end, count, None
            )
        window.count += count
        window.last_event = last_event or window.last_event
        return window

    async def start_new_bucket(  # noqa: PLR0913, PLR0917 - Prefect's arguments
        self,
        _: Session,
        trigger: EventTrigger,
        bucketing_key: Key,
        start: datetime,
        end: datetime,
        count: int,
        triggered_at: datetime | None = None,  # noqa: ARG002 - kept by Prefect for nobody
        last_event: ReceivedEvent | None = None,
    ) -> Window:
        """Open a window in place of the one there may be."""
        return self._open(trigger.id, tuple(bucketing_key), start, end, count, last_event)

    async def remove_bucket(self, _: Session, bucket: Window) -> None:
        """Close a window."""
        self._of(bucket.trigger_id).pop(bucket.bucketing_key, None)

    async def remove_buckets_exceeding_threshold(self, _: Session, trigger: EventTrigger) -> None:
        """Close the windows in which enough was counted."""
        windows = self._of(trigger.id)
        for key in [k for k, window in windows.items() if window.count >= trigger.threshold]:
            del windows[key]

    async def read_buckets_for_automation(
        self, _: Session, trigger: Trigger, batch_size: int = _BATCH
    ) -> AsyncIterator[Window]:
        """A trigger's windows, the oldest first; in batches, between which they may change."""
        offset = 0
        while batch := self._by_start(trigger.id)[offset : offset + batch_size]:
            for window in batch:
                yield window
            offset += batch_size

    async def sweep_closed_buckets(self, _: Session, older_than: datetime) -> None:
        """Close the windows that ended by then."""
        for windows in self._windows.values():
            for key in [k for k, window in windows.items() if window.end <= older_than]:
                del windows[key]

    async def acquire_composite_trigger_lock(self, _: Session, trigger: CompositeTrigger) -> None:
        """Nobody else evaluates."""

    async def clear_old_child_firings(
        self, _: Session, trigger: CompositeTrigger, fired_before: datetime
    ) -> None:
        """Forget what the children fired before that time."""
        fired = self._firings.get(trigger.id, {})
        for key in [k for k, firing in fired.items() if firing.triggered < fired_before]:
            del fired[key]

    async def upsert_child_firing(self, _: Session, firing: Firing) -> None:
        """Note what a child fired, in place of what it fired before."""
        self._firings.setdefault(firing.trigger.parent.id, {})[firing.trigger.id] = firing

    async def get_child_firings(
        self, _: Session, trigger: CompositeTrigger
    ) -> Sequence[SimpleNamespace]:
        """What the children fired."""
        fired = self._firings.get(trigger.id, {})
        return [SimpleNamespace(child_firing=firing) for firing in fired.values()]

    async def clear_child_firings(
        self, _: Session, trigger: CompositeTrigger, firing_ids: Sequence[UUID]
    ) -> set[UUID]:
        """Forget these firings; which of them there were."""
        fired = self._firings.get(trigger.id, {})
        found = {key: firing.id for key, firing in fired.items() if firing.id in firing_ids}
        for key in found:
            del fired[key]
        return set(found.values())

    def _of(self, trigger_id: UUID) -> dict[Key, Window]:
        return self._windows.setdefault(trigger_id, {})

    def _by_start(self, trigger_id: UUID) -> list[Window]:
        return sorted(self._of(trigger_id).values(), key=lambda window: window.start)

    def _open(
        self,
        trigger_id: UUID,
        key: Key,
        start: datetime,
        end: datetime,
        count: int,
        last_event: ReceivedEvent | None,
    ) -> Window:
        window = Window(trigger_id, key, start, end, count, last_event)
        self._of(trigger_id)[key] = window
        return window
