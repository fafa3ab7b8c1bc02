"""`alertctl doctor`: what is wrong with a stack, the cause first, and what to do about it."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.ctl.stack_option import FileOption, StackOption, chosen_file
from alerting.settings import SettingsError
from alerting.settings.stackfile import stack_name

if TYPE_CHECKING:
    from alerting.doctor.findings import Finding

EXIT_WRONG = 1
EXIT_IMPOSSIBLE = 2
LOG_WIDTH = 160
_STYLES = {"wrong": "red", "not made": "dim"}


def doctor(
    stack: StackOption = None,
    file: FileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say what is wrong with a stack in order of likelihood, with a remedy each. Changes nothing.

    It logs in as `alertctl adopt` does, with PREFECT_API_KEY or PREFECT_API_AUTH_STRING, and to
    AWS and Pulumi as a deployment does.

    Exit code 0 when nothing is wrong, 1 when something is, 2 when there is no such stack file.
    """
    path = _file(stack, file)
    # They import boto3, which takes most of a second.
    from alerting.doctor.checks import CHECKS  # noqa: PLC0415
    from alerting.doctor.deployment import Deployment  # noqa: PLC0415
    from alerting.doctor.findings import Verdict, examine  # noqa: PLC0415

    findings = examine(CHECKS, Deployment(path, os.environ))
    healthy = all(finding.verdict is not Verdict.WRONG for finding in findings)
    name = stack_name(path)
    if as_json:
        document = {"stack": name, "healthy": healthy, "findings": [asdict(f) for f in findings]}
        typer.echo(json.dumps(document, indent=2))
    else:
        _print(name, findings)
    if not healthy:
        raise typer.Exit(EXIT_WRONG)


def _file(stack: str | None, file: Path | None) -> Path:
    try:
        path = chosen_file(stack, file)
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_IMPOSSIBLE) from None
    if not path.is_file():
        typer.echo(f"doctor: there is no {path}: name a stack that has a file", err=True)
        raise typer.Exit(EXIT_IMPOSSIBLE)
    return path


def _print(stack: str, findings: "Sequence[Finding]") -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    table = Table(title=f"Stack {stack}", title_justify="left")
    for column in ("check", "verdict", "what", "remedy"):
        table.add_column(column, overflow="fold")
    for each in findings:
        # As text: the table would take brackets in a name for its markup.
        cells = map(Text, (each.check, each.verdict.value, each.text, each.remedy))
        table.add_row(*cells, style=_STYLES.get(each.verdict))
    console.print(table)
