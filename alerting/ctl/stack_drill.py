"""`alertctl drill --stack NAME`: a stack's alerting tried where it is, safe in production."""

import asyncio
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.connection import ConnectionProblem, connect, what_went_wrong
from alerting.ctl.deployed_stack import deployed_settings
from alerting.drills.drill import DrillError
from alerting.drills.playing import play_drill
from alerting.drills.report import Delivery, DrillReport
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.workspace import NotDeployedError
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file
from sandbox.capture.messages import read_messages
from sandbox.drill.arrivals import captured
from sandbox.state import SandboxError, SandboxState

EXIT_MISSED = 1
EXIT_IMPOSSIBLE = 2
LOG_WIDTH = 132
TITLES = {DrillPhase.BEGAN: "DRILL", DrillPhase.ENDED: "DRILL ended"}


@dataclass(frozen=True)
class Asked:
    """What a drill is to try."""

    file: Path
    page: bool
    within: timedelta
    sandbox: Path | None
    """The folder of the sandbox that the stack is deployed to, whose capture judges as well."""


def drill_stack(asked: Asked, *, as_json: bool) -> None:
    """Play the drill and print what arrived. Raises typer.Exit unless all did in time."""
    try:
        report = asyncio.run(_play(asked))
    except (ConnectionProblem, DrillError, NotDeployedError, SandboxError, SettingsError) as error:
        for line in str(error).splitlines():
            typer.echo(f"drill: {line}", err=True)
        raise typer.Exit(EXIT_IMPOSSIBLE) from None
    if as_json:
        typer.echo(json.dumps(report.document(), indent=2))
    else:
        _print(report)
    if not report.passed:
        raise typer.Exit(EXIT_MISSED)


async def _play(asked: Asked) -> DrillReport:
    found = read_stack_file(asked.file)
    state = SandboxState.load(asked.sandbox.resolve()) if asked.sandbox else None
    endpoint = state.prefect_api_url if state else None
    client = connect(found.settings.prefect, os.environ, endpoint=endpoint)
    started = datetime.now(UTC)
    try:
        async with client:
            settings = await deployed_settings(client, found)
            report = await play_drill(client, settings, page=asked.page, within=asked.within)
    except httpx.HTTPError as error:
        raise ConnectionProblem(what_went_wrong(error, client)) from None
    if state is None:
        return report
    messages = (each for each in read_messages(state.folder) if each.received_at >= started)
    return captured(report, list(messages))


def _print(report: DrillReport) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=LOG_WIDTH)
    table = Table(title=f"Drill {report.drill.drill} of {report.drill.stack}", title_justify="left")
    for column in ("channel", "message", "sent", "delivered, or why not"):
        table.add_column(column, overflow="fold")
    table.add_column("seconds", justify="right")
    for each in report.deliveries:
        # As text: the table would take brackets for its markup.
        table.add_row(*map(Text, _cells(each)), style=None if each.arrived else "red")
    console.print(table)
    arrived = sum(each.arrived for each in report.deliveries)
    verdict = "passed" if report.passed else "FAILED"
    console.print(f"{verdict}: {arrived} of {len(report.deliveries)} messages arrived in time")


def _cells(each: Delivery) -> tuple[str, ...]:
    delivered = f"{each.delivered:%H:%M:%S}" if each.delivered else ""
    seconds = f"{each.seconds:.1f}" if each.seconds is not None else ""
    said = ": ".join(part for part in (delivered, each.problem) if part)
    return each.channel, TITLES[each.phase], f"{each.asked:%Y-%m-%d %H:%M:%S}", said, seconds
