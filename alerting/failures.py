"""The recent failures, asked of Prefect."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from prefect import get_client
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import DeploymentFilter, FlowFilter, FlowRunFilter
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.sorting import FlowRunSort
from prefect.utilities.urls import url_for

from alerting.redaction import redact

PAGE = 200
"""The most that Prefect answers with at once."""

MOST_RUNS = 10_000
LONGEST_SINCE = timedelta(days=366)


@dataclass(frozen=True)
class FailedRun:
    """A run that failed or crashed."""

    flow: str
    deployment: str | None
    """The deployment's name, None for an ad hoc run or a deployment that was deleted."""
    run_id: UUID
    name: str
    state: str
    """The state's name, such as Failed, Crashed or TimedOut."""
    message: str
    """The state's message, without credentials; empty when there is none."""
    time: datetime
    """When the run ended."""
    url: str | None
    """The run's page, None when this process knows no address of Prefect's pages."""


async def recent_failures(
    limit: int = 10,
    since: timedelta = timedelta(days=1),
    *,
    tag: str | None = None,
    flow: str | None = None,
) -> list[FailedRun]:
    """Return the runs that failed or crashed in the last `since`, newest first, at most `limit`.

    `tag` and `flow` narrow them down to runs with that tag and of the flow of that name. From a
    program without an event loop: `asyncio.run(recent_failures())`.

    Raises ValueError when `limit` is not from 1 to 10,000 or `since` not longer than zero and at
    most 366 days, and httpx.HTTPError when Prefect cannot be asked.
    """
    async with get_client() as client:
        return await failed_runs(client, limit, since, tag=tag, flow=flow)


async def failed_runs(
    client: PrefectClient,
    limit: int,
    since: timedelta,
    *,
    tag: str | None = None,
    flow: str | None = None,
) -> list[FailedRun]:
    """The same as `recent_failures` returns, asked through a client that is open."""
    _check(limit, since)
    now = datetime.now(UTC)
    # A run that started before the period and failed within it counts, and one that crashed
    # before it started has no other time than its end. The end of the period is fixed, so that
    # a failure between two pages does not shift the second.
    ended = {"after_": now - since, "before_": now}
    runs_filter = FlowRunFilter.model_validate(
        {
            "state": {"type": {"any_": ["FAILED", "CRASHED"]}},
            "end_time": ended,
            "tags": {"all_": [tag]} if tag else None,
        }
    )
    flow_filter = FlowFilter.model_validate({"name": {"any_": [flow]}}) if flow else None
    failed: list[FailedRun] = []
    for offset in range(0, limit, PAGE):
        wanted = min(PAGE, limit - offset)
        runs = await client.read_flow_runs(
            flow_filter=flow_filter,
            flow_run_filter=runs_filter,
            sort=FlowRunSort.END_TIME_DESC,
            limit=wanted,
            offset=offset,
        )
        failed += await _described(client, runs)
        if len(runs) < wanted:
            break
    return failed


def _check(limit: int, since: timedelta) -> None:
    if not 1 <= limit <= MOST_RUNS:
        raise ValueError(f"limit is {limit}: expected 1 to {MOST_RUNS:,} runs")
    if not timedelta(0) < since <= LONGEST_SINCE:
        raise ValueError(
            f"since is {since}: expected a time longer than zero and at most "
            f"{LONGEST_SINCE.days} days"
        )


async def _described(client: PrefectClient, runs: Sequence[FlowRun]) -> list[FailedRun]:
    """Put names to the flows and deployments of one page of runs."""
    flows = await client.read_flows(
        flow_filter=FlowFilter.model_validate(_among({run.flow_id for run in runs})), limit=PAGE
    )
    deployments = await client.read_deployments(
        deployment_filter=DeploymentFilter.model_validate(
            _among({run.deployment_id for run in runs if run.deployment_id})
        ),
        limit=PAGE,
    )
    flow_names = {flow.id: flow.name for flow in flows}
    deployment_names = {deployment.id: deployment.name for deployment in deployments}
    return [
        FailedRun(
            flow=flow_names[run.flow_id],
            deployment=deployment_names.get(run.deployment_id) if run.deployment_id else None,
            run_id=run.id,
            name=run.name,
            state=run.state.name or run.state.type.value,
            message=redact(run.state.message or ""),
            time=run.end_time,
            url=url_for("flow-run", run.id),
        )
        for run in runs
        # The filter asked for the first two; a flow can be deleted between two questions.
        if run.state and run.end_time and run.flow_id in flow_names
    ]


def _among(ids: set[UUID]) -> dict[str, dict[str, list[UUID]]]:
    return {"id": {"any_": list(ids)}}
