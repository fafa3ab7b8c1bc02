"""What was learnt of a workspace, kept between refreshes and processes in an SQLite file.

All of it can be asked for again: a file that cannot be used is begun anew. It holds what Prefect's
pages show, error texts shortened and without secrets, and only its owner may read it.
"""

import hashlib
import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from alerting.cache_folder import cache_folder
from alerting.observing.figures import Counted, DayCount, PastRuns
from alerting.observing.fleet import Source
from alerting.observing.pipelines import EndedRun
from alerting.sentinel.events import Event

_VERSION = 1
_BUSY_SECONDS = 20.0
_SCHEMA = """
CREATE TABLE source (id INTEGER PRIMARY KEY, flow TEXT, deployment TEXT, UNIQUE (flow, deployment));
CREATE TABLE run (
    id BLOB PRIMARY KEY, source INTEGER, started REAL, ended REAL, failed INTEGER, state TEXT,
    name TEXT, error TEXT
) WITHOUT ROWID;
CREATE INDEX run_by_source ON run (source, ended, started, failed);
CREATE INDEX run_by_end ON run (ended);
CREATE TABLE event (topic TEXT, id TEXT, occurred REAL, body TEXT, PRIMARY KEY (topic, id));
CREATE INDEX event_by_time ON event (topic, occurred);
CREATE TABLE note (name TEXT PRIMARY KEY, body TEXT);
"""
_TABLES = ("source", "run", "event", "note")


class KeptRun(NamedTuple):
    """A run's end that counts, with where it comes from."""

    source: Source
    end: EndedRun


class Memory:
    """Runs, events and notes of one stack. Times are seconds since 1970."""

    def __init__(self, file: Path | None = None) -> None:
        """Open a file, which is made if it is missing; without one, forget at the end."""
        self._database = _opened(file) if file else _prepared(sqlite3.connect(":memory:"))
        rows = self._database.execute("SELECT id, flow, deployment FROM source")
        self._sources = {Source(flow, deployment): number for number, flow, deployment in rows}
        self._changes: Counter[Source] = Counter()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    @property
    def sources(self) -> Sequence[Source]:
        """Every flow and deployment that a run was kept of."""
        return list(self._sources)

    def changes(self, sources: Iterable[Source]) -> tuple[int, ...]:
        """What is another value after runs of some sources were kept, by whatever process."""
        (others,) = self._database.execute("PRAGMA data_version").fetchone()
        return (others, *(self._changes[source] for source in sources))

    def keep(self, runs: Iterable[KeptRun]) -> None:
        """Keep runs; one that is known is replaced."""
        kept = list(runs)
        with self._database:
            for source in {run.source for run in kept} - set(self._sources):
                self._add(source)
            self._database.executemany(
                "INSERT OR REPLACE INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (self._row(run) for run in kept),
            )
        self._changes.update(run.source for run in kept)

    def ends(self, sources: Iterable[Source], since: float) -> PastRuns:
        """The ends of some sources since then."""
        numbers = self._numbers(sources)
        marks = ", ".join("?" * len(numbers))
        return PastRuns.of(
            self._database.execute(
                "SELECT ended, max(ended - started, 0), failed FROM run "  # noqa: S608 - marks only
                f"WHERE source IN ({marks}) AND ended >= ? ORDER BY ended",
                (*numbers, since),
            )
        )

    def last_ends(self, sources: Iterable[Source], count: int) -> list[EndedRun]:
        """The last ends of some sources, the oldest first."""
        found: list[EndedRun] = []
        for number in self._numbers(sources):
            found += map(
                _end,
                self._database.execute(
                    "SELECT id, state, started, ended, failed, name, error FROM run "
                    "WHERE source = ? ORDER BY ended DESC LIMIT ?",
                    (number, count),
                ),
            )
        return sorted(found, key=lambda end: (end.ended, end.run_id))[-count:]

    def last_success(self, sources: Iterable[Source]) -> float | None:
        """When the last success of some sources was."""
        found = [
            self._database.execute(
                "SELECT max(ended) FROM run WHERE source = ? AND NOT failed", (number,)
            ).fetchone()[0]
            for number in self._numbers(sources)
        ]
        return max((each for each in found if each is not None), default=None)

    @property
    def size(self) -> int:
        """How many runs are kept."""
        count: int = self._database.execute("SELECT count(*) FROM run").fetchone()[0]
        return count

    @property
    def covered(self) -> tuple[float, float] | None:
        """The time in which all ends are known; None when there is none."""
        found = self.note("covered")
        return (found[0], found[1]) if found else None

    def cover(self, since: float, until: float) -> None:
        """Note that all ends in a time are known. What is known does not reach it is let go."""
        known = self.covered
        if known and since <= known[1] and until >= known[0]:
            since, until = min(since, known[0]), max(until, known[1])
        self.keep_note("covered", [since, until])

    def keep_counts(self, counts: Mapping[str, Counted], at: float) -> None:
        """Keep what was counted of each pipeline, as of a time."""
        self.keep_note("counts", {"at": at, "by": counts})

    def counts(self, since: float) -> dict[str, Counted]:
        """What was counted of each pipeline, unless it was before then."""
        found = self.note("counts")
        if not found or found["at"] < since:
            return {}
        return {key: Counted(*map(_day_counts, parts)) for key, parts in found["by"].items()}

    def keep_events(self, topic: str, events: Iterable[Event]) -> None:
        """Keep events about something."""
        rows = [
            (topic, str(e["id"]), _seconds(str(e["occurred"])), json.dumps(e, default=str))
            for e in events
        ]
        with self._database:
            self._database.executemany("INSERT OR REPLACE INTO event VALUES (?, ?, ?, ?)", rows)

    def events(self, topic: str, since: float) -> Iterator[Event]:
        """Events about something since then, the oldest first."""
        for (body,) in self._database.execute(
            "SELECT body FROM event WHERE topic = ? AND occurred >= ? ORDER BY occurred, id",
            (topic, since),
        ):
            yield json.loads(body)

    def forget_before(self, time: float) -> None:
        """Let go of runs and events that are older."""
        with self._database:
            self._database.execute("DELETE FROM run WHERE ended < ?", (time,))
            self._database.execute("DELETE FROM event WHERE occurred < ?", (time,))

    def note(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """A value that was noted, None when none was."""
        row = self._database.execute("SELECT body FROM note WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0]) if row else None

    def keep_note(self, name: str, value: object) -> None:
        """Note a value, in place of the one before."""
        row = (name, json.dumps(value))
        with self._database:
            self._database.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", row)

    def _add(self, source: Source) -> None:
        self._database.execute(
            "INSERT OR IGNORE INTO source (flow, deployment) VALUES (?, ?)", source
        )
        # Another process may have been first.
        (number,) = self._database.execute(
            "SELECT id FROM source WHERE flow = ? AND deployment = ?", source
        ).fetchone()
        self._sources[source] = number

    def _numbers(self, sources: Iterable[Source]) -> list[int]:
        return [self._sources[each] for each in sources if each in self._sources]

    def _row(self, run: KeptRun) -> tuple[object, ...]:
        end = run.end
        times = end.started.timestamp(), end.ended.timestamp()
        number = self._sources[run.source]
        return end.run_id.bytes, number, *times, end.failed, end.state, end.name, end.error


def memory_file(api_url: str, name_prefix: str | None) -> Path:
    """Where a stack's memory is kept: below XDG_CACHE_HOME, by default ~/.cache."""
    which = hashlib.sha256(f"{api_url.rstrip('/')}\n{name_prefix or ''}".encode()).hexdigest()[:16]
    return cache_folder() / f"observed-{which}.sqlite"


def _opened(file: Path) -> sqlite3.Connection:
    """A file's database; one in the process's own memory where no file can be written."""
    with suppress(OSError, sqlite3.Error):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Made by ourselves, so that it is never readable by others.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
        try:
            return _prepared(sqlite3.connect(file, timeout=_BUSY_SECONDS))
        except sqlite3.OperationalError:  # busy for long
            raise
        except sqlite3.DatabaseError:  # not a database
            for each in (file, *(Path(f"{file}{end}") for end in ("-wal", "-shm"))):
                each.unlink(missing_ok=True)
            os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
            return _prepared(sqlite3.connect(file, timeout=_BUSY_SECONDS))
    return _prepared(sqlite3.connect(":memory:"))


def _prepared(database: sqlite3.Connection) -> sqlite3.Connection:
    """The database with the tables of this version."""
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = NORMAL")
    (version,) = database.execute("PRAGMA user_version").fetchone()
    if version != _VERSION:
        for table in _TABLES:
            database.execute(f"DROP TABLE IF EXISTS {table}")
        database.executescript(_SCHEMA)
        database.execute(f"PRAGMA user_version = {_VERSION}")
        database.commit()
    return database


def _end(row: tuple[bytes, str, float, float, int, str | None, str | None]) -> EndedRun:
    run_id, state, started, ended, failed, name, error = row
    return EndedRun(
        UUID(bytes=run_id), state, _time(started), _time(ended), bool(failed), name, error
    )


def _day_counts(rows: Iterable[Sequence[int]]) -> tuple[DayCount, ...]:
    return tuple(map(DayCount._make, rows))


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
