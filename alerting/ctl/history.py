"""`alertctl recent-failures` and `alertctl history`: what failed, and who was told of it."""

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from alerting.ctl.stack_option import FileOption, StackOption
from alerting.ctl.status import JsonOption, PrefixOption
from alerting.settings.durations import parse_duration

if TYPE_CHECKING:
    from alerting.ctl.observed import Asked
    from alerting.observing.event_reading import Told
    from alerting.observing.failures import Failure

MOST = 1_000
SinceOption = Annotated[str, typer.Option("--since", help="How far back, such as 24h or 7d.")]
PipelineOption = Annotated[
    str | None, typer.Option("--pipeline", help="Only of this pipeline, by its name or flow.")
]


def recent_failures(
    *,
    stack: StackOption = None,
    file: FileOption = None,
    name_prefix: PrefixOption = None,
    since: SinceOption = "24h",
    pipeline: PipelineOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs that failed, with error, link and who was told, the newest first.

    Errors are shortened and without what looks like a secret. Exit code 2 when Prefect cannot be
    asked.
    """
    period = _period(since)
    from alerting.ctl.history_report import print_failures  # noqa: PLC0415 - it imports Prefect
    from alerting.ctl.observed import Asked, answered  # noqa: PLC0415

    asked = Asked(stack, file, name_prefix)
    failures = answered("recent-failures", lambda: _failures(asked, period, pipeline))
    if as_json:
        typer.echo(json.dumps([each.document() for each in failures], indent=2))
    else:
        print_failures(failures, since)


def history(
    *,
    stack: StackOption = None,
    file: FileOption = None,
    name_prefix: PrefixOption = None,
    since: SinceOption = "7d",
    pipeline: PipelineOption = None,
    as_json: JsonOption = False,
) -> None:
    """List every notification sent, and what a team reviews to be told less often.

    Prefect's own events say it: when, tier, pipeline, channel, delivered or why not, and seconds
    from failure to delivery. A server keeps events for 7 days, unless it is told otherwise.
    Exit code 2 when Prefect cannot be asked.
    """
    period = _period(since)
    from alerting.ctl.history_report import history_document, print_history  # noqa: PLC0415
    from alerting.ctl.observed import Asked, answered  # noqa: PLC0415

    asked = Asked(stack, file, name_prefix)
    told = answered("history", lambda: _told(asked, period))
    if as_json:
        typer.echo(json.dumps(history_document(told, pipeline), indent=2))
    else:
        print_history(told, pipeline, since)


def _period(since: str) -> timedelta:
    try:
        return parse_duration(since)
    except ValueError as error:
        raise typer.BadParameter(f"--since: {error}") from None


async def _told(asked: "Asked", period: timedelta) -> "Told":
    from alerting.ctl.observed import observing  # noqa: PLC0415

    async with observing(asked) as observer:
        return await observer.told(period)


async def _failures(asked: "Asked", period: timedelta, pipeline: str | None) -> "list[Failure]":
    from alerting.ctl.observed import observing  # noqa: PLC0415
    from alerting.observing.failures import failures_of  # noqa: PLC0415

    async with observing(asked) as observer:
        told = await observer.told(period)
        failed = await observer.failures(period, MOST, told.settings)
    return failures_of(failed, told, pipeline)
