"""A drill's report, for people and for programs."""

from collections.abc import Iterable
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from alerting.plan import Tier
from sandbox.drill.judge import Judgement, Verdict

LOG_WIDTH = 132
STYLES = {
    Tier.WARNING: "yellow",
    Tier.CRITICAL: "red",
    Tier.P1: "bold red",
    Tier.ESCALATION: "magenta",
    Tier.RECOVERY: "green",
    Tier.LATE: "cyan",
    Tier.ALERTING: "bold yellow",
    Tier.FRESHNESS: "yellow",
    Tier.ANOMALY: "yellow",
    Tier.SUCCESS: "green",
    Tier.SUMMARY: "white",
    Tier.DRILL: "white",
}


def report_console() -> Console:
    """Standard output, wide enough for the table also where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=LOG_WIDTH)


def print_report(console: Console, verdict: Verdict) -> None:
    """Print the messages of each tier as they arrived, the table, and the verdict."""
    for judgement in _one_of_each(verdict):
        console.print(_message(judgement))
    console.print(_table(verdict))
    for message in verdict.unexpected:
        console.print(f"[red]not expected:[/red] {message.channel}: ", Text(message.title))
    console.print(_summary(verdict))


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The same as data."""
    return {
        "passed": verdict.passed,
        "medianSeconds": verdict.median_seconds,
        "expected": [
            {
                "scenario": j.scenario,
                "tier": j.expected.tier.value,
                "channel": j.expected.channel,
                "subject": j.expected.subject,
                "arrived": j.message.received_at.isoformat() if j.message else None,
                "seconds": j.seconds,
            }
            for j in verdict.judgements
        ],
        "unexpected": [
            {"channel": m.channel, "subject": m.title, "arrived": m.received_at.isoformat()}
            for m in verdict.unexpected
        ],
    }


def _one_of_each(verdict: Verdict) -> list[Judgement]:
    """The first message of each tier in each channel, in the order of the tiers."""
    first: dict[tuple[Tier, str], Judgement] = {}
    for judgement in verdict.judgements:
        if judgement.message:
            first.setdefault((judgement.expected.tier, judgement.expected.channel), judgement)
    order = list(Tier)
    return sorted(first.values(), key=lambda judgement: order.index(judgement.expected.tier))


def _message(judgement: Judgement) -> Panel:
    tier, message = judgement.expected.tier, judgement.message
    if message is None:
        raise ValueError("there is nothing to show of a message that did not arrive")
    return Panel(
        Group(Text(message.title.strip(), style="bold"), Text(message.text)),
        title=f"{tier.value}: {message.service.value} {message.channel}",
        title_align="left",
        border_style=STYLES[tier],
    )


def _table(verdict: Verdict) -> Table:
    table = Table(title="Drill", title_justify="left")
    for heading in ("scenario", "expected", "arrived in"):
        table.add_column(heading)
    table.add_column("seconds", justify="right")
    table.add_column("")
    for name, judgements in _by_scenario(verdict):
        if not judgements:
            silent = not verdict.unexpected
            table.add_row(name, "silence", "", "", "[green]ok" if silent else "[yellow]see below")
        for index, judgement in enumerate(judgements):
            table.add_row(name if index == 0 else "", *_cells(judgement))
        table.add_section()
    return table


def _cells(judgement: Judgement) -> tuple[Text, str, str, str]:
    expected = judgement.expected
    subject = Text(f"{expected.tier.value:10} {expected.subject}", style=STYLES[expected.tier])
    if judgement.seconds is None:
        return subject, f"[red]not in {expected.channel}", "", "[red]missing"
    verdict = "[green]ok" if judgement.arrived else "[red]early"
    return subject, expected.channel, f"{judgement.seconds:.2f}", verdict


def _by_scenario(verdict: Verdict) -> Iterable[tuple[str, list[Judgement]]]:
    for played in verdict.played:
        name = played.scenario.name
        yield name, [j for j in verdict.judgements if j.scenario == name]


def _summary(verdict: Verdict) -> str:
    arrived = sum(j.arrived for j in verdict.judgements)
    text = f"{arrived} of {len(verdict.judgements)} expected messages arrived, "
    text += f"{len(verdict.unexpected)} not expected"
    if verdict.median_seconds is not None:
        text += f"; median {verdict.median_seconds:.2f} s from the end of a run to the webhook"
    return f"[green]{text}" if verdict.passed else f"[red]{text}"
