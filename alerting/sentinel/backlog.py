"""Events of the stream that wait to be judged. It fills also while nobody looks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from alerting.sentinel.events import Event

WAITING = 10_000
AT_ONCE = 200


class Backlog:
    """Events in the order in which they came."""

    def __init__(self, stream: AsyncIterator[Event]) -> None:
        """Use `backlog` instead, which also ends it."""
        self._queue: asyncio.Queue[Event] = asyncio.Queue(WAITING)
        self.filling = asyncio.create_task(self._fill(stream))

    async def some(self, wait: timedelta) -> list[Event]:
        """What is there; waits a while for a first one. Raises what the stream ended with."""
        try:
            async with asyncio.timeout(wait.total_seconds()):
                events = [await self._queue.get()]
        except TimeoutError:
            if self.filling.done():
                self.filling.result()
            return []
        while not self._queue.empty() and len(events) < AT_ONCE:
            events.append(self._queue.get_nowait())
        return events

    async def _fill(self, stream: AsyncIterator[Event]) -> None:
        async for event in stream:
            await self._queue.put(event)
        raise ConnectionError("the event stream ended")


@asynccontextmanager
async def backlog_of(stream: AsyncIterator[Event]) -> AsyncIterator[Backlog]:
    """Fill a backlog from a stream for as long as it is used."""
    backlog = Backlog(stream)
    try:
        yield backlog
    finally:
        backlog.filling.cancel()
        # Its outcome was either raised where it mattered, or does not matter any more.
        await asyncio.gather(backlog.filling, return_exceptions=True)
