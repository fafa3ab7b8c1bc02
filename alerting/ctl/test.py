"""`alertctl test`: play scenarios through a stack's plan, and compare who is told what, when."""

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from alerting.ctl.stack_option import FileOption, StackOption
from alerting.plan import Plan
from alerting.scenarios.comparison import Outcome
from alerting.scenarios.files import FOLDER, scenario_files
from alerting.scenarios.isolation import fresh_settings
from alerting.scenarios.parsing import read_scenarios
from alerting.scenarios.stacks import Stacks
from alerting.scenarios.timeline import Scenario
from alerting.settings import Problem, SettingsError
from alerting.settings.stackfile import project_root

EXIT_FAILED = 1
EXIT_WRONG = 2


def play_scenarios(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help=f"Files or folders; default: {FOLDER}."),
    ] = None,
    stack: StackOption = None,
    file: FileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Play scenarios: who is told what, when. Needs neither a server nor the Pulumi CLI.

    Exit code 1 when a scenario fails, 2 when a scenario's or a stack's file is wrong.
    """
    if stack and file:
        raise typer.BadParameter("name a stack or a file, not both")
    began = perf_counter()
    errors: list[SettingsError] = []
    scenarios = list(_read(paths or [_default_folder()], errors))
    planned = list(_planned(scenarios, Stacks(stack, file), errors))
    if errors:
        _say_errors(errors, as_json=as_json)
        raise typer.Exit(EXIT_WRONG)
    outcomes = []
    for outcome in _played(planned, began):
        outcomes.append(outcome)
        if not as_json:
            _say(outcome)
    passed = sum(outcome.passed for outcome in outcomes)
    failed = len(outcomes) - passed
    if as_json:
        documents = [outcome.document() for outcome in outcomes]
        typer.echo(json.dumps({"passed": passed, "failed": failed, "scenarios": documents}))
    else:
        typer.echo(f"{passed} passed, {failed} failed")
    if failed:
        raise typer.Exit(EXIT_FAILED)


def _default_folder() -> Path:
    """The project's scenarios, named from here where they are below."""
    here = Path.cwd()
    folder = project_root(here) / FOLDER
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _read(paths: Sequence[Path], errors: list[SettingsError]) -> Iterator[Scenario]:
    files = list(scenario_files(paths))
    if not files:
        text = "hold no scenario file. Name one, or add one: see docs/scenarios.md"
        errors.append(SettingsError(", ".join(map(str, paths)), [Problem(0, "PATH", text)]))
    for file in files:
        try:
            yield from read_scenarios(file)
        except SettingsError as error:
            errors.append(error)


def _planned(
    scenarios: Sequence[Scenario], stacks: Stacks, errors: list[SettingsError]
) -> Iterator[tuple[Scenario, Plan]]:
    for scenario in scenarios:
        try:
            yield scenario, stacks.plan_of(scenario)
        except SettingsError as error:
            errors.append(error)


def _played(planned: Sequence[tuple[Scenario, Plan]], began: float) -> Iterator[Outcome]:
    """How each scenario goes; how long it took is told beside the results."""
    settings = fresh_settings()
    # Prefect's server takes seconds to import, a tenth of them to look for garbage in vain: only
    # those who play wait for it.
    gc.disable()
    from alerting.scenarios.playing import Player  # noqa: PLC0415

    gc.enable()
    with Player(settings) as player:
        started = perf_counter()
        for scenario, plan in planned:
            yield player.play(scenario, plan)
    took = f"started in {started - began:.1f} s, played in {perf_counter() - started:.1f} s"
    typer.echo(took, err=True)


def _say(outcome: Outcome) -> None:
    scenario = outcome.scenario
    verdict = "ok" if outcome.passed else "FAILED"
    typer.echo(f"{verdict} {scenario.name} ({scenario.path}:{scenario.line})")
    if not outcome.passed:
        for line in outcome.diff():
            typer.echo(line)


def _say_errors(errors: Sequence[SettingsError], *, as_json: bool) -> None:
    """Each problem once, though several scenarios may be about the same wrong stack file."""
    lines = dict.fromkeys(line for error in errors for line in error.lines())
    if as_json:
        problems = [
            {"file": error.source, **asdict(problem)}
            for error in errors
            for problem in error.problems
        ]
        unique = [p for index, p in enumerate(problems) if p not in problems[:index]]
        typer.echo(json.dumps({"problems": unique}))
    for line in () if as_json else lines:
        typer.echo(line, err=True)
