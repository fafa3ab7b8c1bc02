"""`alertctl drill`: make pipelines fail, and see that everybody was told."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from alerting.redaction import redact
from alerting.settings import SettingsError

EXIT_MISSED = 1
EXIT_IMPOSSIBLE = 2


def drill(
    folder: Annotated[
        Path | None,
        typer.Option("--sandbox", help="The sandbox's folder; by default the project's own."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Run failing pipelines in the sandbox and compare who was told with who should be.

    Exit code 0 when every expected message arrived and no other, 1 when not, 2 when there is no
    sandbox to drill.
    """
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
