"""`alertctl check`: is a stack's file right? Needs no Pulumi CLI, and reads no secret."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from alerting.ctl.stack_option import FileOption, StackOption, chosen_files
from alerting.plan import build_plan
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file

EXIT_WRONG = 2


def check(
    stack: StackOption = None,
    file: FileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Check stack files: every mistake with its line, key and remedy. Exit code 2 on any."""
    results: list[dict[str, Any]] = []
    try:
        files = chosen_files(stack, file)
    except SettingsError as error:
        _say_problems(error)
        raise typer.Exit(EXIT_WRONG) from None
    for path in files:
        try:
            results.append(_describe(path))
        except SettingsError as error:
            problems = [asdict(problem) for problem in error.problems]
            results.append({"file": path.name, "problems": problems})
            if not as_json:
                _say_problems(error)
        else:
            if not as_json:
                typer.echo(
                    f"{path.name}: good: {results[-1]['pipelines']} pipelines, "
                    f"{results[-1]['automations']} automations, {results[-1]['channels']} channels"
                )
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    if any(result["problems"] for result in results):
        raise typer.Exit(EXIT_WRONG)


def _describe(path: Path) -> dict[str, Any]:
    found = read_stack_file(path)
    plan = build_plan(found.settings, found.stack)
    return {
        "file": path.name,
        "problems": [],
        "pipelines": len(found.settings.pipelines),
        "channels": len(found.settings.channels),
        "automations": len(plan.automations),
    }


def _say_problems(error: SettingsError) -> None:
    for line in error.lines():
        typer.echo(line, err=True)
