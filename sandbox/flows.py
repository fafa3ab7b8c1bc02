"""The flows that a drill makes fail. They run in the sandbox's worker, as pipelines do."""

import os
import signal
import time
from enum import StrEnum

from prefect import flow
from prefect.runtime import flow_run


class Outcome(StrEnum):
    """How a run is to end."""

    SUCCEED = "succeed"
    FAIL = "fail"
    SUCCEED_ON_RETRY = "succeed on retry"
    CRASH = "crash"
    TIME_OUT = "time out"


class LoadFailedError(Exception):
    """What a broken source looks like to a pipeline."""


@flow(name="drill-pipeline", log_prints=False)
def pipeline(outcome: Outcome) -> None:
    """A pipeline that ends as it is told."""
    if outcome is Outcome.FAIL:
        raise LoadFailedError("connection refused by the source (a drill)")
    if outcome is Outcome.SUCCEED_ON_RETRY and flow_run.get_run_count() < 2:  # noqa: PLR2004
        raise LoadFailedError("the first attempt fails (a drill)")
    if outcome is Outcome.CRASH:
        # As Kubernetes evicts a pod.
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    if outcome is Outcome.TIME_OUT:
        time.sleep(30)


with_retry = pipeline.with_options(retries=1, retry_delay_seconds=0)
with_timeout = pipeline.with_options(timeout_seconds=1)
