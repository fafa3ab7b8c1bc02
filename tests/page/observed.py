"""The pages of a stack in a fake workspace, served by a real server in this process."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import uvicorn

from alerting.observing.memory import Memory
from alerting.observing.page.server import application
from alerting.observing.page.watch import Watch
from tests.shared.fake_prefect import FakePrefect

START_SECONDS = 20.0


@dataclass
class Served:
    """A page that is served."""

    url: str
    prefect: FakePrefect


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, up: threading.Event) -> None:
        super().__init__(config)
        self._up = up

    async def startup(self, sockets: object = None) -> None:
        await super().startup()
        self._up.set()

    @property
    def port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


@contextmanager
def served(
    prefect: FakePrefect, *, every: float = 0.2, old_after: float = 60.0
) -> Iterator[Served]:
    """Serve the pages, looking every so many seconds."""
    up = threading.Event()
    made: list[_Server] = []

    async def serve() -> None:
        async with prefect.client() as client:
            observer = prefect.observer(client, Memory())
            watch = Watch(
                observer,
                every=timedelta(seconds=every),
                old_after=timedelta(seconds=old_after),
                clock=lambda: prefect.now,
            )
            app = application(watch)
            config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
            made.append(_Server(config, up))
            await made[0].serve()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    assert up.wait(START_SECONDS)
    try:
        yield Served(f"http://127.0.0.1:{made[0].port}", prefect)
    finally:
        made[0].should_exit = True
        thread.join(START_SECONDS)
