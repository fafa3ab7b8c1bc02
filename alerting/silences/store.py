"""Silences in Prefect variables, on a server or in the Cloud.

Each silence has a variable of its own, so two that are added at once never overwrite each other.
They are no part of the stack, so a deployment neither shows nor touches them.
"""

import json
import logging
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import httpx
from prefect.client.orchestration import PrefectClient
from pydantic import ValidationError

from alerting.plan.published import PublishedSettings
from alerting.plan.silences import WINDOW_PREFIX, Silence, silences_changed
from alerting.silences.asked import AskedSilence, SilenceError, name_problems, unlisted

NAME_PREFIX = "data-alerts-silence-"
"""How the variables' names begin; the silence's id follows."""
TAG = "data-alerts-silence"
KEPT = timedelta(days=30)
"""How long a silence that is over is kept as a record."""
PAGE = 200
"""The most variables that Prefect answers with at once."""
_ID_BYTES = 4
_ATTEMPTS = 5

log = logging.getLogger("data-alerts.silences")


async def read_silences(client: PrefectClient, scope: str) -> list[Silence]:
    """The stack's silences, also those that are over; by their starts.

    What cannot be read as one is left out, with a line in the log. Raises httpx.HTTPError when
    Prefect cannot be asked.
    """
    found: dict[str, Silence] = {}
    async for variable in _variables(client, scope):
        silence = _silence(variable)
        if silence:
            found[silence.id] = silence
    return sorted(found.values(), key=lambda silence: (silence.starts, silence.id))


async def add_silence(
    client: PrefectClient, scope: str, asked: AskedSilence, now: datetime
) -> Silence:
    """Add a silence, tell the running sentinel, and forget those that are long over.

    Names of pipelines are checked by `check_names`.

    Raises:
        SilenceError: when it has no end, reason or author, or the end is too far.
        httpx.HTTPError: when Prefect cannot be asked.
    """
    asked.checked(now)
    silence = await _create(client, scope, asked)
    await _tell(client, scope, now)
    try:
        await prune(client, scope, now)
    except httpx.HTTPError as error:  # the next one that is added will
        log.warning("records of old silences are still there: %s", type(error).__name__)
    return silence


async def end_silence(
    client: PrefectClient, scope: str, silence_id: str, by: str, at: datetime, reason: str = ""
) -> Silence:
    """End a silence now and tell the running sentinel; it stays as a record of what it was.

    Raises:
        SilenceError: when there is none of this id, or it is over.
        httpx.HTTPError: when Prefect cannot be asked.
    """
    silence = await _existing(client, scope, silence_id)
    if silence.ends <= at:
        raise SilenceError(f"silence {silence_id} is over since {_utc(silence.ends)}")
    # One that has not begun ends where it would begin: it has never been.
    ended = silence.model_copy(
        update={
            "ends": max(at, silence.starts),
            "ended_by": by,
            "end_reason": reason.strip() or None,
        }
    )
    path: Any = f"/variables/name/{NAME_PREFIX}{silence_id}"
    await client.request("PATCH", path, json={"value": _value(ended)})
    await _tell(client, scope, at)
    return ended


async def prune(client: PrefectClient, scope: str, now: datetime) -> int:
    """Remove the records of silences that are over for `KEPT`; says how many.

    Raises httpx.HTTPError when Prefect cannot be asked.
    """
    over = [each for each in await read_silences(client, scope) if each.ends < now - KEPT]
    for silence in over:
        path: Any = f"/variables/name/{NAME_PREFIX}{silence.id}"
        try:
            await client.request("DELETE", path)
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:  # somebody else was quicker
                raise
    return len(over)


async def check_names(
    client: PrefectClient, settings: PublishedSettings, names: Sequence[str]
) -> None:
    """See that names are those of pipelines: listed ones, or flows of the workspace.

    Raises:
        SilenceError: with the names that are near.
        httpx.HTTPError: when Prefect cannot be asked.
    """
    flows: set[str] = set()
    if unlisted(names, settings):
        async for flow in _pages(client, "/flows/filter", {"sort": "NAME_ASC"}):
            flows.add(flow["name"])
    if problems := name_problems(names, settings, flows):
        raise SilenceError("; ".join(problems))


async def _create(client: PrefectClient, scope: str, asked: AskedSilence) -> Silence:
    for attempt in range(_ATTEMPTS):
        # Short, since people type it to end the silence.
        silence = asked.as_silence(secrets.token_hex(_ID_BYTES))
        variable = {
            "name": f"{NAME_PREFIX}{silence.id}",
            "value": _value(silence),
            "tags": _tags(scope),
        }
        try:
            await client.request("POST", "/variables/", json=variable)
        except httpx.HTTPStatusError as error:
            taken = error.response.status_code == httpx.codes.CONFLICT
            if not taken or attempt == _ATTEMPTS - 1:
                raise
        else:
            break
    return silence


async def _existing(client: PrefectClient, scope: str, silence_id: str) -> Silence:
    if silence_id.startswith(WINDOW_PREFIX):
        raise SilenceError(
            f"{silence_id} is of a maintenance window: change the window in the stack's settings"
        )
    silences = {each.id: each for each in await read_silences(client, scope)}
    if silence_id not in silences:
        raise SilenceError(
            f"there is no silence {silence_id!r}: `alertctl silence list` lists them with their ids"
        )
    return silences[silence_id]


async def _tell(client: PrefectClient, scope: str, now: datetime) -> None:
    event = dict(silences_changed(uuid4(), scope, now))
    try:
        await client.request("POST", "/events", json=[event])
    except httpx.HTTPError as error:
        # It counts all the same: a sentinel reads silences with each heartbeat, too.
        log.warning("the sentinel hears of it within a minute only: %s", type(error).__name__)


async def _variables(client: PrefectClient, scope: str) -> AsyncIterator[Mapping[str, Any]]:
    """The variables with the stack's silences, the latest first.

    So one that is added while pages are read, or an old one that is removed, hides no other.
    """
    asked = {"variables": {"tags": {"all_": _tags(scope)}}, "sort": "CREATED_DESC"}
    async for variable in _pages(client, "/variables/filter", asked):
        if variable["name"].startswith(NAME_PREFIX):
            yield variable


async def _pages(
    client: PrefectClient,
    path: Literal["/variables/filter", "/flows/filter"],
    asked: Mapping[str, Any],
) -> AsyncIterator[Mapping[str, Any]]:
    """All that a filter lets through."""
    offset = 0
    while True:
        body = {**asked, "limit": PAGE, "offset": offset}
        found = (await client.request("POST", path, json=body)).json()
        for each in found:
            yield each
        if len(found) < PAGE:
            return
        offset += PAGE


def _silence(variable: Mapping[str, Any]) -> Silence | None:
    value = variable["value"]
    try:
        # A person may have saved it again in the browser, where it is a text.
        record = json.loads(value) if isinstance(value, str) else value
        silence = Silence.model_validate(record)
    except (ValidationError, ValueError):
        log.warning("variable %s is no silence that this version reads", variable["name"])
        return None
    if variable["name"] != f"{NAME_PREFIX}{silence.id}":
        log.warning("variable %s holds a silence with another id", variable["name"])
        return None
    return silence


def _value(silence: Silence) -> dict[str, Any]:
    return silence.model_dump(mode="json", exclude_none=True)


def _tags(scope: str) -> list[str]:
    return [TAG, f"data-alerts-scope:{scope}"]


def _utc(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
