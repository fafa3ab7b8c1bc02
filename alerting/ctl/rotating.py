"""What a rotation needs of the world: Secrets Manager, the Pulumi CLI, Prefect, the vendors."""

import asyncio
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from alerting.ctl.secret_input import GivenValue, NothingGiven
from alerting.redaction import redact
from alerting.secrets.aws_client import secrets_manager_client
from alerting.secrets.declared import DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.secrets.prefect_blocks import PrefectBlocks, workspace_of
from alerting.secrets.pulumi_stack import PulumiStack
from alerting.secrets.rotation import Rotation
from alerting.secrets.secrets_manager import SecretsManager
from alerting.secrets.sources import (
    ConfigurationSource,
    EnvironmentSource,
    SecretsManagerSource,
    Source,
)
from alerting.secrets.values import checked, same
from alerting.secrets.versions import SecretVersions
from alerting.secrets.webhooks import Pulse, ask
from alerting.settings import SecretSource
from alerting.settings.stackfile import StackFile

if TYPE_CHECKING:
    from alerting.drills.report import DrillReport

WITHIN = timedelta(seconds=30)
Say = Callable[[str], None]


def rotation_of(
    secret: DeclaredSecret, found: StackFile, root: Path, *, page: bool, resume: bool, say: Say
) -> Rotation:
    """The rotation of a secret of the stack whose file is in `root`.

    Raises SecretsError where a drill could not prove the new value.
    """
    if secret.rule.kind == "pagerduty" and not page:
        raise SecretsError(
            f"{secret.key} is PagerDuty's, and only a page proves it: tell on-call, and add --page"
        )
    stack = PulumiStack(root, found.stack)
    manager = SecretsManager(secrets_manager_client(found.aws), stack.hide)

    def check(value: SecretStr) -> None:
        answer = ask(secret.rule.kind, checked(secret, value))
        if answer.pulse is Pulse.DEAD:
            raise SecretsError(f"the new value is no use: {answer.text}. Nothing was changed")
        say(f"the new value: {answer.text}")

    def deployed(value: SecretStr) -> bool:
        stack.hide(value)
        current = manager.current(secret.name)
        return current is not None and same(current, value) and _in_blocks(secret, found, value)

    return Rotation(
        secret=secret.key,
        versions=SecretVersions(manager, secret.name),
        source=_source(secret, manager, stack),
        new=NothingGiven(secret) if resume else GivenValue(secret),
        check=check,
        deploy=lambda: stack.up(say),
        deployed=deployed,
        drill=lambda: _drill(secret, found, page=page, say=say),
        say=say,
    )


def _source(secret: DeclaredSecret, manager: SecretsManager, stack: PulumiStack) -> Source:
    if secret.source is SecretSource.SECRETS_MANAGER:
        return SecretsManagerSource(manager, secret.name)
    if secret.source is SecretSource.ENV:
        return EnvironmentSource(os.environ, secret.rule.variable)
    return ConfigurationSource(stack, secret.key)


def _in_blocks(secret: DeclaredSecret, found: StackFile, value: SecretStr) -> bool:
    blocks = PrefectBlocks(workspace_of(found.settings.prefect, os.environ))
    held = [blocks.value(field) for field in secret.fields]
    return all(each is not None and same(each, value) for each in held)


def _drill(secret: DeclaredSecret, found: StackFile, *, page: bool, say: Say) -> bool:
    # Prefect takes two seconds to import: those who are refused before do not wait for it.
    from alerting.connection import (  # noqa: PLC0415
        URL_VARIABLE,
        ConnectionProblem,
        connect,
        what_went_wrong,
    )
    from alerting.drills.drill import DrillError  # noqa: PLC0415
    from alerting.drills.playing import play_drill  # noqa: PLC0415
    from alerting.sentinel.prefect_workspace import PrefectWorkspace  # noqa: PLC0415
    from alerting.sentinel.workspace import NotDeployedError  # noqa: PLC0415

    # The workspace that was deployed to, whichever one the shell works with.
    environment = {name: os.environ[name] for name in os.environ if name != URL_VARIABLE}

    async def play() -> "DrillReport":
        async with connect(found.settings.prefect, environment) as client:
            workspace = PrefectWorkspace(client, found.settings.name_prefix)
            try:
                published = await workspace.published()
                return await play_drill(client, published, page=page, within=WITHIN)
            except httpx.HTTPError as error:
                raise SecretsError(what_went_wrong(error, client)) from None

    try:
        report = asyncio.run(play())
    except (ConnectionProblem, DrillError, NotDeployedError) as error:
        raise SecretsError(f"the drill cannot be played: {error}") from None
    for each in report.deliveries:
        if each.problem:
            say(f"drill: {each.channel}: {redact(each.problem)}")
    if not {each.channel for each in report.deliveries} & set(secret.channels):
        say(
            f"drill: no channel of {secret.key} hears of drills, so it says nothing of the new "
            "value: wait for a message through it before you revoke the old one"
        )
    return report.passed
