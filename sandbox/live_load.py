"""How far the sentinel is behind a live server, under the load that such a server sustains.

Events of runs that end are posted at a steady rate. A subscriber notes when the server's stream
has each failure, and when it has the sentinel's verdict on it.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import BlockDocumentCreate
from prefect.events.clients import PrefectEventSubscriber
from prefect.events.filters import EventFilter
from rich.table import Table

from alerting.plan.names import Names
from alerting.plan.published import SETTINGS_BLOCK, PublishedSettings
from alerting.plan.verdicts import VerdictKind
from alerting.scenarios.run_events import RunEvent
from sandbox.drill.pipelines import wait_for
from sandbox.fleet import TAG, fleet_plan, flow_name
from sandbox.prefect_client import client_of
from sandbox.processes import contained
from sandbox.services import start_prefect_server, start_sentinel

EVENTS_A_MINUTE = 5_000
MINUTES = 2
PIPELINES = 1_000
FAILS_EVERY = 20
LAST_SECONDS = 120.0
NOWHERE = {"HTTP_PROXY": "http://127.0.0.1:1", "HTTPS_PROXY": "http://127.0.0.1:1"}


@dataclass
class LiveLoad:
    """What was measured. Times are in seconds."""

    offered: int
    """Events of ends that were posted."""
    posting: float
    """What posting them took."""
    ended: dict[str, float] = field(default_factory=dict)
    """When the stream had a failure, by its run."""
    judged: dict[str, float] = field(default_factory=dict)
    """When the stream had the verdict on it."""

    @property
    def a_minute(self) -> float:
        """Events that the server took a minute."""
        return self.offered / self.posting * 60

    @property
    def behind(self) -> list[float]:
        """Between a failure's being in the stream and its verdict's, shortest first."""
        return sorted(self.judged[run] - at for run, at in self.ended.items() if run in self.judged)

    @property
    def missing(self) -> int:
        """Failures without a verdict."""
        return len(self.ended.keys() - self.judged.keys())


def measure(say: Callable[[str], object]) -> LiveLoad:
    """Measure in a throwaway server. Raises SandboxError when something does not start."""
    with TemporaryDirectory() as name, contained(folder := Path(name)):
        api_url = f"{start_prefect_server(folder, {**NOWHERE, 'NO_PROXY': '127.0.0.1'})}/api"
        return asyncio.run(_measure(folder, api_url, say))


def as_table(load: LiveLoad) -> Table:
    """The figures for people."""
    table = Table(title="The sentinel behind a live server", title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    behind = load.behind
    table.add_row("events taken", f"{load.a_minute:,.0f} a minute over {load.posting:.0f} s")
    table.add_row("failures, of them judged", f"{len(load.ended):,}, {len(behind):,}")
    table.add_row("failure to verdict, median", f"{median(behind):.2f} s")
    table.add_row("longest", f"{behind[-1]:.2f} s")
    return table


def as_json(load: LiveLoad) -> dict[str, Any]:
    """The same as data."""
    behind = load.behind
    return {
        "events_a_minute": load.a_minute,
        "failures": len(load.ended),
        "missing": load.missing,
        "median_seconds_behind": median(behind),
        "longest_seconds_behind": behind[-1],
    }


async def _measure(folder: Path, api_url: str, say: Callable[[str], object]) -> LiveLoad:
    settings = fleet_plan(PIPELINES).published
    async with client_of(api_url) as client:
        await publish(client, settings)
        sentinel = start_sentinel(folder, api_url)
        say(f"waiting for the sentinel to look through {PIPELINES:,} pipelines")

        async def following() -> bool | None:
            return True if "following" in sentinel.log_tail() else None

        await wait_for(following, LAST_SECONDS, "the sentinel's start")
        load = LiveLoad(EVENTS_A_MINUTE * MINUTES, 0.0)
        noting = asyncio.create_task(_note(api_url, load))
        try:
            failures = await _post(client, load, say)

            async def all_judged() -> bool | None:
                return True if len(load.judged) >= failures else None

            with suppress(Exception):  # the figures say what is missing
                await wait_for(all_judged, LAST_SECONDS, "the last verdict")
        finally:
            noting.cancel()
            await asyncio.gather(noting, return_exceptions=True)
    return load


async def publish(
    client: PrefectClient, settings: PublishedSettings, name_prefix: str | None = None
) -> None:
    """What a deployment would, of which the sentinel needs no more."""
    kind = await client.read_block_type_by_slug("secret")
    schema = await client.get_most_recent_block_schema_for_block_type(kind.id)
    if schema is None:
        raise AssertionError("the server registers this type by itself")
    document = BlockDocumentCreate(
        name=Names(name_prefix, tag="").block(SETTINGS_BLOCK),
        block_type_id=kind.id,
        block_schema_id=schema.id,
        data={"value": settings.packed()},
    )
    await client.create_block_document(document)


async def _note(api_url: str, load: LiveLoad) -> None:
    asked = {"event": {"prefix": ["prefect.flow-run.Failed", VerdictKind.FAILURE.event]}}
    chosen = EventFilter.model_validate(asked)
    async with PrefectEventSubscriber(api_url=api_url, filter=chosen) as stream:
        async for event in stream:
            if event.event == VerdictKind.FAILURE.event:
                load.judged.setdefault(event.payload["run"], time.monotonic())
            else:
                load.ended.setdefault(event.resource["prefect.resource.name"], time.monotonic())


async def _post(client: PrefectClient, load: LiveLoad, say: Callable[[str], object]) -> int:
    """Post what is due each second; returns how many failed."""
    start, posted = time.monotonic(), 0
    while posted < load.offered:
        due = min(int((time.monotonic() - start) * EVENTS_A_MINUTE / 60), load.offered)
        if due > posted:
            events = [_event(number) for number in range(posted, due)]
            await client.request("POST", "/events", json=events)
            posted = due
        await asyncio.sleep(0.1)
    load.posting = time.monotonic() - start
    say(f"{posted:,} events posted in {load.posting:.0f} s")
    return load.offered // FAILS_EVERY


def _event(number: int) -> dict[str, Any]:
    failed = number % FAILS_EVERY == FAILS_EVERY - 1
    # Each pipeline that fails has a success before it fails again: every failure is a first one.
    run = f"run-{uuid4()}"
    state = "Failed" if failed else "Completed"
    flow = flow_name(number % PIPELINES)
    return RunEvent(flow, state, datetime.now(UTC), run, "connection refused", tags=(TAG,)).event()
