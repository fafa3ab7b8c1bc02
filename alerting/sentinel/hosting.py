"""Where the sentinel runs: as a process, or as a flow on a work pool.

On a work pool a run is due every other minute and only one may run: the others are cancelled at
once, and when it ends the next takes its place.
"""

import asyncio
import signal
from contextlib import suppress
from datetime import timedelta

from prefect import flow, get_client
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.objects import ConcurrencyLimitStrategy, ConcurrencyOptions
from prefect.client.schemas.schedules import IntervalSchedule

from alerting.plan.names import Names
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from alerting.sentinel.service import Sentinel

FLOW = "data-alerts-sentinel"
RESTART_EVERY = timedelta(minutes=2)
"""How soon a work pool starts the sentinel again after it ended."""


async def run_sentinel(name_prefix: str | None = None) -> None:
    """Run until the process is told to end; then return at once.

    It may be ended at any point, so there is nothing to finish first.
    """
    running = asyncio.create_task(_run(name_prefix))
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await running
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _run(name_prefix: str | None) -> None:
    async with get_client() as client:
        await Sentinel(PrefectWorkspace(client, name_prefix)).run()


@flow(name=FLOW, log_prints=False)
async def sentinel(name_prefix: str | None = None) -> None:
    """The sentinel as a flow, which a worker keeps running."""
    await _run(name_prefix)


async def deploy(work_pool: str, name_prefix: str | None = None) -> str:
    """Deploy the flow to a work pool, and return the deployment's name.

    Every worker of the pool must have this package installed. The run itself does not alert, since
    it goes without the stack's tag. Raises prefect.exceptions.ObjectNotFound when there is no such
    pool.
    """
    name = Names(name_prefix, tag="").block("sentinel")
    async with get_client() as client:
        await client.read_work_pool(work_pool)
        flow_id = await client.create_flow(sentinel)
        deployment_id = await client.create_deployment(
            flow_id=flow_id,
            name=name,
            entrypoint="alerting.sentinel.hosting.sentinel",
            work_pool_name=work_pool,
            parameters={"name_prefix": name_prefix},
            schedules=[DeploymentScheduleCreate(schedule=IntervalSchedule(interval=RESTART_EVERY))],
            concurrency_limit=1,
            concurrency_options=ConcurrencyOptions(
                collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW
            ),
            enforce_parameter_schema=False,
        )
        # The schedule would take its time. Where one is running, this one is cancelled.
        await client.create_flow_run_from_deployment(deployment_id)
    return f"{FLOW}/{name}"
