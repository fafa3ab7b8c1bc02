"""`alertctl drill`: see that everybody is told, in the sandbox or where a stack is deployed."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from alerting.ctl.stack_option import StackOption, chosen_file
from alerting.redaction import redact
from alerting.settings import SettingsError
from alerting.settings.durations import parse_duration

WITHIN = "30s"
EXIT_MISSED = 1
EXIT_IMPOSSIBLE = 2


def drill(
    *,
    stack: StackOption = None,
    page: Annotated[
        bool, typer.Option("--page", help="With --stack: page on-call as well.")
    ] = False,
    within: Annotated[
        str, typer.Option("--within", help="With --stack: how soon each message is to be sent.")
    ] = WITHIN,
    folder: Annotated[
        Path | None,
        typer.Option(
            "--sandbox",
            help="The sandbox's folder; by default the project's own. With --stack: the sandbox "
            "that the stack is deployed to, by default none.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Try a stack's alerting with messages that say DRILL; without --stack, the sandbox's.

    In the sandbox real pipelines fail, and who was told is compared with who should be. With
    --stack nothing fails, and Prefect's own events say what arrived: it is safe in production.
    PREFECT_API_URL goes over the stack's endpoint, and PREFECT_API_KEY or PREFECT_API_AUTH_STRING
    logs in.

    Exit code 0 when every expected message arrived in time and no other, 1 when not, 2 when there
    is nothing to drill.
    """
    if stack:
        _drill_stack(stack, folder, page=page, within=within, as_json=as_json)
    elif page or within != WITHIN:
        raise typer.BadParameter("--page and --within go with --stack")
    else:
        _drill_sandbox(folder, as_json=as_json)


def _drill_stack(
    stack: str, folder: Path | None, *, page: bool, within: str, as_json: bool
) -> None:
    try:
        longest = parse_duration(within)
    except ValueError as error:
        raise typer.BadParameter(f"--within: {error}") from None
    from alerting.ctl.stack_drill import Asked, drill_stack  # noqa: PLC0415 - it imports Prefect

    drill_stack(Asked(chosen_file(stack, None), page, longest, folder), as_json=as_json)


def _drill_sandbox(folder: Path | None, *, as_json: bool) -> None:
    # Prefect's client takes two seconds to import: only those who drill wait for it.
    import httpx  # noqa: PLC0415
    from pulumi.automation import CommandError  # noqa: PLC0415

    from sandbox.drill import player, report  # noqa: PLC0415
    from sandbox.state import DEFAULT_FOLDER, SandboxError, SandboxState  # noqa: PLC0415

    progress = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    try:
        state = SandboxState.load((folder or DEFAULT_FOLDER).resolve())
        verdict = player.play_drill(state, lambda text: progress.print(f"drill: {text}"))
    except httpx.TransportError:
        progress.print("drill: the sandbox does not answer: run `make sandbox`", style="red")
        raise typer.Exit(EXIT_IMPOSSIBLE) from None
    except (SandboxError, SettingsError, CommandError) as error:
        progress.print(f"drill: {redact(str(error))}", style="red")
        raise typer.Exit(EXIT_IMPOSSIBLE) from None
    if as_json:
        typer.echo(json.dumps(report.as_json(verdict), indent=2))
    else:
        report.print_report(report.report_console(), verdict)
    if not verdict.passed:
        raise typer.Exit(EXIT_MISSED)
