"""Runs a drill's pipelines on the sandbox's Prefect server."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Self, TypeVar
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Scheduled

from sandbox.drill.scenarios import STREAK_FLOW, UNATTENDED_QUEUE, Run, Target
from sandbox.services import WORK_POOL
from sandbox.state import SandboxError

RUN_SECONDS = 90.0
POLL_SECONDS = 0.25
LATE_BY = timedelta(minutes=10)
Found = TypeVar("Found")


async def wait_for(look: Callable[[], Awaitable[Found | None]], seconds: float, what: str) -> Found:
    """Look until there is something. Raises SandboxError when there is nothing in time."""
    deadline = asyncio.get_running_loop().time() + seconds
    while (found := await look()) is None:
        if asyncio.get_running_loop().time() > deadline:
            raise SandboxError(f"{what} did not happen within {seconds:.0f} s")
        await asyncio.sleep(POLL_SECONDS)
    return found


async def suffix_of_next_drill(client: PrefectClient, listed: Iterable[str]) -> str:
    """What tells the flows of this drill from those that ran before in the same sandbox.

    What they did would count on: a failure of a listed flow from before, for one, is part of the
    next outage.
    """
    names = [STREAK_FLOW, *listed]
    ran = [
        flow
        for name in names
        for flow in await client.read_flows(flow_filter=FlowFilter(name=FlowFilterName(like_=name)))
    ]
    return f"-{len(ran)}" if ran else ""


class DrillPipelines:
    """Deployments of a drill's targets, which run in the sandbox's worker."""

    def __init__(self, client: PrefectClient, tag: str) -> None:
        """Use `deploy` instead."""
        self._client = client
        self._tag = tag
        self._deployments: dict[tuple[Target, bool], UUID] = {}
        self._late: list[UUID] = []

    @classmethod
    async def deploy(
        cls, client: PrefectClient, runs: Iterable[Run], tag: str, command: str
    ) -> Self:
        """Deploy every target that the runs name, with the tag that makes failures alert.

        The worker starts each run with `command`.
        """
        pipelines = cls(client, tag)
        with suppress(ObjectAlreadyExists):
            # A queue and not a pool: a pool without a worker is an outage of its own.
            queue = await client.create_work_queue(UNATTENDED_QUEUE, work_pool_name=WORK_POOL)
            await client.update_work_queue(queue.id, is_paused=True)
        # One after another: SQLite refuses writers that come at once.
        for target, late in dict.fromkeys((run.target, run.late) for run in runs):
            flow_id = await client.create_flow_from_name(target.flow)
            pipelines._deployments[target, late] = await client.create_deployment(
                flow_id=flow_id,
                name=target.deployment,
                entrypoint=f"sandbox.flows.{target.entrypoint}",
                work_pool_name=WORK_POOL,
                work_queue_name=UNATTENDED_QUEUE if late else None,
                tags=[tag],
                job_variables={"command": command},
                enforce_parameter_schema=False,
            )
        return pipelines

    async def run(self, run: Run) -> datetime:
        """Run to the end, or until late, and return when that was.

        Raises:
            SandboxError: when the run does not end in time.
        """
        due = datetime.now(UTC) - LATE_BY if run.late else None
        flow_run = await self._client.create_flow_run_from_deployment(
            self._deployments[run.target, run.late],
            parameters={"outcome": run.outcome.value},
            state=Scheduled(scheduled_time=due),
        )

        async def end() -> datetime | None:
            state = (await self._client.read_flow_run(flow_run.id)).state
            over = state and (state.name == "Late" if run.late else state.is_final())
            return state.timestamp if state and over else None

        ended = await wait_for(end, RUN_SECONDS, f"the end of a run of {run.target.flow}")
        if run.late:
            self._late.append(flow_run.id)
        return ended

    async def remove_late(self) -> None:
        """Remove the runs that were to be late, before a worker of somebody's takes them."""
        while self._late:
            await self._client.delete_flow_run(self._late.pop())
