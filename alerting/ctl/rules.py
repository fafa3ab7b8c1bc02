"""`alertctl rules`: every automation of a stack, as Prefect would store it."""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from alerting.ctl.stack_option import FileOption, StackOption, chosen_file
from alerting.plan import AutomationRule, Plan, build_plan
from alerting.plan.documents import automation_document, switches
from alerting.plan.ownership import unmarked
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file

EXIT_WRONG = 2


def rules(
    stack: StackOption = None,
    file: FileOption = None,
    as_json: Annotated[
        bool,
        typer.Option(
            "--json",
            help="Print a JSON list of objects with name, tier, trigger, actions and more.",
        ),
    ] = False,
) -> None:
    """Print every automation of a stack as Prefect would store it, without asking anybody.

    Ids are only known once a stack is deployed. In their place, --json has a block's slug, such as
    slack-webhook/alerts, as block_document_id, and an automation's name as automation_id.

    Exit code 2 when the stack's file is wrong.
    """
    try:
        found = read_stack_file(chosen_file(stack, file))
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_WRONG) from None
    plan = build_plan(found.settings, found.stack)
    if as_json:
        typer.echo(json.dumps(list(_documents(plan)), indent=2))
    else:
        Console(highlight=False).print(_table(plan))


def _documents(plan: Plan) -> Iterator[dict[str, Any]]:
    slugs = {block.key: block.slug for block in plan.blocks}
    names = {rule.key: rule.name for rule in plan.automations}
    for rule in plan.automations:
        document = automation_document(rule, slugs, names)
        yield {"key": rule.key, "tier": rule.tier.value, **document}


def _table(plan: Plan) -> Table:
    table = Table(title=f"Automations of stack {plan.stack}", title_justify="left")
    for column in ("key", "name", "tier", "state", "fires", "tells"):
        table.add_column(column, overflow="fold")
    for rule in plan.automations:
        fires = unmarked(rule.description)
        cells = (rule.key, rule.name, rule.tier.value, _state(rule), fires, _told(rule))
        # As text: the table would take brackets in a name for its markup.
        table.add_row(*map(Text, cells))
    return table


def _state(rule: AutomationRule) -> str:
    return "enabled" if rule.enabled else "paused"


def _told(rule: AutomationRule) -> str:
    channels = ", ".join(notification.channel for notification in rule.notifications)
    switched = len(switches(rule))
    if not switched:
        return channels
    return f"{channels}; {'resumes' if rule.resumes else 'pauses'} {switched} automations"
