"""How fast the sentinel judges, and in how much memory.

A process of its own measures itself, so that nothing else's memory counts:
`python -m sandbox.throughput` prints JSON to standard output, progress to standard error.
"""

import gc
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from time import process_time
from typing import Any
from uuid import UUID

import psutil
import typer
from rich.table import Table

from alerting.scenarios.run_events import RunEvent
from alerting.sentinel.events import ended_run
from alerting.sentinel.judging import Judge
from sandbox.fleet import TAG, fleet_plan, flow_name

EVENTS_A_MINUTE = 50_000
PIPELINES = 1_000
SHORT, LONG = 10, 60
"""Minutes of such load. Memory is looked at each `SHORT` ones; that long the sentinel remembers."""
_START = datetime(2026, 3, 2, tzinfo=UTC)
_GOES_DOWN, _COMES_UP = 0.02, 0.25
"""Chances that a run is the first that fails, and the first that does not."""


@dataclass(frozen=True)
class Throughput:
    """What was measured over `LONG` minutes of load."""

    events: int
    verdicts: int
    seconds: float
    """Of one processor, from an event's JSON to the verdicts, with a tick each second."""
    megabytes: list[float]
    """Memory beyond that of the idle sentinel, after each `SHORT` minutes."""

    @property
    def times_real_time(self) -> float:
        """How many times faster than the events come."""
        return LONG * 60 / self.seconds

    @property
    def growth(self) -> float:
        """Memory after the long load to that after the short one; 1 when it is bounded."""
        return self.megabytes[-1] / self.megabytes[0]


def measure(say: Callable[[str], object]) -> Throughput:
    """Measure in a process of its own."""
    command = [sys.executable, "-m", "sandbox.throughput"]
    with subprocess.Popen(  # noqa: S603 - this module
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        if process.stderr is None or process.stdout is None:
            raise AssertionError("both were asked for")
        for line in process.stderr:
            say(line.rstrip())
        found = process.stdout.read()
    if process.returncode:
        raise RuntimeError("the measuring process failed")
    return Throughput(**json.loads(found))


def as_table(measured: Throughput) -> Table:
    """The figures for people."""
    title = f"Judging {EVENTS_A_MINUTE:,} events a minute of {PIPELINES:,} pipelines"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    table.add_column("figure", justify="right")
    a_second = measured.events / measured.seconds
    table.add_row("events, verdicts", f"{measured.events:,}, {measured.verdicts:,}")
    table.add_row("speed", f"{a_second:,.0f} events/s, {measured.times_real_time:.1f} x real time")
    memory = ", ".join(f"{megabytes:.0f}" for megabytes in measured.megabytes)
    table.add_row(f"memory after each {SHORT} of {LONG} min", f"{memory} MB")
    table.add_row("last to first", f"{measured.growth:.2f}")
    return table


def as_json(measured: Throughput) -> dict[str, Any]:
    """The same as data."""
    return {
        **asdict(measured),
        "times_real_time": measured.times_real_time,
        "growth": measured.growth,
    }


class _Load:
    """Events of random runs, as the server's stream has them."""

    def __init__(self) -> None:
        self._rng = Random(1)  # noqa: S311 - a load, not a secret
        self._down = [False] * PIPELINES
        self._templates = {
            (index, state): _template(flow_name(index), state)
            for index in range(PIPELINES)
            for state in ("Completed", "Failed")
        }

    def second(self, number: int) -> list[str]:
        """The events of the second with this number, counted from 0."""
        due = (number + 1) * EVENTS_A_MINUTE // 60 - number * EVENTS_A_MINUTE // 60
        start = _START + timedelta(seconds=number)
        return [self._event(start + timedelta(seconds=i / due)) for i in range(due)]

    def _event(self, at: datetime) -> str:
        index = self._rng.randrange(PIPELINES)
        down = self._down[index]
        if self._rng.random() < (_COMES_UP if down else _GOES_DOWN):
            self._down[index] = down = not down
        return self._templates[index, "Failed" if down else "Completed"] % {
            "id": UUID(int=self._rng.getrandbits(128)),
            "run": UUID(int=self._rng.getrandbits(128)),
            "at": at.isoformat(),
        }


def _template(flow: str, state: str) -> str:
    """An event's JSON with places for its id, its run's id and its time."""
    event = RunEvent(flow, state, _START, "brave-otter", "connection refused", tags=(TAG,))
    text = json.dumps(event.event())
    for value, place in (
        (str(event.state_id), "%(id)s"),
        (str(event.run_id), "%(run)s"),
        (_START.isoformat(), "%(at)s"),
    ):
        text = text.replace(value, place)
    return text


def _measure_here() -> Throughput:
    load, judge, idle = _Load(), Judge(fleet_plan(PIPELINES).published), _megabytes()
    events = verdicts = 0
    seconds = 0.0
    megabytes = []
    for minute in range(1, LONG + 1):
        for second in range(60 * (minute - 1), 60 * minute):
            texts = load.second(second)
            start = process_time()
            verdicts += _judge(judge, texts, _START + timedelta(seconds=second + 1))
            seconds += process_time() - start
            events += len(texts)
        if minute % SHORT == 0:
            megabytes.append(_megabytes() - idle)
            typer.echo(f"{minute} of {LONG} minutes of load", err=True)
    return Throughput(events, verdicts, seconds, megabytes)


def _judge(judge: Judge, texts: list[str], now: datetime) -> int:
    """Judge a second's events; gives the number of verdicts."""
    ends = (ended_run(json.loads(text), TAG) for text in texts)
    found = sum(len(judge.observe(ended)) for ended in ends if ended)
    return found + len(judge.tick(now))


def _megabytes() -> float:
    gc.collect()
    return float(psutil.Process().memory_info().rss) / 1_000_000


if __name__ == "__main__":
    typer.echo(json.dumps(asdict(_measure_here())))
