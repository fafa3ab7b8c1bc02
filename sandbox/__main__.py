"""`python -m sandbox`: what `make sandbox`, `make sandbox-down` and `make demo` run."""

import json
import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from pulumi.automation import CommandError
from rich.console import Console

from alerting.redaction import redact
from alerting.settings import SettingsError
from sandbox.acts.playing import PERFORMANCES, as_table, play_all
from sandbox.drill.player import play_drill
from sandbox.drill.report import print_report, report_console
from sandbox.figures import Part, measure
from sandbox.lifecycle import bring_up, passing_sandbox, take_down
from sandbox.pictures import pictures as pictures_of
from sandbox.soak import deployments
from sandbox.soak.sentinel import soak
from sandbox.stack import SandboxStack
from sandbox.state import DEFAULT_FOLDER, SandboxError, SandboxState

EXIT_MISSED = 1
EXIT_FAILED = 2

app = typer.Typer(
    help="The alerting stack on one machine.", no_args_is_help=True, pretty_exceptions_enable=False
)
console = Console(highlight=False, soft_wrap=True, markup=False)
Folder = Annotated[Path, typer.Option("--folder", help="The sandbox's folder.")]
Seed = Annotated[int, typer.Option("--seed", help="For the same interruptions again.")]


@app.command()
def up(folder: Folder = DEFAULT_FOLDER) -> None:
    """Bring a sandbox up, with the stack deployed, and leave it up."""
    try:
        state = _deployed(folder)
    except BaseException:
        take_down(folder)
        raise
    console.print(f"messages: {state.page_url}\nPrefect:  {state.prefect_ui_url}")
    here = "" if folder.resolve() == DEFAULT_FOLDER else f" --sandbox {folder}"
    console.print(f"try:      .venv/bin/alertctl drill{here}")


@app.command()
def down(folder: Folder = DEFAULT_FOLDER) -> None:
    """Remove a sandbox and all its processes, also after a crash."""
    take_down(folder)
    console.print("the sandbox is down")


@app.command()
def demo(folder: Folder = DEFAULT_FOLDER) -> None:
    """Bring a sandbox up, drill it, report, take it down. Exit code 1 when a message missed."""
    start = time.monotonic()
    try:
        verdict = play_drill(_bring_up(folder), _say, restore=False)
    finally:
        take_down(folder)
    print_report(report_console(), verdict)
    console.print(f"{time.monotonic() - start:.0f} s in all")
    if not verdict.passed:
        raise typer.Exit(EXIT_MISSED)


@app.command()
def drill_full(
    folder: Folder = DEFAULT_FOLDER,
    pictures: Annotated[
        Path | None, typer.Option(help="Take pictures of what arrives, into this folder.")
    ] = None,
    only: Annotated[str, typer.Option(help="Play what has this in its name alone.")] = "",
) -> None:
    """Bring a sandbox up and play what takes minutes: incidents, storms, silences, freshness.

    Exit code 1 when something did not happen as it must, 2 when there is nothing to play.
    """
    if not any(only in each.name for each in PERFORMANCES):
        names = ", ".join(each.name for each in PERFORMANCES)
        raise typer.BadParameter(f"nothing is called so. There is: {names}", param_hint="--only")
    with passing_sandbox(folder) as state:
        results = play_all(state, _say, pictures, only)
    report_console().print(as_table(results))
    if any(result.problem for result in results):
        raise typer.Exit(EXIT_MISSED)


@app.command()
def bench(
    folder: Folder = DEFAULT_FOLDER,
    only: Annotated[Part | None, typer.Option("--only", help="Measure one part alone.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object.")] = False,
) -> None:
    """Measure scenarios, judging, live load, truth, what is seen, and deployments.

    Exit code 1 when a figure is not what it must be.
    """
    measured = {}
    for part in [only] if only else Part:
        measured[part] = measure(part, folder, partial(_progress, part))
        if not as_json:
            report_console().print(measured[part].table)
    if as_json:
        data = {part.value: figures.data for part, figures in measured.items()}
        typer.echo(json.dumps(data, indent=2))
    wrong = {part: figures.wrong for part, figures in measured.items() if figures.wrong}
    for part, text in wrong.items():
        _progress(part, text)
    if wrong:
        raise typer.Exit(EXIT_MISSED)


@app.command()
def soak_sentinel(
    folder: Folder = DEFAULT_FOLDER,
    kills: Annotated[int, typer.Option("--kills", help="How often the sentinel is killed.")] = 200,
    seed: Seed = 1,
) -> None:
    """Kill the sentinel again and again while runs end, and count what was told.

    Exit code 1 when a verdict was lost, doubled or not due.
    """
    try:
        state = _deployed(folder)
        report = soak(SandboxStack(state), state, kills, seed, _say)
    finally:
        take_down(folder)
    console.print(str(report))
    if not report.passed:
        raise typer.Exit(EXIT_MISSED)


@app.command()
def soak_deployments(
    folder: Folder = DEFAULT_FOLDER,
    kills: Annotated[int, typer.Option("--kills", help="Deployments that are killed.")] = 100,
    failures: Annotated[
        int, typer.Option("--failures", help="Deployments to a server that fails.")
    ] = 100,
    seed: Seed = 1,
) -> None:
    """Interrupt deployments again and again, and count what the next one leaves wrong.

    Exit code 1 when one did not converge, doubled something or leaked a secret.
    """
    with passing_sandbox(folder) as state:
        report = deployments.soak(state, kills, failures, seed, _say)
    console.print(str(report))
    if not report.passed:
        raise typer.Exit(EXIT_MISSED)


@app.command()
def pictures(
    out: Annotated[Path, typer.Option("--out", help="The folder of the PNG files.")],
    folder: Folder = DEFAULT_FOLDER,
    channel: Annotated[str, typer.Option("--channel", help="Only of this channel.")] = "",
    title: Annotated[str, typer.Option("--title", help="Only with this in the title.")] = "",
) -> None:
    """Write a picture of each message that a sandbox, which must be up, has delivered."""
    for file in pictures_of(SandboxState.load(folder), out, channel, title):
        console.print(str(file))


def _progress(part: Part, text: str) -> None:
    typer.echo(f"{part.value}: {text}", err=True)


def _deployed(folder: Path) -> SandboxState:
    state = _bring_up(folder)
    _say("deploying")
    _say(SandboxStack(state).up_timed())
    return state


def _bring_up(folder: Path) -> SandboxState:
    start = time.monotonic()
    _say("starting Prefect, Secrets Manager, the capture and a worker")
    state = bring_up(folder)
    _say(f"services are up after {time.monotonic() - start:.1f} s")
    return state


def _say(text: str) -> None:
    console.print(f"sandbox: {text}")


def main() -> None:
    """Run the command line; what goes wrong is one line and exit code 2."""
    try:
        app()
    except (SandboxError, SettingsError) as error:
        console.print(f"sandbox: {error}", style="red")
        raise SystemExit(EXIT_FAILED) from None
    except CommandError as error:
        console.print(f"sandbox: the engine refused to deploy:\n{redact(str(error))}", style="red")
        raise SystemExit(EXIT_FAILED) from None


if __name__ == "__main__":
    main()
