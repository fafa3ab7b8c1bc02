"""`alertctl secrets`: put, list, verify and rotate the secrets of a stack."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from alerting.ctl.secret_input import GivenValue
from alerting.ctl.secrets_report import ListedSecret, secrets_table
from alerting.ctl.stack_option import StackOption, chosen_file
from alerting.secrets.declared import DeclaredSecret, declared_secrets, secret_named
from alerting.secrets.errors import RotationStoppedError, SecretsError
from alerting.settings import SecretSource, SettingsError
from alerting.settings.stackfile import StackFile, read_stack_file

if TYPE_CHECKING:
    from alerting.secrets.secrets_manager import SecretsManager, Stored

app = typer.Typer(
    name="secrets",
    help="Put, list, prove and replace the secrets of a stack. No command shows a value.",
    no_args_is_help=True,
)
EXIT_WRONG = 1
EXIT_IMPOSSIBLE = 2
NameArgument = Annotated[str, typer.Argument(help="The secret's key in data-alerts:secrets.")]


@app.command()
def put(name: NameArgument, stack: StackOption = None) -> None:
    """Put a value where the stack's file says it comes from: asked for, or through a pipe.

    Such as `op item get 'Slack' --fields credential --reveal | alertctl secrets put slack-url`.
    Exit code 2 when it cannot be put; nothing is changed then.
    """
    with _politely():
        found, file = _read(stack)
        secret = secret_named(declared_secrets(found), name)
        _put(secret, found, file)
    _say(f"deploy to have Prefect use it: pulumi up --stack {found.stack}")


@app.command("list")
def list_secrets(
    stack: StackOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON list.")] = False,
) -> None:
    """Say of every secret where its value comes from, what is in AWS, and who uses it.

    Exit code 2 when AWS could not be asked; what the stack's file says is printed all the same.
    """
    with _politely():
        found, _ = _read(stack)
        secrets = declared_secrets(found)
    listed, problems = _ask_aws(secrets, found)
    if as_json:
        typer.echo(json.dumps([each.as_json() for each in listed], indent=2))
    else:
        Console(highlight=False).print(secrets_table(found.stack, listed))
    for problem in problems:
        _say(problem)
    if problems:
        raise typer.Exit(EXIT_IMPOSSIBLE)


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="A secret's key; by default all.")] = None,
    stack: StackOption = None,
) -> None:
    """Prove secrets: there, the same in Prefect's block, and accepted by the vendor.

    Sends nothing: what cannot be tried without a message is not tried, and it says so. Exit code
    1 when something is wrong, 2 when nothing is but something could not be checked.
    """
    from alerting.secrets import verification  # noqa: PLC0415
    from alerting.secrets.prefect_blocks import PrefectBlocks, workspace_of  # noqa: PLC0415
    from alerting.secrets.webhooks import ask  # noqa: PLC0415

    verdicts = set()
    with _politely():
        found, _ = _read(stack)
        secrets = declared_secrets(found)
        chosen = [secret_named(secrets, name)] if name else secrets
        manager = _manager(found)
        blocks = PrefectBlocks(workspace_of(found.settings.prefect, os.environ))
        for secret in chosen:
            for finding in verification.verify(secret, manager, blocks, ask):
                verdicts.add(finding.verdict)
                typer.echo(f"{finding.secret}: {finding.verdict}: {finding.text}")
    if verification.Verdict.WRONG in verdicts:
        raise typer.Exit(EXIT_WRONG)
    if verification.Verdict.UNKNOWN in verdicts:
        raise typer.Exit(EXIT_IMPOSSIBLE)


@app.command()
def rotate(
    name: NameArgument,
    stack: StackOption = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with a rotation that was stopped.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="Put the old value back, and deploy it.")
    ] = False,
    page: Annotated[
        bool, typer.Option("--page", help="Let the drill page on-call, as PagerDuty's keys need.")
    ] = False,
) -> None:
    """Replace a value: new one in, deployed, drilled, and only then the old one let go.

    Stopped at any moment, it goes on where it was when it is run again. Exit code 1 when the new
    value did not prove itself, 2 when a step is impossible; the old value is kept in both.
    """
    from alerting.ctl.rotating import rotation_of  # noqa: PLC0415

    with _politely():
        if resume and abandon:
            raise SecretsError("--resume and --abandon are opposites: give one of them")
        found, file = _read(stack)
        secret = secret_named(declared_secrets(found), name)
        rotation = rotation_of(secret, found, file.parent, page=page, resume=resume, say=_say)
        if abandon:
            rotation.abandon()
        else:
            if resume and rotation.versions.replaced() is None:
                raise SecretsError(f"no rotation of {name} is under way: leave --resume out")
            rotation.run()
    for line in _after(secret, file, abandoned=abandon):
        typer.echo(line)


def _put(secret: DeclaredSecret, found: StackFile, file: Path) -> None:
    from alerting.secrets.pulumi_stack import PulumiStack  # noqa: PLC0415
    from alerting.secrets.putting import (  # noqa: PLC0415
        put_into_secrets_manager,
        refuse_if_from_environment,
    )

    refuse_if_from_environment(secret)
    value = GivenValue(secret).required()
    if secret.source is SecretSource.SECRETS_MANAGER:
        put_into_secrets_manager(secret, value, _manager(found), _say)
    else:
        PulumiStack(file.parent, found.stack).set_secret(secret.key, value)
        _say(f"{file.name} holds the new value, encrypted: commit it")


def _ask_aws(
    secrets: list[DeclaredSecret], found: StackFile
) -> tuple[list[ListedSecret], list[str]]:
    """Each secret with what AWS says of it, and what kept AWS from answering, each said once."""
    stored: dict[str, Stored] = {}
    problems: dict[str, None] = {}
    try:
        manager = _manager(found)
        for secret in secrets:
            try:
                stored[secret.key] = manager.stored(secret.name)
            except SecretsError as error:
                problems[str(error)] = None
    except SecretsError as error:
        problems[str(error)] = None
    return [ListedSecret(secret, stored.get(secret.key)) for secret in secrets], list(problems)


def _after(secret: DeclaredSecret, file: Path, *, abandoned: bool) -> Iterator[str]:
    """What is left to do by hand."""
    from alerting.secrets.webhooks import VENDORS  # noqa: PLC0415

    if abandoned:
        yield f"{secret.key}: the old value is in use again. Revoke the new one at the vendor"
        return
    yield f"{secret.key} is rotated: the new value is in use, and the drill passed"
    if secret.source is None:
        yield (
            f"Commit {file.name} and have it on the main branch first: a deployment of an older "
            "one would bring the old value back. Its history keeps that encrypted, and useless "
            "once it is revoked"
        )
    yield f"Last, revoke the old one: {VENDORS[secret.rule.kind].revocation}"


def _read(stack: str | None) -> tuple[StackFile, Path]:
    file = chosen_file(stack, None)
    return read_stack_file(file), file


def _manager(found: StackFile) -> "SecretsManager":
    # boto3 takes a third of a second to import: only those who need it wait for it.
    from alerting.secrets.aws_client import secrets_manager_client  # noqa: PLC0415
    from alerting.secrets.secrets_manager import SecretsManager  # noqa: PLC0415

    return SecretsManager(secrets_manager_client(found.aws))


def _say(text: str) -> None:
    typer.echo(f"secrets: {text}", err=True)


@contextmanager
def _politely() -> Iterator[None]:
    """End the command with what is wrong, one line each, and the exit code that it calls for."""
    try:
        yield
    except SettingsError as error:
        for line in error.lines():
            typer.echo(line, err=True)
        raise typer.Exit(EXIT_IMPOSSIBLE) from None
    except SecretsError as error:
        _say(str(error))
        stopped = isinstance(error, RotationStoppedError)
        raise typer.Exit(EXIT_WRONG if stopped else EXIT_IMPOSSIBLE) from None
