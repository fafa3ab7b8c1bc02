"""Since when Prefect knows of pipelines, asked of its API."""

from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import datetime
from typing import Any

from prefect.client.orchestration import PrefectClient

from alerting.plan.published import PublishedPipeline
from alerting.sentinel.prefect_names import PAGE

_Record = dict[str, Any]


async def first_known(
    client: PrefectClient, pipelines: Sequence[PublishedPipeline]
) -> dict[str, datetime]:
    """When the deployment of each pipeline, or its flow where it names none, was made.

    By the pipeline's name, without those that are not there yet. Raises httpx.HTTPError when
    Prefect cannot be asked.
    """
    made: dict[str, datetime] = {}
    for start in range(0, len(pipelines), PAGE):
        made |= await _made(client, pipelines[start : start + PAGE])
    return made


async def _made(
    client: PrefectClient, pipelines: Sequence[PublishedPipeline]
) -> dict[str, datetime]:
    named = {"flows": {"name": {"any_": sorted({p.flow for p in pipelines})}}}
    flows = {flow["id"]: flow async for flow in _all(client, "/flows/filter", named)}
    deployments = [d async for d in _all(client, "/deployments/filter", named)] if flows else []

    def records(pipeline: PublishedPipeline) -> Iterator[_Record]:
        if pipeline.deployment is None:
            yield from (flow for flow in flows.values() if flow["name"] == pipeline.flow)
            return
        for deployment in deployments:
            flow = flows.get(deployment["flow_id"])
            if flow and (flow["name"], deployment["name"]) == (pipeline.flow, pipeline.deployment):
                yield deployment

    return {
        pipeline.name: datetime.fromisoformat(record["created"])
        for pipeline in pipelines
        for record in records(pipeline)
    }


async def _all(client: PrefectClient, path: Any, asked: _Record) -> AsyncIterator[_Record]:  # noqa: ANN401 - the client's list of paths
    offset = 0
    while True:
        body = {**asked, "limit": PAGE, "offset": offset}
        page = (await client.request("POST", path, json=body)).json()
        for record in page:
            yield record
        offset += len(page)
        if len(page) < PAGE:
            return
