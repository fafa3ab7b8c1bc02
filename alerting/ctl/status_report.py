"""An overview for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.doctor.findings import Verdict
from alerting.observing.figures import DAYS, Figures
from alerting.observing.overview import Overview
from alerting.observing.pipelines import Condition, Pipeline
from alerting.observing.wording import NOTHING, ago, bound, lasting, percent, sparkline

LOG_WIDTH = 200
_STYLES = {
    Condition.FAILING: "red",
    Condition.STALE: "yellow",
    Condition.LATE: "yellow",
    Condition.UNKNOWN: "dim",
    Condition.NEW: "dim",
}
_VERDICTS = {Verdict.WRONG: "red", Verdict.NOT_MADE: "dim"}
_COLUMNS = (
    "pipeline",
    "state",
    "streak",
    "last success",
    "may be",
    "7 days",
    "mean",
    "p95",
    "30 days",
    "mean",
    "p95",
    "each day",
    "owner",
    "incident",
)
_NUMBERS = frozenset(("streak", "7 days", "mean", "p95", "30 days"))


def wide_console() -> Console:
    """Standard output, wide enough for the tables also where it is not a terminal."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = LOG_WIDTH
    return console


def print_overview(overview: Overview, limit: int) -> None:
    """Print the pipelines, at most `limit` of them unless it is 0, and the alerting's health."""
    console = wide_console()
    shown = overview.pipelines[: limit or None]
    console.print(_pipelines(overview, shown))
    if more := len(overview.pipelines) - len(shown):
        console.print(f"{more} more, all less urgent: --limit 0 prints them")
    if not overview.progress.is_complete:
        share = overview.progress.share(overview.at)
        console.print(
            f"~ durations are of the runs that were read: {share:.0%} of {DAYS} days", style="dim"
        )
    console.print(_health(overview))
    for line in _verdict(overview):
        console.print(Text(line))


def _pipelines(overview: Overview, shown: Sequence[Pipeline]) -> Table:
    table = Table(title=f"Pipelines of {overview.stack}", title_justify="left")
    for column in _COLUMNS:
        table.add_column(
            column,
            justify="right" if column in _NUMBERS else "left",
            no_wrap=column == "each day",
            overflow="fold",
        )
    for pipeline in shown:
        # As text: the table would take brackets in a name for its markup.
        cells = map(Text, _cells(overview, pipeline))
        table.add_row(*cells, style=_STYLES.get(pipeline.condition))
    return table


def _cells(overview: Overview, pipeline: Pipeline) -> Iterator[str]:
    yield pipeline.name
    yield _state(pipeline)
    least = "≥" if pipeline.streak_is_least else ""
    yield f"{least}{pipeline.streak}" if pipeline.streak else ""
    yield ago(pipeline.last_success, overview.at)
    yield bound(pipeline.bound)
    for figures in pipeline.figures:
        yield from _figures(figures)
    yield sparkline(pipeline.days)
    yield pipeline.owner
    yield _incident(overview, pipeline)


def _state(pipeline: Pipeline) -> str:
    parts = [pipeline.condition.value]
    if pipeline.last and pipeline.last.failed and pipeline.last.state != "Failed":
        parts.append(pipeline.last.state)
    if pipeline.running:
        parts.append("running")
    return ", ".join(parts)


def _figures(figures: Figures) -> Iterator[str]:
    about = "" if figures.is_complete else "~"
    yield percent(figures.success_rate) if figures.is_counted else NOTHING
    for seconds in (figures.mean, figures.p95):
        yield NOTHING if seconds is None else f"{about}{lasting(seconds)}"


def _incident(overview: Overview, pipeline: Pipeline) -> str:
    parts = []
    if incident := pipeline.incident:
        step = f" {incident.step}" if incident.step else ""
        parts.append(f"{incident.gravest}{step} since {ago(incident.since, overview.at)}")
    if pipeline.silenced_until:
        parts.append(f"silenced until {pipeline.silenced_until:%Y-%m-%d %H:%M} UTC")
    return ", ".join(parts)


def _health(overview: Overview) -> Table:
    table = Table(title="The alerting itself", title_justify="left")
    for column in ("check", "verdict", "what", "remedy"):
        table.add_column(column, overflow="fold")
    for each in overview.health:
        cells = map(Text, (each.check, each.verdict.value, each.text, each.remedy))
        table.add_row(*cells, style=_VERDICTS.get(each.verdict))
    for channel in overview.channels:
        last = channel.last
        told = f"{last.tier} {ago(last.at, overview.at)}" if last else "nothing lately"
        took = f" after {lasting(last.seconds)}" if last and last.seconds is not None else ""
        table.add_row(*map(Text, (channel.name, "told", f"{told}{took}", "")), style="dim")
    return table


def _verdict(overview: Overview) -> Iterator[str]:
    if overview.all_down_since:
        yield f"ALL PIPELINES ARE DOWN since {overview.all_down_since:%Y-%m-%d %H:%M} UTC"
    counts = (f"{count} {condition}" for condition, count in overview.by_condition.items())
    yield ", ".join(counts) or "there are no pipelines"
    if overview.impaired:
        yield "the alerting itself is IMPAIRED: see what is wrong above"
    yield f"{overview.requests} questions to Prefect"
