"""Flows that report what they load, run by `test_load_reports.py` in a process of their own.

`python flows_that_load.py` runs each in turn, prints the name of each that returns, and exits.
"""

import asyncio
import sys
from types import SimpleNamespace

from prefect import flow, get_client, tags, task
from prefect.flow_engine import run_flow

from alerting.hooks import report_load


@flow
def sync_loads(rows: int = 3) -> None:
    report_load(rows)


@flow
async def async_loads() -> None:
    report_load({"orders": 2, "_dlt_loads": 1})


@task
def load() -> None:
    normalized = SimpleNamespace(row_counts={"orders": 4, "_dlt_version": 1}, loads_ids=["1"])
    trace = SimpleNamespace(last_normalize_info=normalized)
    report_load(
        SimpleNamespace(pipeline=SimpleNamespace(last_trace=trace), loads_ids=["1"]),
        pipeline="orders",
    )


@flow
def task_loads() -> None:
    load.submit().wait()


@flow
def deployed_loads() -> None:
    report_load(5)


@flow
def reports_nonsense() -> None:
    report_load("many")


def run_deployed() -> None:
    """Run a flow as a worker does, from a deployment that has the tag."""
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(deployed_loads)
        deployment_id = client.create_deployment(flow_id, "prod", tags=["dlt"])
        run = client.create_flow_run_from_deployment(deployment_id)
    run_flow(deployed_loads, flow_run=run)


def main() -> None:
    report_load(99)
    with tags("dlt"):
        sync_loads()
        sync_loads(7)
        asyncio.run(async_loads())
        task_loads()
        reports_nonsense()
    run_deployed()
    with tags("other"):
        sync_loads()
    sys.stdout.write("returned\n")


if __name__ == "__main__":
    main()
