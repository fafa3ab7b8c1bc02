"""Since when Prefect knows of pipelines, asked of its API."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from prefect.client.orchestration import PrefectClient

from alerting.plan.published import PublishedPipeline
from alerting.sentinel.prefect_names import PAGE, PrefectNames


async def first_known(
    client: PrefectClient, pipelines: Sequence[PublishedPipeline]
) -> dict[str, datetime]:
    """When the deployment of each pipeline, or its flow where it names none, was made.

    By the pipeline's name, without those that are not there yet. Raises httpx.HTTPError when
    Prefect cannot be asked.
    """
    names = PrefectNames(client)
    made: dict[str, datetime] = {}
    for start in range(0, len(pipelines), PAGE):
        made |= await _made(names, pipelines[start : start + PAGE])
    return made


async def _made(names: PrefectNames, pipelines: Sequence[PublishedPipeline]) -> dict[str, datetime]:
    asked = {"flows": {"name": {"any_": sorted({p.flow for p in pipelines})}}}
    flow_names: dict[str, str] = {}
    created: dict[tuple[str, str | None], str] = {}
    async for flow in _all(names, "/flows/filter", asked):
        flow_names[flow["id"]] = flow["name"]
        created[flow["name"], None] = flow["created"]
    async for deployment in _all(names, "/deployments/filter", asked):
        if name := flow_names.get(deployment["flow_id"]):
            created[name, deployment["name"]] = deployment["created"]
    return {
        pipeline.name: datetime.fromisoformat(created[key])
        for pipeline in pipelines
        if (key := (pipeline.flow, pipeline.deployment)) in created
    }


async def _all(
    names: PrefectNames, path: str, asked: dict[str, Any]
) -> AsyncIterator[dict[str, Any]]:
    offset = 0
    while True:
        page = await names.post(path, {**asked, "limit": PAGE, "offset": offset})
        for record in page:
            yield record
        offset += len(page)
        if len(page) < PAGE:
            return
