"""What a view of a thousand pipelines with a month of hourly runs costs, and how long it takes.

The first look asks a server that holds them all. After it the memory is filled from the same runs,
as it would be after the rest was read, and what a look and a page take from then on is measured.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
import uvicorn
from rich.table import Table

from alerting.observing.figures import DAYS
from alerting.observing.fleet import Source
from alerting.observing.memory import KeptRun, Memory
from alerting.observing.observer import Observer
from alerting.observing.page.server import application
from alerting.observing.page.watch import Watch
from alerting.observing.pipelines import Condition, EndedRun
from alerting.observing.prefect_reader import CountedClient
from alerting.observing.run_reading import LATEST
from sandbox.drill.pipelines import wait_for
from sandbox.fleet import fleet_plan, flow_name
from sandbox.live_load import NOWHERE, publish
from sandbox.observed.seeding import DEPLOYMENT, seed, seeded_runs
from sandbox.processes import contained
from sandbox.services import start_prefect_server

PIPELINES = 1_000
RUNS = 700
"""Of each pipeline: an hourly one has so many in 29 days."""
FIRST_BYTES = 20
PAGE_SECONDS = 30.0
WARM = 5
BACK_SECONDS = 20.0
MOST_COLD, MOST_WARM, MOST_FIRST_BYTE = 15.0, 3.0, 0.3
MOST_COLD_REQUESTS = 1.25
"""Questions for each pipeline until all are counted."""
MOST_WARM_REQUESTS = 30
_AT_ONCE = 20_000

Say = Callable[[str], object]


@dataclass
class Observed:
    """What was measured. Times are in seconds."""

    seeded: int
    states: float = 0.0
    """Until the state of every pipeline was known."""
    counts: float = 0.0
    """Until the ends of every pipeline were counted, too."""
    cold_requests: int = 0
    latest: float = 0.0
    """Until the durations of each pipeline's latest runs were known."""
    latest_requests: int = 0
    runs_a_second: float = 0.0
    """Older runs that are read after that."""
    first_warm: float = 0.0
    """The first look of a process that finds all in memory."""
    warm: list[float] = field(default_factory=list)
    warm_requests: int = 0
    first_bytes: list[float] = field(default_factory=list)

    @property
    def wrong(self) -> str | None:
        """What must not be so; None when all is well."""
        first_byte = max(self.first_bytes)
        for value, most, what in (
            (self.counts, MOST_COLD, "seconds until all is counted"),
            (max(self.warm), MOST_WARM, "seconds for a look"),
            (first_byte, MOST_FIRST_BYTE, "seconds until a page's first byte"),
            (self.cold_requests, MOST_COLD_REQUESTS * PIPELINES, "questions at first"),
            (self.warm_requests, MOST_WARM_REQUESTS, "questions for a look"),
        ):
            if value > most:
                return f"{value:.2f} {what}, at most {most:g} are wanted"
        return None


def measure(say: Say) -> Observed:
    """Measure in a throwaway server. Raises SandboxError when it does not start."""
    with TemporaryDirectory() as name, contained(folder := Path(name)):
        api_url = f"{start_prefect_server(folder, {**NOWHERE, 'NO_PROXY': '127.0.0.1'})}/api"
        now = datetime.now(UTC)
        say(f"writing {PIPELINES * RUNS:,} runs")
        found = Observed(seed(folder, PIPELINES, RUNS, now))
        asyncio.run(_measure(found, api_url, folder, now, say))
    return found


def as_table(found: Observed) -> Table:
    """The figures for people."""
    title = f"Seen: {PIPELINES:,} pipelines, {found.seeded:,} runs"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    table.add_column("questions", justify="right")
    table.add_row("first look: all states", f"{found.states:.1f} s", "")
    table.add_row("first look: all counts", f"{found.counts:.1f} s", f"{found.cold_requests:,}")
    latest = f"durations of each pipeline's latest {LATEST} runs"
    table.add_row(latest, f"{found.latest:.1f} s", f"{found.latest_requests:,}")
    table.add_row("older runs, behind", f"{found.runs_a_second:,.0f} runs/s", "")
    table.add_row("next look", f"{median(found.warm):.2f} s", f"{found.warm_requests:,}")
    table.add_row("first look of a further process", f"{found.first_warm:.2f} s", "")
    table.add_row("page's first byte, median", f"{1_000 * median(found.first_bytes):.0f} ms", "")
    table.add_row("longest", f"{1_000 * max(found.first_bytes):.0f} ms", "")
    return table


def as_json(found: Observed) -> dict[str, Any]:
    """The same as data."""
    return {
        "runs": found.seeded,
        "states_seconds": found.states,
        "counts_seconds": found.counts,
        "cold_requests": found.cold_requests,
        "latest_seconds": found.latest,
        "latest_requests": found.latest_requests,
        "older_runs_a_second": found.runs_a_second,
        "warm_seconds": median(found.warm),
        "warm_requests": found.warm_requests,
        "first_warm_seconds": found.first_warm,
        "first_byte_seconds": median(found.first_bytes),
        "longest_first_byte_seconds": max(found.first_bytes),
    }


async def _measure(found: Observed, api_url: str, folder: Path, now: datetime, say: Say) -> None:
    async with CountedClient(api=api_url, httpx_settings={"trust_env": False}) as client:
        await publish(client, fleet_plan(PIPELINES).published)
        say("looking for the first time")
        memory = Memory(folder / "memory.sqlite")
        await _first(found, Observer(client, memory), memory)
        say("as after the rest was read")
        _fill(memory, now)
        await _later(found, client, memory)
        memory.close()


async def _first(found: Observed, observer: Observer, memory: Memory) -> None:
    start = monotonic()
    await observer.ask()
    while not observer.knows_enough:
        await observer.ask_more()
        if not found.states and await _knows_states(observer):
            found.states = monotonic() - start
    await observer.overview()
    found.counts, found.cold_requests = monotonic() - start, observer.requests
    wanted = (datetime.now(UTC) - timedelta(hours=LATEST + 1)).timestamp()
    while (covered := memory.covered) and covered[0] > wanted:
        await observer.ask_more()
    await observer.overview()
    found.latest, found.latest_requests = monotonic() - start, observer.requests
    before, since = memory.size, monotonic()
    while monotonic() - since < BACK_SECONDS:
        await observer.ask_more()
    found.runs_a_second = (memory.size - before) / (monotonic() - since)


async def _knows_states(observer: Observer) -> bool:
    return Condition.UNKNOWN not in (await observer.overview()).by_condition


async def _later(found: Observed, client: CountedClient, memory: Memory) -> None:
    observer, start = Observer(client, memory), monotonic()
    await observer.look()
    found.first_warm = monotonic() - start
    for _ in range(WARM):
        start = monotonic()
        found.warm_requests = (await observer.look()).requests
        found.warm.append(monotonic() - start)
    await _page(found, observer)


async def _page(found: Observed, observer: Observer) -> None:
    """Ask for pages while the observer goes on looking."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    app = application(Watch(observer, every=timedelta(seconds=2)))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False))
    serving = asyncio.create_task(server.serve([listening]))
    async with httpx.AsyncClient(base_url=url, trust_env=False) as browser:

        async def shown() -> bool | None:
            is_up = server.started and flow_name(0)[:-4] in (await browser.get("/")).text
            return True if is_up else None

        await wait_for(shown, PAGE_SECONDS, "the first page")
        for number in range(FIRST_BYTES):
            path = "/" if number % 2 else f"/pipelines/{flow_name(number)}"
            start = monotonic()
            async with browser.stream("GET", path) as answer:
                found.first_bytes.append(monotonic() - start)
                await answer.aread()
            await asyncio.sleep(0.3)
    server.should_exit = True
    await serving


def _fill(memory: Memory, now: datetime) -> None:
    """Put every seeded run into memory, as reading them would."""
    batch: list[KeptRun] = []
    for run in seeded_runs(PIPELINES, RUNS, now):
        state = "Failed" if run.failed else "Completed"
        end = EndedRun(UUID(run.run_id), state, run.started, run.ended, run.failed)
        batch.append(KeptRun(Source(flow_name(run.pipeline), DEPLOYMENT), end))
        if len(batch) == _AT_ONCE:
            memory.keep(batch)
            batch.clear()
    memory.keep(batch)
    memory.cover((now - timedelta(days=DAYS + 1)).timestamp(), now.timestamp())
