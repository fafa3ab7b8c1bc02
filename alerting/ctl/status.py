"""`alertctl status`: how the pipelines are, and the alerting that watches them."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.ctl.stack_option import FileOption, StackOption

if TYPE_CHECKING:
    from alerting.ctl.observed import Asked
    from alerting.observing.overview import Overview

EXIT_FAILING = 1
EXIT_IMPAIRED = 2
PrefixOption = Annotated[
    str | None,
    typer.Option(
        "--name-prefix",
        envvar="DATA_ALERTS_NAME_PREFIX",
        help="Without a stack's file: the stack's namePrefix, where it has one.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def status(
    *,
    stack: StackOption = None,
    file: FileOption = None,
    name_prefix: PrefixOption = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="Pipelines that are printed; 0 for all.")
    ] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show each pipeline by urgency, then whether the alerting itself works.

    Without --stack and --file it follows the settings as deployed in the workspace that
    PREFECT_API_URL names; with one, what is planned is compared with what there is as well.
    PREFECT_API_KEY or PREFECT_API_AUTH_STRING logs in.

    Exit code 0 when all is well, 1 when a pipeline needs attention, 2 when the alerting itself is
    impaired or Prefect cannot be asked.
    """
    # Prefect takes two seconds to import: only those who look wait for it.
    from alerting.ctl.observed import Asked, answered  # noqa: PLC0415
    from alerting.ctl.status_report import print_overview  # noqa: PLC0415

    asked = Asked(stack, file, name_prefix)
    overview = answered("status", lambda: _overview(asked))
    if as_json:
        typer.echo(json.dumps(overview.document(), indent=2))
    else:
        print_overview(overview, limit)
    if overview.impaired:
        raise typer.Exit(EXIT_IMPAIRED)
    if overview.attention:
        raise typer.Exit(EXIT_FAILING)


def report(
    html: Annotated[Path, typer.Option("--html", help="The file to write.")],
    stack: StackOption = None,
    file: FileOption = None,
    name_prefix: PrefixOption = None,
) -> None:
    """Write what `alertctl serve` shows first into one file, to attach or to publish.

    It needs nothing beside it and asks nothing of anybody. Exit code 2 when Prefect cannot be
    asked or the file cannot be written.
    """
    from alerting.ctl.observed import Asked, answered, refuse  # noqa: PLC0415
    from alerting.observing.page.report import report_page  # noqa: PLC0415

    asked = Asked(stack, file, name_prefix)
    overview = answered("report", lambda: _overview(asked))
    try:
        html.parent.mkdir(parents=True, exist_ok=True)
        html.write_text(report_page(overview), encoding="utf-8")
    except OSError as error:
        refuse("report", f"{html} cannot be written: {error.strerror}. Name another file")
    typer.echo(f"{html}: {len(overview.pipelines)} pipelines, {overview.attention} need attention")


async def _overview(asked: "Asked") -> "Overview":
    from alerting.ctl.observed import first_overview, observing  # noqa: PLC0415

    async with observing(asked) as observer:
        return await first_overview(observer)
