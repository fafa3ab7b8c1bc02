"""Failures and notifications, for people and for programs."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from alerting.ctl.status_report import wide_console
from alerting.observing.event_reading import Told
from alerting.observing.failures import Failure
from alerting.observing.notifications import Notification
from alerting.observing.review import Review, review
from alerting.observing.wording import NOTHING, lasting, percent

_FIRST = 5


def print_failures(failures: Sequence[Failure], since: str) -> None:
    """Print failures, the newest first."""
    console = wide_console()
    if not failures:
        console.print(f"nothing failed in the last {since}")
        return
    table = Table(title=f"Failures of the last {since}", title_justify="left")
    for column in ("when (UTC)", "pipeline", "state", "error", "told", "run"):
        table.add_column(column, overflow="fold")
    for each in failures:
        cells = (
            f"{each.run.time:%Y-%m-%d %H:%M:%S}",
            each.pipeline,
            each.run.state,
            each.error,
            _told(each.told),
            each.url,
        )
        # As text: the table would take brackets for its markup.
        table.add_row(*map(Text, cells), style=None if each.told else "yellow")
    console.print(table)
    untold = sum(not any(n.delivered for n in each.told) for each in failures)
    console.print(f"{len(failures)} failures, of which nobody was told of {untold}")


def print_history(told: Told, pipeline: str | None, since: str) -> None:
    """Print what was sent, the newest first, and the review."""
    console = wide_console()
    table = Table(title=f"Notifications of the last {since}", title_justify="left")
    for column in ("when (UTC)", "tier", "pipeline", "channel", "delivered, or why not"):
        table.add_column(column, overflow="fold")
    table.add_column("seconds", justify="right")
    for each in _chosen(told, pipeline):
        cells = (
            f"{each.at:%Y-%m-%d %H:%M:%S}",
            each.tier.value,
            each.pipeline or NOTHING,
            each.channel,
            each.problem or "delivered",
            "" if each.seconds is None else f"{each.seconds:.1f}",
        )
        table.add_row(*map(Text, cells), style=None if each.delivered else "red")
    console.print(table)
    for line in _lines(_review(told, pipeline)):
        console.print(Text(line))


def history_document(told: Told, pipeline: str | None) -> dict[str, Any]:
    """The same for programs."""
    found = _review(told, pipeline)
    return {
        "since": told.since.isoformat(),
        "notifications": [
            {
                "at": each.at.isoformat(),
                "tier": each.tier.value,
                "pipeline": each.pipeline,
                "channel": each.channel,
                "automation": each.automation,
                "runId": str(each.run_id) if each.run_id else None,
                "delivered": each.delivered,
                "problem": each.problem,
                "seconds": each.seconds,
            }
            for each in _chosen(told, pipeline)
        ],
        "review": {
            "alerts": found.alerts,
            "undelivered": found.undelivered,
            "byDay": {day.isoformat(): count for day, count in found.by_day},
            "byPipeline": dict(found.by_pipeline),
            "byChannel": dict(found.by_channel),
            "repeatOffenders": dict(found.offenders),
            "outages": found.outages,
            "recovered": found.recovered,
            "recoveredByThemselves": found.recovered_alone,
            "shareRecoveredByThemselves": found.share_alone,
            "medianSeconds": found.median_seconds,
            "longestSeconds": found.seconds[-1] if found.seconds else None,
        },
    }


def _chosen(told: Told, pipeline: str | None) -> Sequence[Notification]:
    return [each for each in told.notifications if pipeline in (None, each.pipeline)]


def _review(told: Told, pipeline: str | None) -> Review:
    about = [a for a in told.announcements if pipeline in (None, a.pipeline)]
    return review(_chosen(told, pipeline), about)


def _lines(found: Review) -> Iterator[str]:
    yield f"{found.alerts} alerts, {found.undelivered} messages not delivered"
    if found.by_day:
        yield "each day: " + ", ".join(f"{day:%m-%d} {count}" for day, count in found.by_day)
    if found.by_pipeline:
        yield f"most told of: {_most(found.by_pipeline)}"
    if found.offenders:
        yield f"repeat offenders, by outages: {_most(found.offenders)}"
    if found.outages:
        yield (
            f"{found.outages} outages, {found.recovered} have ended, "
            f"{percent(found.share_alone)} of these before anybody was called"
        )
    if found.seconds:
        yield (
            f"from failure to delivery: median {lasting(found.median_seconds)}, longest "
            f"{lasting(found.seconds[-1])}"
        )


def _most(counted: Sequence[tuple[str, int]]) -> str:
    more = f" and {len(counted) - _FIRST} more" if len(counted) > _FIRST else ""
    return ", ".join(f"{name} {count}" for name, count in counted[:_FIRST]) + more


def _told(notifications: Sequence[Notification]) -> str:
    if not notifications:
        return "nobody"
    parts = dict.fromkeys(
        f"{each.channel} ({each.tier}{'' if each.delivered else ', not delivered'})"
        for each in notifications
    )
    return ", ".join(parts)
