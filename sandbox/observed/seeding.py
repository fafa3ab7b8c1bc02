"""Many runs, written straight into a throwaway server's SQLite database.

Through the API 700,000 runs would take hours. They are ends alone, as after a month: each run has
its last state and none before it.
"""

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from sandbox.fleet import TAG, flow_name
from sandbox.prefect_database import FILE_NAME

DATABASE = Path("prefect") / FILE_NAME
"""The server's database in the folder of `start_prefect_server`."""

EVERY = timedelta(hours=1)
FAILS = 0.02
LASTS = 0.6
"""How likely a failure is followed by another."""
AT_ONCE = 20_000
_TAGS = f'["{TAG}"]'
_TABLES = ("flow_run", "flow_run_state")
_INDEXES = (
    "SELECT name, sql FROM sqlite_master "
    "WHERE type = 'index' AND sql IS NOT NULL AND tbl_name IN (?, ?)"
)
_RUN = (
    "INSERT INTO flow_run (id, name, state_type, run_count, expected_start_time, start_time, "
    "end_time, total_run_time, tags, flow_id, deployment_id, state_id, state_name, "
    "state_timestamp, parameters, context, empirical_policy) "
    "VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, '{}', '{}', '{}')"
)
_STATE = (
    "INSERT INTO flow_run_state (id, type, timestamp, name, message, state_details, flow_run_id) "
    "VALUES (?, ?, ?, ?, ?, '{}', ?)"
)
_FLOW = "INSERT INTO flow (id, name, tags) VALUES (?, ?, '[]')"
DEPLOYMENT = "prod"
"""The name of each pipeline's deployment."""
_DEPLOYMENT = "INSERT INTO deployment (id, name, flow_id, tags) VALUES (?, ?, ?, ?)"
_KINDS = ("flow", "deployment", "run", "state")


@dataclass(frozen=True)
class SeededRun:
    """A run's end. Times are in UTC."""

    pipeline: int
    number: int
    started: datetime
    ended: datetime
    failed: bool

    @property
    def run_id(self) -> str:
        """The run's id."""
        return _own("run", self)


def seed(folder: Path, pipelines: int, runs: int, now: datetime) -> int:
    """Write hourly runs, so many for each pipeline, the last of which ended just before `now`.

    The server may be up. Returns how many runs were written.
    """
    with closing(sqlite3.connect(folder / DATABASE, timeout=60)) as database:
        # What is lost with the machine is thrown away anyway.
        database.execute("PRAGMA synchronous = OFF")
        with database:
            flows = [(_id("flow", index), flow_name(index)) for index in range(pipelines)]
            database.executemany(_FLOW, flows)
            made = [
                (_id("deployment", index), DEPLOYMENT, _id("flow", index), _TAGS)
                for index in range(pipelines)
            ]
            database.executemany(_DEPLOYMENT, made)
        indexes = list(_without_indexes(database))
        written = 0
        for batch in _batches(seeded_runs(pipelines, runs, now)):
            with database:
                database.executemany(_STATE, map(_state_row, batch))
                database.executemany(_RUN, map(_run_row, batch))
            written += len(batch)
        with database:
            # All at once takes a tenth of the time of one row after another.
            for statement in indexes:
                database.execute(statement)
    return written


def seeded_runs(pipelines: int, runs: int, now: datetime) -> Iterator[SeededRun]:
    """The runs, the same each time but for `now`."""
    chance = random.Random(7)  # noqa: S311 - nothing is kept secret by it
    for pipeline in range(pipelines):
        usual, failed = chance.uniform(20, 900), False
        # Not all at once: pipelines start in different minutes of the hour.
        offset = timedelta(seconds=chance.uniform(0, EVERY.total_seconds() * 0.7))
        for number in range(runs):
            failed = chance.random() < (LASTS if failed else FAILS)
            seconds = usual * chance.lognormvariate(0, 0.25) * (0.3 if failed else 1)
            ended = now - offset - (runs - 1 - number) * EVERY
            yield SeededRun(pipeline, number, ended - timedelta(seconds=seconds), ended, failed)


def _batches(runs: Iterator[SeededRun]) -> Iterator[list[SeededRun]]:
    batch: list[SeededRun] = []
    for run in runs:
        batch.append(run)
        if len(batch) == AT_ONCE:
            yield batch
            batch = []
    if batch:
        yield batch


def _without_indexes(database: sqlite3.Connection) -> Iterator[str]:
    """Drop what the tables have of indexes; yields the statements that make them again."""
    found = database.execute(_INDEXES, _TABLES).fetchall()
    with database:
        for name, statement in found:
            database.execute(f'DROP INDEX "{name}"')
            yield statement


def _id(kind: str, pipeline: int, number: int = 0) -> str:
    """An id that no other has. In order, or the database would look for a place for each."""
    which = _KINDS.index(kind) + 1
    return str(UUID(int=which << 120 | pipeline << 64 | number))


def _own(kind: str, run: SeededRun) -> str:
    return _id(kind, run.pipeline, run.number)


def _state_row(run: SeededRun) -> tuple[str | None, ...]:
    kind, name = ("FAILED", "Failed") if run.failed else ("COMPLETED", "Completed")
    message = "Flow run encountered an exception: connection refused" if run.failed else None
    return _own("state", run), kind, _text(run.ended), name, message, _own("run", run)


def _run_row(run: SeededRun) -> tuple[str, ...]:
    kind, name = ("FAILED", "Failed") if run.failed else ("COMPLETED", "Completed")
    started, ended = _text(run.started), _text(run.ended)
    lasted = _text(datetime(1970, 1, 1, tzinfo=UTC) + (run.ended - run.started))
    return (
        _own("run", run),
        f"seeded-{run.number}",
        kind,
        started,
        started,
        ended,
        lasted,
        _TAGS,
        _id("flow", run.pipeline),
        _id("deployment", run.pipeline),
        _own("state", run),
        name,
        ended,
    )


def _text(time: datetime) -> str:
    """A time as the server's SQLite has it; intervals are times after 1970."""
    return time.strftime("%Y-%m-%d %H:%M:%S.%f")
