"""Which stack is looked at: one of a file, or the one that PREFECT_API_URL leads to."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn, TypeVar

import typer
from prefect.settings import (
    PREFECT_API_AUTH_STRING,
    PREFECT_API_KEY,
    PREFECT_API_URL,
)
from pydantic import ValidationError

from alerting.connection import (
    KEY_VARIABLE,
    LOGIN_VARIABLES,
    URL_VARIABLE,
    ConnectionProblem,
    connected,
)
from alerting.ctl.deployed_stack import check_stack
from alerting.ctl.stack_option import chosen_file
from alerting.doctor.findings import Finding, Verdict, examine
from alerting.observing.memory import Memory, memory_file
from alerting.observing.observer import Observer
from alerting.observing.overview import Overview
from alerting.observing.prefect_reader import CountedClient
from alerting.plan.published import PublishedSettings
from alerting.sentinel.workspace import NotDeployedError
from alerting.settings import SettingsError
from alerting.settings.models import PrefectSettings
from alerting.settings.stackfile import StackFile, read_stack_file

EXIT_IMPOSSIBLE = 2
FIRST_SECONDS = 60.0
"""How long a workspace that was never looked at is asked before it is shown as far as known."""
SPARE_SECONDS = 0.5
"""How long older runs are read each time that all else is known."""
PLAN_SECONDS = 60.0
PLAN = "plan"
_PLANNED = ("stack file", "Prefect credentials", "Prefect", "blocks", "automations")
Result = TypeVar("Result")


@dataclass(frozen=True)
class Asked:
    """Which stack a command is asked about. Without a stack or a file the environment says it."""

    stack: str | None
    file: Path | None
    name_prefix: str | None


def answered(command: str, question: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Answer a command's question; what goes wrong is one line and exit code 2."""
    try:
        return asyncio.run(question())
    except (ConnectionProblem, NotDeployedError) as error:
        refuse(command, str(error))
    except SettingsError as error:
        refuse(command, *error.lines())


def refuse(command: str, *lines: str) -> NoReturn:
    """End a command that cannot do what was asked."""
    for line in lines:
        typer.echo(f"{command}: {line}", err=True)
    raise typer.Exit(EXIT_IMPOSSIBLE)


@asynccontextmanager
async def observing(asked: Asked) -> AsyncGenerator[Observer]:
    """Observe a stack.

    Raises:
        ConnectionProblem: when nothing says where Prefect is, or a credential is missing.
        NotDeployedError: when the workspace holds another stack.
        SettingsError: when the stack's file is wrong.
    """
    path = _path(asked)
    found = read_stack_file(path) if path else None
    prefect, environment = _server(found)
    client = connected(CountedClient, prefect, environment)
    prefix = found.settings.name_prefix if found else asked.name_prefix
    memory = Memory(memory_file(str(client.api_url), prefix))
    planned = _PlannedStack(found, path) if found and path else None
    try:
        async with client:
            yield Observer(client, memory, prefix, planned=planned)
    finally:
        memory.close()


async def first_overview(observer: Observer) -> Overview:
    """What is seen now; of a workspace that was never looked at, once enough of it is known."""
    start = monotonic()
    await observer.ask()
    while not observer.knows_enough and monotonic() - start < FIRST_SECONDS:
        await observer.ask_more()
    await observer.overview()
    spare = monotonic()
    while observer.lacks_successes or monotonic() - spare < SPARE_SECONDS:
        if not await observer.ask_more():
            break
    return await observer.overview()


class _PlannedStack:
    """A stack's file against the workspace, by the doctor's checks."""

    def __init__(self, found: StackFile, file: Path) -> None:
        self._found = found
        self._file = file
        self._findings: Sequence[Finding] = ()
        self._since: float | None = None

    def accept(self, settings: PublishedSettings) -> None:
        check_stack(self._found, settings)

    async def findings(self) -> Sequence[Finding]:
        if self._since is None or monotonic() - self._since > PLAN_SECONDS:
            self._findings = await asyncio.to_thread(self._examine)
            self._since = monotonic()
        return self._findings

    def _examine(self) -> Sequence[Finding]:
        url = os.environ.get(URL_VARIABLE)
        if url and url != self._found.settings.prefect.endpoint:
            text = f"{URL_VARIABLE} leads elsewhere than the stack's file"
            return [Finding(PLAN, Verdict.NOT_MADE, text)]
        # They import boto3, which takes most of a second.
        from alerting.doctor.checks import CHECKS  # noqa: PLC0415
        from alerting.doctor.deployment import Deployment  # noqa: PLC0415

        checks = [check for check in CHECKS if check.name in _PLANNED]
        found = examine(checks, Deployment(self._file, os.environ))
        problems = [each for each in found if each.verdict is not Verdict.GOOD]
        if not problems:
            return [Finding(PLAN, Verdict.GOOD, "automations and blocks are as planned")]
        return [replace(each, check=PLAN, text=f"{each.check}: {each.text}") for each in problems]


def _server(found: StackFile | None) -> tuple[PrefectSettings, Mapping[str, str]]:
    """Where Prefect is, and the variables that log in to it; a profile of Prefect's counts too."""
    if found:
        return found.settings.prefect, os.environ
    url, key, login = (
        PREFECT_API_URL.value(),
        PREFECT_API_KEY.value(),
        PREFECT_API_AUTH_STRING.value(),
    )
    if not url:
        raise ConnectionProblem(
            "PREFECT_API_URL is not set: set it to the workspace's or the server's API, or name a "
            "stack with --stack"
        )
    try:
        prefect = PrefectSettings(endpoint=url.rstrip("/"))
    except ValidationError as error:
        reason = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise ConnectionProblem(f"PREFECT_API_URL is not right: {reason}") from None
    secrets = {KEY_VARIABLE: key, LOGIN_VARIABLES[0]: login}
    given = {name: secret.get_secret_value() for name, secret in secrets.items() if secret}
    return prefect, {**os.environ, URL_VARIABLE: url, **given}


def _path(asked: Asked) -> Path | None:
    return chosen_file(asked.stack, asked.file) if asked.stack or asked.file else None
