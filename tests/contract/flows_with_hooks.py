"""Flows that end in each way a flow can, run by `test_hooks.py` in a process of their own.

`python flows_with_hooks.py NAME...` runs the named ones in turn and prints for each a JSON line:
its name, and what its caller saw (the exception's type and text, or "returned").
"""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Coroutine
from typing import Any, cast

import anyio
from prefect import Flow, flow, get_client, tags
from prefect.flow_engine import run_flow
from prefect.flows import FlowStateHook

from alerting.hooks import always_notify_on_failure, notify_on_completion, notify_on_failure

LONGER_THAN_ANY_TEST = 600.0
CHILD_STARTED = asyncio.Event()

TELL: list[FlowStateHook[..., Any]] = [notify_on_failure]


@flow(on_failure=TELL, on_crashed=TELL)
def sync_fails() -> None:
    raise ValueError("no rows")


@flow(on_failure=TELL, on_crashed=TELL)
async def async_fails() -> None:
    raise ValueError("no rows")


@flow(on_failure=TELL, on_crashed=TELL)
def sync_exits() -> None:
    sys.exit(3)


@flow(on_failure=TELL, on_crashed=TELL)
async def async_is_interrupted() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    await asyncio.sleep(LONGER_THAN_ANY_TEST)


@flow(timeout_seconds=0.2, on_failure=TELL, on_crashed=TELL)
def sync_times_out() -> None:
    time.sleep(LONGER_THAN_ANY_TEST)


@flow(timeout_seconds=0.2, on_failure=TELL, on_crashed=TELL)
async def async_times_out() -> None:
    await asyncio.sleep(LONGER_THAN_ANY_TEST)


@flow(on_failure=TELL, on_crashed=TELL)
async def child_is_cancelled() -> None:
    CHILD_STARTED.set()
    await asyncio.sleep(LONGER_THAN_ANY_TEST)


@flow
async def parent_cancels() -> None:
    """Do at a known moment what a timeout of the parent does."""
    async with anyio.create_task_group() as group:
        group.start_soon(child_is_cancelled)
        await CHILD_STARTED.wait()
        group.cancel_scope.cancel()


@flow(on_completion=[notify_on_completion])
def sync_completes() -> None: ...


@flow(on_completion=[notify_on_completion])
async def async_completes() -> None: ...


@flow(on_completion=[notify_on_completion])
def unlisted_completes() -> None: ...


@flow(on_failure=TELL, on_crashed=TELL)
def tagged_fails() -> None:
    raise ValueError("no rows")


@flow(on_failure=[always_notify_on_failure])
def tagged_always_tells() -> None:
    raise ValueError("no rows")


@flow(on_failure=[notify_on_failure, always_notify_on_failure])
def deployed_fails() -> None:
    raise ValueError("no rows")


def run_deployed(chosen: Flow[[], Any]) -> None:
    """Run a flow as a worker does, from a deployment that has the tag."""
    with get_client(sync_client=True) as client:
        flow_id = client.create_flow(chosen)
        deployment_id = client.create_deployment(flow_id, "nightly", tags=["dlt"])
        run = client.create_flow_run_from_deployment(deployment_id)
    run_flow(chosen, flow_run=run)


def run(chosen: Flow[[], Any]) -> None:
    if chosen.name.startswith("deployed"):
        run_deployed(chosen)
    elif chosen.isasync:
        asyncio.run(cast("Coroutine[Any, Any, None]", chosen()))
    else:
        with tags(*(["dlt"] if chosen.name.startswith("tagged") else [])):
            chosen()


def main() -> None:
    # A shell's background jobs, and so some CI, hand down that interrupts are ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in sys.argv[1:]:
        outcome = "returned"
        try:
            run(globals()[name])
        except BaseException as error:  # noqa: BLE001 - the caller of a flow would see this
            outcome = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps([name, outcome]) + "\n")


if __name__ == "__main__":
    main()
