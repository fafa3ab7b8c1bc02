"""What `alertctl silence` does in a stack's workspace."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx
import typer
from prefect.client.orchestration import PrefectClient

from alerting.connection import ConnectionProblem, connect, what_went_wrong
from alerting.ctl.deployed_stack import deployed_settings
from alerting.ctl.silence import EXIT_IMPOSSIBLE, EXIT_NO_SILENCE
from alerting.plan.published import PublishedSettings
from alerting.plan.silences import Silence, Silences
from alerting.sentinel.workspace import NotDeployedError
from alerting.settings import SettingsError
from alerting.settings.stackfile import read_stack_file
from alerting.silences.asked import AskedSilence, SilenceError
from alerting.silences.store import add_silence, check_names, end_silence, read_silences

AHEAD = timedelta(days=7)
"""How far ahead, and back, the times of recurring windows are listed."""
Found = TypeVar("Found")


@dataclass(frozen=True)
class Ending:
    """Which silence is to end, who says so, why, and when."""

    silence_id: str
    author: str
    reason: str
    now: datetime


@dataclass(frozen=True)
class _Workspace:
    """A stack's workspace, for as long as its client is open."""

    client: PrefectClient
    settings: PublishedSettings
    scope: str


def add_to(file: Path, asked: AskedSilence, now: datetime) -> Silence:
    """Add a silence to a stack. Says why it cannot and raises typer.Exit then."""

    async def add(workspace: _Workspace) -> Silence:
        asked.checked(now)
        await check_names(workspace.client, workspace.settings, asked.pipelines)
        return await add_silence(workspace.client, workspace.scope, asked, now)

    return _in_workspace(file, add, EXIT_IMPOSSIBLE)


def end_in(file: Path, ending: Ending) -> Silence:
    """End a silence of a stack. Says why it cannot and raises typer.Exit then."""

    async def end(workspace: _Workspace) -> Silence:
        return await end_silence(
            workspace.client,
            workspace.scope,
            ending.silence_id,
            ending.author,
            ending.now,
            ending.reason,
        )

    return _in_workspace(file, end, EXIT_NO_SILENCE)


def silences_of(file: Path, now: datetime, *, past: bool) -> tuple[str, list[Silence]]:
    """A stack's scope and its silences: running ones, coming ones, and, with `past`, others.

    Says why they cannot be read and raises typer.Exit then.
    """

    async def read(workspace: _Workspace) -> tuple[str, list[Silence]]:
        added = await read_silences(workspace.client, workspace.scope)
        return workspace.scope, _listed(added, workspace.settings, now, past=past)

    return _in_workspace(file, read, EXIT_IMPOSSIBLE)


def _listed(
    added: list[Silence], settings: PublishedSettings, now: datetime, *, past: bool
) -> list[Silence]:
    by_hand = Silences(added)
    recurring = Silences(windows=(settings.sentinel.maintenance if settings.sentinel else ()))
    listed = [*by_hand.running(now), *recurring.running(now)]
    listed += by_hand.coming(now, datetime.max.replace(tzinfo=now.tzinfo))
    listed += recurring.coming(now, now + AHEAD)
    if past:
        over = [silence for silence in added if silence.ends <= now]
        over += recurring.over_between(now - AHEAD, now)
        listed += sorted(over, key=lambda silence: silence.ends, reverse=True)
    return listed


def _in_workspace(
    file: Path, work: Callable[[_Workspace], Coroutine[Any, Any, Found]], otherwise: int
) -> Found:
    """Do something in a stack's workspace; `otherwise` is the exit code where it is refused."""
    try:
        return asyncio.run(_work(file, work))
    except SilenceError as error:
        _refuse(str(error), otherwise)
    except (ConnectionProblem, NotDeployedError, SettingsError) as error:
        _refuse(str(error), EXIT_IMPOSSIBLE)


async def _work(file: Path, work: Callable[[_Workspace], Awaitable[Found]]) -> Found:
    async with _opened(file) as workspace:
        return await work(workspace)


@asynccontextmanager
async def _opened(file: Path) -> AsyncIterator[_Workspace]:
    found = read_stack_file(file)
    client = connect(found.settings.prefect, os.environ)
    try:
        async with client:
            settings = await deployed_settings(client, found)
            if settings.sentinel is None:
                raise NotDeployedError(
                    "this stack is judged by triggers, which know no silence: set "
                    "data-alerts:evaluation: sentinel and deploy it"
                )
            yield _Workspace(client, settings, settings.sentinel.scope)
    except httpx.HTTPError as error:
        raise ConnectionProblem(what_went_wrong(error, client)) from None


def _refuse(problem: str, code: int) -> NoReturn:
    for line in problem.splitlines():
        typer.echo(f"silence: {line}", err=True)
    raise typer.Exit(code)
