"""What `alertctl adopt` prints."""

from dataclasses import asdict
from typing import Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.adoption.matching import Match, Matching, Step

_WIDTH = 160


def as_document(stack: str, matching: Matching, *, written: bool) -> dict[str, Any]:
    """The findings for programs."""
    return {
        "stack": stack,
        "written": written and not matching.with_step(Step.REFUSE),
        "found": [asdict(match) for match in matching.matches],
        "leftAlone": [
            {**asdict(leftover.found), "hint": leftover.hint} for leftover in matching.leftovers
        ],
    }


def print_matching(stack: str, matching: Matching) -> None:
    """A table of what was found, and what is left alone."""
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _WIDTH
    if not matching.matches:
        typer.echo(f"Nothing of stack {stack} is in AWS or Prefect.")
    else:
        console.print(_table(stack, matching))
    for leftover in matching.leftovers:
        typer.echo(f"left alone: {leftover.found}: {leftover.hint}")


def print_next(file: str, stack: str, matching: Matching, *, written: bool) -> None:
    """What to do now."""
    adopted = matching.with_step(Step.ADOPT, Step.RESTORE)
    if not adopted:
        typer.echo("There is nothing to adopt.")
        return
    if not written:
        typer.echo(f"To adopt {len(adopted)} of these: alertctl adopt --stack {stack} --yes")
        return
    typer.echo(f"{file}: data-alerts:adopt names {len(adopted)} of these. Now:")
    typer.echo(f"  pulumi preview --stack {stack}   # imports and updates; deletes nothing")
    typer.echo(f"  pulumi up --stack {stack}        # then remove data-alerts:adopt")
    managed = [match.terraform for match in matching.matches if match.terraform]
    if managed:
        typer.echo("Before `pulumi up`, so that Terraform neither undoes nor deletes it:")
    for address in managed:
        typer.echo(f"  terraform state rm '{address}'")


def _table(stack: str, matching: Matching) -> Table:
    table = Table(title=f"Of stack {stack}, found", title_justify="left")
    for column in ("resource", "found", "where", "step", "what changes"):
        table.add_column(column, overflow="fold")
    for match in matching.matches:
        resource = f"{match.kind} {match.key}"
        found = f"{match.name}\n{match.id}"
        table.add_row(*map(Text, (resource, found, match.where, match.step, _changes(match))))
    return table


def _changes(match: Match) -> str:
    changes = [f"{d.field}: {d.there or '-'} -> {d.planned or '-'}" for d in match.differences]
    return "\n".join([match.note] * bool(match.note) + changes) or "nothing"
