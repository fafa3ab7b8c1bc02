"""`alertctl adopt`: what is in AWS and Prefect already becomes the stack's."""

import json
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alerting.ctl.stack_option import FileOption, StackOption, chosen_file
from alerting.plan import Plan, build_plan
from alerting.settings import SecretSource, SettingsError
from alerting.settings.stackfile import StackFile, read_stack_file

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from alerting.adoption.matching import Matching

EXIT_WRONG = 2


def adopt(
    stack: StackOption = None,
    file: FileOption = None,
    terraform_state: Annotated[
        Path | None,
        typer.Option("--terraform-state", help="What `terraform state pull` printed."),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without this it is shown.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Take over secrets, blocks and automations that were made before the stack, or beside it.

    Shows what is found and what the stack's next deployment would change on it. With --yes the
    stack's file names it in data-alerts:adopt, and the deployment imports it: nothing is made a
    second time, deleted or replaced. Exit code 2 when something is another stack's, or cannot be
    asked for.
    """
    from alerting.adoption.stack_file import write_adopted  # noqa: PLC0415
    from alerting.ctl.adopt_report import as_document, print_matching, print_next  # noqa: PLC0415

    path, found = _read(stack, file)
    plan = build_plan(found.settings, found.stack)
    matching, aws = _matching(found, plan, terraform_state)
    from alerting.adoption.matching import Step  # noqa: PLC0415

    if as_json:
        typer.echo(json.dumps(as_document(plan.stack, matching, written=yes), indent=2))
    else:
        print_matching(plan.stack, matching)
    if matching.with_step(Step.REFUSE):
        typer.echo("adopt: nothing was changed: see what is refused", err=True)
        raise typer.Exit(EXIT_WRONG)
    if yes:
        _restore(aws, [match.name for match in matching.with_step(Step.RESTORE)])
        write_adopted(path, matching.with_step(Step.ADOPT, Step.RESTORE))
    if not as_json:
        print_next(path.name, plan.stack, matching, written=yes)


def _read(stack: str | None, file: Path | None) -> tuple[Path, StackFile]:
    try:
        path = chosen_file(stack, file)
        return path, read_stack_file(path)
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_WRONG) from None


def _matching(
    found: StackFile, plan: Plan, terraform_state: Path | None
) -> "tuple[Matching, SecretsManagerClient]":
    # boto3 takes most of a second to import: only those who get this far wait for it.
    from alerting.adoption.inventory import take_inventory  # noqa: PLC0415
    from alerting.adoption.matching import match  # noqa: PLC0415
    from alerting.adoption.terraform import TerraformError, read_state  # noqa: PLC0415
    from alerting.adoption.workspace import WorkspaceError  # noqa: PLC0415
    from alerting.secrets.aws_client import secrets_manager_client  # noqa: PLC0415
    from alerting.secrets.errors import SecretsError  # noqa: PLC0415
    from alerting.secrets.prefect_blocks import workspace_of  # noqa: PLC0415

    shared = frozenset(
        key
        for key, secret in found.settings.secrets.items()
        if secret.source is SecretSource.SECRETS_MANAGER
    )
    try:
        managed = read_state(terraform_state) if terraform_state else []
        workspace = workspace_of(found.settings.prefect, os.environ)
        aws = secrets_manager_client(found.aws)
        inventory = take_inventory(plan, workspace, partial(_described, aws))
        return match(plan, inventory, managed, shared), aws
    except (SecretsError, TerraformError, WorkspaceError) as error:
        typer.echo(f"adopt: {error}", err=True)
        raise typer.Exit(EXIT_WRONG) from None


def _described(aws: "SecretsManagerClient", name: str) -> Mapping[str, Any] | None:
    """What Secrets Manager says of a secret, None when there is none. Raises SecretsError."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    from alerting.secrets.aws_client import code_of, in_plain_words  # noqa: PLC0415
    from alerting.secrets.errors import SecretsError  # noqa: PLC0415

    try:
        return aws.describe_secret(SecretId=name)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and code_of(error) == "ResourceNotFoundException":
            return None
        raise SecretsError(in_plain_words(error, name)) from None


def _restore(aws: "SecretsManagerClient", names: list[str]) -> None:
    from alerting.secrets.errors import SecretsError  # noqa: PLC0415
    from alerting.secrets.secrets_manager import SecretsManager  # noqa: PLC0415

    try:
        for name in names:
            SecretsManager(aws).restore(name)
    except SecretsError as error:
        typer.echo(f"adopt: {error}", err=True)
        raise typer.Exit(EXIT_WRONG) from None
