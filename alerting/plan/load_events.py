"""The events by which flows report how many rows they loaded. Pure: no I/O, no clock.

A report comes from inside a flow, so Prefect adds the run, its flow, deployment and tags to it, and
it passes the filter of the sentinel's stream as the end of the run does.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from numbers import Integral
from typing import Any, TypeGuard
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from alerting.plan.drill_events import STATE_TYPE
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import EVENT_PREFIX

LOAD_EVENT = f"{EVENT_PREFIX}load"
LOAD_RESOURCES = f"{EVENT_PREFIX}load."
SYSTEM_TABLES = "_dlt"
"""How the names of tables begin that dlt keeps for itself."""
MOST_TABLES = 100
"""Of more tables only the largest are named in an event."""
_STEPS = ("pipeline", "last_trace", "last_normalize_info")
"""The way from what dlt returns to what counted rows, as far as need be."""


class Rows(BaseModel):
    """How many rows were loaded."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    total: int = Field(ge=0, description="rows of all tables")
    tables: dict[str, int] = Field(default_factory=dict, description="rows by table, where known")


class Load(BaseModel):
    """A report of a run."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="the event's id")
    at: datetime = Field(description="when it was reported")
    rows: int = Field(ge=0, description="rows of all tables")
    tables: dict[str, int] = Field(default_factory=dict, description="rows by table, where known")
    pipeline: str | None = Field(default=None, description="the pipeline, where the flow named one")
    flow: str = Field(description="the flow's name")
    deployment: str | None = Field(default=None, description="the deployment's name")
    run_id: str | None = Field(default=None, description="the flow run's id")
    run: str | None = Field(default=None, description="the flow run's name")


def rows_of(counted: object) -> Rows:
    """The rows that a number, a count by table, or what dlt returns stands for.

    Of dlt these are a LoadInfo, as `pipeline.run` returns it, a NormalizeInfo, a trace or the
    pipeline itself. Tables that dlt keeps for itself do not count.

    Raises:
        ValueError: when it is none of these; the text says what was expected.
    """
    if _is_count(counted):
        return Rows(total=int(counted))
    by_table = counted if isinstance(counted, Mapping) else _row_counts(counted)
    if by_table is None or not all(map(_is_count, by_table.values())):
        raise ValueError(
            "expected the number of rows, rows by table, or what dlt's pipeline.run or "
            "pipeline.normalize returned"
        )
    names = {str(name): int(rows) for name, rows in by_table.items()}
    tables = {n: rows for n, rows in names.items() if not n.startswith(SYSTEM_TABLES)}
    return Rows(total=sum(tables.values()), tables=tables)


def load_labels(about: str) -> dict[str, str]:
    """The labels of a report's resource; it is about a pipeline or a flow of this name."""
    return {
        "prefect.resource.id": load_resource(about),
        "prefect.resource.name": about,
        # As a drill's request has it, so that it comes in the sentinel's stream and counts as no
        # run.
        "prefect.state-type": STATE_TYPE,
    }


def load_resource(about: str) -> str:
    """Resource id of a pipeline's or a flow's reports."""
    return f"{LOAD_RESOURCES}{about}"


def load_payload(rows: Rows, *, flow: str, pipeline: str | None) -> dict[str, Any]:
    """What a report says. Prefect adds the run and its deployment."""
    largest = sorted(rows.tables.items(), key=lambda table: (-table[1], table[0]))[:MOST_TABLES]
    return {
        "rows": rows.total,
        "tables": dict(sorted(largest)),
        "flow": flow,
        "pipeline": pipeline,
    }


def load_of(event: Mapping[str, Any]) -> Load | None:
    """The report that an event is; None for any other, and for one without rows or of no run's id.

    Anybody who may write to the workspace can emit one, so nothing of it is taken for granted.
    """
    if event.get("event") != LOAD_EVENT:
        return None
    payload = event.get("payload") or {}
    related = event.get("related") or ()
    run = _in_role(related, "flow-run")
    try:
        return Load(
            id=str(UUID(str(event["id"]))),
            at=datetime.fromisoformat(event["occurred"]),
            rows=payload["rows"],
            tables=payload.get("tables") or {},
            pipeline=payload.get("pipeline"),
            flow=_name(_in_role(related, "flow")) or payload["flow"],
            deployment=_name(_in_role(related, "deployment")),
            run_id=_run_id(run),
            run=_name(run),
        )
    except (KeyError, TypeError, ValueError):
        return None


def pipeline_of_load(load: Load, settings: PublishedSettings) -> str:
    """The pipeline that a report is about: the one it names, else that of its run."""
    if load.pipeline:
        return load.pipeline
    listed = settings.pipeline_of(load.flow, load.deployment)
    return listed.name if listed else load.flow


def _row_counts(counted: object) -> Mapping[object, Any] | None:
    """What dlt counted for what it returned."""
    packages: Sequence[str] | None = getattr(counted, "loads_ids", None)
    if packages is not None and not packages:
        return {}  # there was nothing to load, whatever was counted before
    for here in _way(counted):
        counts = getattr(here, "row_counts", None)
        if isinstance(counts, Mapping):
            # Of another load than this one when the pipeline has run again since.
            of: Sequence[str] = getattr(here, "loads_ids", None) or ()
            return None if packages and not set(packages) & set(of) else counts
    return None


def _way(counted: object) -> Iterator[object]:
    """What dlt returned, and what leads from there to what counted the rows."""
    here: object = counted
    yield here
    for step in _STEPS:
        following = getattr(here, step, None)
        if following is not None:
            here = following
            yield here


def _is_count(rows: object) -> TypeGuard[Integral]:
    return isinstance(rows, Integral) and not isinstance(rows, bool) and int(rows) >= 0


def _run_id(run: Mapping[str, str]) -> str | None:
    found = run.get("prefect.resource.id", "").removeprefix("prefect.flow-run.")
    return str(UUID(found)) if found else None


def _in_role(related: Sequence[Mapping[str, str]], role: str) -> Mapping[str, str]:
    for each in related:
        if each.get("prefect.resource.role") == role:
            return each
    return {}


def _name(resource: Mapping[str, str]) -> str | None:
    return resource.get("prefect.resource.name")
