"""Plays every performance in a sandbox, and says how it went."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.table import Table

from sandbox.acts.calendar import CALENDAR
from sandbox.acts.channels import CHANNELS
from sandbox.acts.incidents import HOSTILITY, INCIDENTS
from sandbox.acts.stage import Performance, Result, perform
from sandbox.acts.timing import FLAPPING, QUIET, STORMS
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState

PERFORMANCES: tuple[Performance, ...] = (
    INCIDENTS,
    HOSTILITY,
    CHANNELS,
    QUIET,
    CALENDAR,
    FLAPPING,
    STORMS,
)


def play(
    state: SandboxState,
    performance: Performance,
    *,
    timed: bool = False,
    gallery: Path | None = None,
) -> list[Result]:
    """Deploy what a performance takes, play its acts, and take it down.

    When `timed`, what takes too long is wrong as well. Pictures go into `gallery`.
    """
    stack = SandboxStack(state, configure=performance.configure)
    try:
        stack.up()
        acts = performance.acts
        return asyncio.run(perform(state, stack, acts, timed=timed, gallery=gallery))
    finally:
        stack.destroy()


def play_all(
    state: SandboxState,
    say: Callable[[str], object],
    gallery: Path | None = None,
    only: str = "",
) -> list[Result]:
    """Play every performance, or those alone that have `only` in their names."""
    results: list[Result] = []
    for performance in (each for each in PERFORMANCES if only in each.name):
        say(f"playing {performance.name}")
        results += play(state, performance, timed=True, gallery=gallery)
    return results


def as_table(results: Sequence[Result]) -> Table:
    """The results for people."""
    table = Table(title="Acts", title_justify="left")
    table.add_column("act")
    table.add_column("seconds", justify="right")
    table.add_column("")
    for result in results:
        outcome = f"[red]{result.problem}" if result.problem else "[green]ok"
        table.add_row(result.act, f"{result.seconds:.0f}", outcome)
    return table
