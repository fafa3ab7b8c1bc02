"""Silences as `alertctl silence` shows them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.plan.silences import Silence
from alerting.settings.durations import format_duration

LOG_WIDTH = 132
RUNNING, COMING, OVER = "running", "coming", "over"


def as_document(silence: Silence, now: datetime) -> dict[str, Any]:
    """A silence for programs."""
    return {"state": state_of(silence, now), **silence.model_dump(mode="json")}


def state_of(silence: Silence, now: datetime) -> str:
    """Whether it is running, coming or over."""
    if silence.ends <= now:
        return OVER
    return RUNNING if silence.starts <= now else COMING


def sentence(silence: Silence) -> str:
    """A silence in one line."""
    lasting = format_duration(silence.ends - silence.starts)
    return (
        f"silence {silence.id}: {_who(silence)} from {_utc(silence.starts)} until "
        f"{_utc(silence.ends)} UTC ({lasting}), by {silence.author}: {silence.reason}"
    )


def print_listed(stack: str, silences: Sequence[Silence], now: datetime) -> None:
    """Print silences as a table."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=LOG_WIDTH)
    if not silences:
        console.print(Text(f"nothing of {stack} is silenced"))
        return
    table = Table(title=f"Silences of {stack}, times in UTC", title_justify="left")
    for column in ("id", "state", "pipelines", "from", "until", "reason", "by"):
        table.add_column(column, overflow="fold")
    for silence in silences:
        # As text: the table would take brackets for its markup.
        table.add_row(*map(Text, _cells(silence, now)))
    console.print(table)


def _cells(silence: Silence, now: datetime) -> tuple[str, ...]:
    ended = f"; ended by {silence.ended_by}" if silence.ended_by else ""
    why = f": {silence.end_reason}" if silence.end_reason else ""
    return (
        silence.id,
        state_of(silence, now),
        _who(silence),
        _utc(silence.starts),
        _utc(silence.ends),
        silence.reason + ended + why,
        silence.author,
    )


def _who(silence: Silence) -> str:
    return ", ".join(silence.pipelines) or "all pipelines"


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M}"
