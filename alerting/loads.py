"""How many rows a flow has loaded, reported by the flow itself.

Example:
    @flow
    def orders() -> None:
        pipeline = dlt.pipeline("orders", destination="duckdb")
        report_load(pipeline.run(source()))
"""

import logging

from prefect.context import FlowRunContext
from prefect.events import emit_event
from prefect.logging import get_run_logger

from alerting.plan.load_events import LOAD_EVENT, load_labels, load_payload, rows_of
from alerting.redaction import redact


def report_load(rows: object, *, pipeline: str | None = None) -> None:
    """Report from inside a flow how many rows it has loaded.

    `rows` is their number, rows by table, or what dlt returned: a LoadInfo, a NormalizeInfo, a
    trace or a pipeline. `pipeline` is the key in data-alerts:pipelines, for a flow that loads
    several; by default it follows from the flow and its deployment.

    It is the same in sync and async flows and in their tasks, and waits for nothing. It never
    raises: what is wrong is logged, and the run goes on.
    """
    try:
        context = FlowRunContext.get()
        flow = context.flow.name if context and context.flow else None
        if flow is None:
            _warn("there is no flow run here. Call report_load inside the flow")
            return
        emit_event(
            LOAD_EVENT,
            resource=load_labels(pipeline or flow),
            payload=load_payload(rows_of(rows), flow=flow, pipeline=pipeline),
        )
    except Exception as error:  # noqa: BLE001 - the run's own outcome stands, whatever this was
        _warn(" ".join(redact(f"{type(error).__name__}: {error}").split())[:400])


def _warn(problem: str) -> None:
    try:
        logger: logging.Logger | logging.LoggerAdapter[logging.Logger] = get_run_logger()
    except Exception:  # noqa: BLE001 - outside a flow there is none, and none is worth a failed run
        logger = logging.getLogger("data-alerts.loads")
    logger.warning("No rows were reported: %s", problem)
