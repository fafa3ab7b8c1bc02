"""`alertctl explain`: which rules an event meets or misses, why, and who is told what."""

import json
from collections.abc import Collection
from difflib import get_close_matches
from typing import Annotated

import typer

from alerting.ctl.explain_report import as_json as report_as_json
from alerting.ctl.explain_report import difference, lines_of
from alerting.ctl.explanation import Asked, Explanation
from alerting.ctl.stack_option import FileOption, StackOption, chosen_file
from alerting.plan import Plan, build_plan
from alerting.scenarios.run_events import STATE_TYPES
from alerting.settings import Problem, Settings, SettingsError
from alerting.settings.stackfile import read_stack_file

EXIT_DIFFERENT = 1
EXIT_WRONG = 2
MOST_TIMES = 1_000


def explain(  # noqa: PLR0913 - the options of a command
    *,
    flow: Annotated[str, typer.Option("--flow", help="The flow's name.")],
    state: Annotated[str, typer.Option("--state", help="The state, such as Failed.")],
    stack: StackOption = None,
    file: FileOption = None,
    deployment: Annotated[
        str | None, typer.Option("--deployment", help="The deployment's name; none: ad hoc.")
    ] = None,
    times: Annotated[
        int, typer.Option("--times", min=1, max=MOST_TIMES, help="So many runs, a minute apart.")
    ] = 1,
    message: Annotated[str | None, typer.Option("--message", help="The state's message.")] = None,
    verify: Annotated[
        str | None,
        typer.Option(
            "--verify",
            help="Channels, by comma: exit code 1 unless exactly these are told at once.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show which rules a run's end meets or misses, why, who is told, and with what text.

    Exit code 1 when `--verify` finds a difference, 2 when something asked for is not there.
    """
    try:
        found = read_stack_file(chosen_file(stack, file))
        asked = Asked(flow, _state(state), times, deployment, message)
        wanted = _channels(verify, found.settings) if verify is not None else None
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_WRONG) from None
    explanation = _explain(build_plan(found.settings, found.stack), asked)
    wrong = difference(wanted, explanation) if wanted is not None else None
    if as_json:
        typer.echo(json.dumps(report_as_json(explanation) | {"difference": wrong}, indent=2))
    else:
        for line in lines_of(explanation):
            typer.echo(line)
    if wrong:
        typer.echo(f"--verify: {wrong}", err=True)
        raise typer.Exit(EXIT_DIFFERENT)


def _explain(plan: Plan, asked: Asked) -> Explanation:
    # Prefect's server takes seconds to import: only those who get this far wait for it.
    from alerting.scenarios.isolation import fresh_settings  # noqa: PLC0415

    settings = fresh_settings()
    from alerting.ctl.explaining import explain as play  # noqa: PLC0415
    from alerting.scenarios.engine import Engine  # noqa: PLC0415

    with Engine(settings) as engine:
        return play(plan, asked, engine)


def _state(name: str) -> str:
    return _known("state", name, STATE_TYPES, "a state of Prefect's")


def _channels(text: str, settings: Settings) -> list[str]:
    names = (name.strip() for name in text.split(","))
    return [_known("verify", n, settings.channels, "a channel of the stack") for n in names if n]


def _known(option: str, name: str, known: Collection[str], what: str) -> str:
    """The name, when it is one that is known. Raises SettingsError when it is not."""
    if name in known:
        return name
    close = get_close_matches(name, known, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Name one of {', '.join(sorted(known))}"
    raise SettingsError(f"--{option}", [Problem(0, name, f"is not {what}. {hint}")])
