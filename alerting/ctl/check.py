"""`alertctl check`: is a stack's file right? Needs no Pulumi CLI, and reads no secret."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from alerting.ctl.stack_option import FileOption, StackOption, chosen_files
from alerting.plan import build_plan
from alerting.plan.coverage import findings
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file

EXIT_NOTED = 1
EXIT_WRONG = 2


def check(
    stack: StackOption = None,
    file: FileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
    strict: Annotated[
        bool, typer.Option(help="Exit with 1 where something is to be looked at.")
    ] = False,
) -> None:
    """Check stack files: every mistake with its line, key and remedy. Exit code 2 on any.

    What is sound and will not do what people expect of it is told as a note: a pipeline nobody
    would be told of, a tier that cannot fire, two rules that page for one event, a page that no
    recovery resolves, a production that wakes nobody.
    """
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
            results.append({"file": path.name, "problems": problems, "notes": []})
            if not as_json:
                _say_problems(error)
        else:
            if not as_json:
                _say_good(path, results[-1])
    if as_json:
        typer.echo(json.dumps(results, indent=2))
    raise typer.Exit(_exit_code(results, strict=strict))


def _describe(path: Path) -> dict[str, Any]:
    found = read_stack_file(path)
    plan = build_plan(found.settings, found.stack)
    return {
        "file": path.name,
        "problems": [],
        "notes": [asdict(finding) for finding in findings(found.settings, plan)],
        "pipelines": len(found.settings.pipelines),
        "channels": len(found.settings.channels),
        "automations": len(plan.automations),
    }


def _exit_code(results: list[dict[str, Any]], *, strict: bool) -> int:
    if any(result["problems"] for result in results):
        return EXIT_WRONG
    return EXIT_NOTED if strict and any(result["notes"] for result in results) else 0


def _say_good(path: Path, result: dict[str, Any]) -> None:
    typer.echo(
        f"{path.name}: good: {result['pipelines']} pipelines, {result['automations']} automations, "
        f"{result['channels']} channels"
    )
    for note in result["notes"]:
        typer.echo(f"{path.name}: note: {note['key']}: {note['text']}")


def _say_problems(error: SettingsError) -> None:
    for line in error.lines():
        typer.echo(line, err=True)
