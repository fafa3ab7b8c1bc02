"""The truth bench's table, for people, for documents and for programs."""

from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from sandbox.truth.bench import Measured
from sandbox.truth.matching import TIERS

COLUMNS = ("due", "right", "missed", "false", "late", "unpaged")


def as_table(measured: Measured) -> Table:
    """A row for each rule set and tier; as it prints, it is Markdown."""
    extent = measured.extent
    title = (
        f"{measured.seeds} random histories of {extent.runs:,} hourly runs of {extent.flows} flows "
        f"in {extent.days} days, {measured.seconds:.0f} s"
    )
    table = Table(title=title, title_justify="left", box=box.MARKDOWN)
    table.add_column("rules")
    table.add_column("tier")
    for column in ("due", "right", "missed", "false", "late", "outages unpaged"):
        table.add_column(column, justify="right")
    for name, tallies in measured.tallies.items():
        for tier in TIERS:
            tally = asdict(tallies[tier])
            table.add_row(name, tier.value, *(f"{tally[column]:,}" for column in COLUMNS))
    return table


def as_json(measured: Measured) -> dict[str, Any]:
    """The same as data."""
    return {
        "seeds": measured.seeds,
        "runs": measured.extent.runs,
        "flows": measured.extent.flows,
        "days": measured.extent.days,
        "seconds": round(measured.seconds, 1),
        "exact": measured.exact,
        "ruleSets": {
            name: {tier.value: asdict(tally) for tier, tally in tallies.items()}
            for name, tallies in measured.tallies.items()
        },
    }
