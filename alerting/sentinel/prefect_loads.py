"""Reports of loads, asked of Prefect's events."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from prefect.client.orchestration import PrefectClient

from alerting.plan.load_events import (
    LOAD_EVENT,
    Load,
    load_of,
    load_resource,
    pipeline_of_load,
)
from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import Event
from alerting.sentinel.prefect_events import from_then_on, read_events
from alerting.sentinel.workspace import Progress, nothing

LOOK_BACK = timedelta(days=30)
MOST_READ = 1_000
"""Reports that are looked at, where other deployments of the flow report too."""


MOST_NAMED = 20
"""Of more pipelines all reports are read: the next page is asked for by a URL that names them."""


async def load_events(
    client: PrefectClient,
    settings: PublishedSettings,
    since: datetime,
    about: Sequence[str],
    *,
    most: int | None = None,
    progress: Progress = nothing,
) -> list[Event]:
    """The reports since a time, of others as well where there are many; if `most`, the latest.

    Raises httpx.HTTPError when Prefect cannot be asked.
    """
    asked = {
        "occurred": from_then_on(since),
        "event": {"name": [LOAD_EVENT]},
        "related": {"id": [f"prefect.tag.{settings.tag}"]},
        "order": "DESC" if most else "ASC",
    }
    if len(about) <= MOST_NAMED:
        asked["resource"] = {"id": [load_resource(name) for name in about]}
    found: list[Event] = []
    async for event in read_events(client, asked):
        found.append(event)
        await progress()
        if len(found) == most:
            break
    return found


async def recent_loads(
    client: PrefectClient,
    settings: PublishedSettings,
    pipeline: str,
    before: datetime,
    limit: int = 20,
) -> list[Load]:
    """The reports of a pipeline before a time, the latest first, at most so many.

    The pipeline is the key of a listed one, or another flow's name. A server writes events down
    some seconds after it has taken them. Raises httpx.HTTPError when Prefect cannot be asked.
    """
    flows = {each.flow for each in settings.pipelines if each.name == pipeline}
    about = sorted({pipeline, *flows})
    asked = {
        "occurred": {"since": (before - LOOK_BACK).isoformat(), "until": before.isoformat()},
        "event": {"name": [LOAD_EVENT]},
        "resource": {"id": [load_resource(name) for name in about]},
        # Another stack in the workspace may have a flow of the same name.
        "related": {"id": [f"prefect.tag.{settings.tag}"]},
        "order": "DESC",
    }
    found: list[Load] = []
    read = 0
    async for event in read_events(client, asked):
        load = load_of(event)
        if load and load.at < before and pipeline_of_load(load, settings) == pipeline:
            found.append(load)
        read += 1
        if len(found) >= limit or read >= MOST_READ:
            break
    return found
