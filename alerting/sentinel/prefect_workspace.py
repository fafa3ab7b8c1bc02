"""A Prefect workspace, self-hosted or in the Cloud, through Prefect's own client."""

import os
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from prefect.client.base import ServerType
from prefect.client.orchestration import PrefectClient
from prefect.events.clients import PrefectCloudEventSubscriber, PrefectEventSubscriber
from prefect.events.filters import EventFilter

from alerting.plan.drill_events import REQUEST_PREFIX, STATE_TYPE, YES, stack_resource
from alerting.plan.load_events import LOAD_EVENT, Load, pipeline_of_load
from alerting.plan.names import Names
from alerting.plan.published import SETTINGS_BLOCK, PublishedSettings
from alerting.plan.silences import SILENCES_CHANGED_EVENT, Silence
from alerting.plan.verdicts import (
    HEARTBEAT_EVENT,
    SCOPE_LABEL,
    SETTINGS_LABEL,
    TOGETHER_LABEL,
    VerdictKind,
    sentinel_resource,
)
from alerting.sentinel.catching_up import AUTOMATION_TRIGGERED
from alerting.sentinel.events import (
    FLOW_RUN_PREFIX,
    OUTCOMES,
    STATE_TYPE_LABEL,
    Event,
    parent_task_run,
)
from alerting.sentinel.history import Ended
from alerting.sentinel.judging import rules_of
from alerting.sentinel.prefect_events import from_then_on, read_events
from alerting.sentinel.prefect_loads import load_events, recent_loads
from alerting.sentinel.prefect_pipelines import first_known
from alerting.sentinel.prefect_runs import FAILURES, SUCCESSES, PrefectRuns
from alerting.sentinel.standing import EVENTS_KEPT
from alerting.sentinel.workspace import AutomationState, NotDeployedError, Progress, nothing
from alerting.silences.store import read_silences

PING_VARIABLE = "DATA_ALERTS_PING_URL"
"""The environment variable with the URL of a dead-man service. It is as secret as a webhook."""
PING_SECONDS = 5.0
_ON_TIME = ("AwaitingConcurrencySlot", "AwaitingRetry", "Resuming", "Scheduled")
"""States of runs that are to start, beside Late."""


class PrefectWorkspace:
    """The workspace that a Prefect client is connected to."""

    def __init__(self, client: PrefectClient, name_prefix: str | None = None) -> None:
        """Use an open client; `name_prefix` is the stack's, where it has one."""
        self._client = client
        self._block = Names(name_prefix, tag="").block(SETTINGS_BLOCK)
        self._runs = PrefectRuns(client)

    async def published(self) -> PublishedSettings:
        """The stack's settings as deployed. Raises NotDeployedError when there are none."""
        block = await self._settings_block()
        try:
            return PublishedSettings.unpacked(block["data"]["value"])
        except ValueError:
            raise NotDeployedError(
                f"block secret/{self._block} does not fit this version: deploy the stack and run "
                "the sentinel with the same one"
            ) from None

    async def first_known(self, settings: PublishedSettings) -> dict[str, datetime]:
        """Since when each pipeline that is to succeed in time can be expected to, by its name."""
        expected = [p for p in settings.pipelines if p.fresh_within or p.deadline]
        made = await first_known(self._client, expected)
        if all(pipeline.name in made for pipeline in expected):
            return made
        # What is deployed after the stack is expected to run since somebody listed it.
        published = datetime.fromisoformat((await self._settings_block())["updated"])
        return {p.name: published for p in expected} | made

    async def _settings_block(self) -> dict[str, Any]:
        # The client's list of paths leaves parameters out.
        path: Any = f"/block_types/slug/secret/block_documents/name/{self._block}"
        try:
            answer = await self._client.request("GET", path, params={"include_secrets": True})
        except httpx.HTTPStatusError as error:
            if error.response.status_code != httpx.codes.NOT_FOUND:
                raise
            raise NotDeployedError(
                f"block secret/{self._block} is missing: deploy the stack with `pulumi up`, or "
                "name its prefix with --name-prefix"
            ) from None
        block: dict[str, Any] = answer.json()
        return block

    @asynccontextmanager
    async def stream(self, settings: PublishedSettings) -> AsyncGenerator[AsyncIterator[Event]]:
        """The events of runs that end from now on. The server drops some under load."""
        in_cloud = self._client.server_type is ServerType.CLOUD
        kind = PrefectCloudEventSubscriber if in_cloud else PrefectEventSubscriber
        # No reconnection of its own: after each one, what was missed must be asked for.
        async with kind(
            api_url=str(self._client.api_url),
            filter=EventFilter.model_validate(followed(settings)),
            reconnection_attempts=0,
        ) as subscriber:
            yield (event.model_dump(mode="json") async for event in subscriber)

    async def announce(self, events: Sequence[Event]) -> None:
        """Emit events; when this returns, the server has them."""
        await self._client.request("POST", "/events", json=list(events))

    async def announced(
        self,
        settings: PublishedSettings,
        since: datetime,
        kinds: Collection[VerdictKind] = tuple(VerdictKind),
    ) -> list[Event]:
        """The verdicts of these kinds that sentinels of the stack announced since then."""
        asked = {
            "occurred": from_then_on(since),
            "event": {"name": [kind.event for kind in kinds]},
            "resource": {"labels": {SCOPE_LABEL: _scope(settings)}},
        }
        return [event async for event in read_events(self._client, asked)]

    async def judged_until(self, settings: PublishedSettings) -> datetime | None:
        """The time that the stack's last heartbeat names, None when that is not known."""
        asked = {
            "event": {"name": [HEARTBEAT_EVENT]},
            "resource": {"id": [sentinel_resource(_scope(settings))]},
            "order": "DESC",
        }
        async for event in read_events(self._client, asked, page=1):
            return datetime.fromisoformat(event["payload"]["judged_until"])
        return None

    async def followed_before(self, settings: PublishedSettings, time: datetime) -> bool:
        """Whether a sentinel followed these very settings before then, as far as is known."""
        asked = {
            "occurred": {"since": (time - EVENTS_KEPT).isoformat(), "until": time.isoformat()},
            "event": {"name": [HEARTBEAT_EVENT]},
            "resource": {
                "id": [sentinel_resource(_scope(settings))],
                "labels": {SETTINGS_LABEL: settings.digest},
            },
        }
        async for _ in read_events(self._client, asked, page=1):
            return True
        return False

    async def standby_firings(self, settings: PublishedSettings, since: datetime) -> list[Event]:
        """The events that tell that a standby automation fired, since then."""
        names = list(settings.sentinel.standby.values()) if settings.sentinel else []
        asked = {
            "occurred": from_then_on(since),
            "event": {"name": [AUTOMATION_TRIGGERED]},
            "resource": {"labels": {"prefect.resource.name": names}},
        }
        return [event async for event in read_events(self._client, asked)] if names else []

    async def automations(self, names: Sequence[str]) -> dict[str, AutomationState]:
        """Those of the automations that there are, by name."""
        body = {"automations": {"name": {"any_": list(names)}}, "limit": 200}
        answer = await self._client.request("POST", "/automations/filter", json=body)
        return {
            each["name"]: AutomationState(each["enabled"], datetime.fromisoformat(each["created"]))
            for each in answer.json()
        }

    async def ended_since(
        self, settings: PublishedSettings, since: datetime, progress: Progress = nothing
    ) -> list[Ended]:
        """All ends that count since then."""
        return await self._runs.ended_since(settings, since, progress)

    async def failed_since(
        self,
        settings: PublishedSettings,
        between: tuple[datetime, datetime],
        flows: Sequence[str] = (),
        progress: Progress = nothing,
    ) -> list[Ended]:
        """The failures since a time, and the last success until another of pipelines with one."""
        return await self._runs.failed_since(settings, between, flows, progress)

    async def lost_since(
        self,
        settings: PublishedSettings,
        since: datetime,
        troubled: Sequence[str],
        awaited: Sequence[str],
    ) -> list[Ended]:
        """Those ends since then that matter if the stream lost them."""
        return await self._runs.lost_since(settings, since, troubled, awaited)

    async def flows_among(self, names: Sequence[str]) -> frozenset[str]:
        """The names of flows that there are."""
        return await self._runs.flows_among(names)

    async def past(self, settings: PublishedSettings, like: Ended, before: datetime) -> list[Ended]:
        """What led to a pipeline's condition: its last success, and the failures since."""
        return await self._runs.past(settings, like, before)

    async def counts(self, settings: PublishedSettings, event: Event, ended: Ended) -> bool:
        """Whether a run's end counts: a subflow's does not where its parent speaks for it."""
        parent = parent_task_run(event)
        if parent is None or settings.pipeline_of(ended.flow, ended.deployment):
            return True
        return not await self._runs.parent_alerts(parent, settings.tag)

    async def silences(self, settings: PublishedSettings) -> list[Silence]:
        """The silences that people have added."""
        return await read_silences(self._client, _scope(settings))

    async def had_storm(self, settings: PublishedSettings) -> bool:
        """Whether an incident for several pipelines together was opened, as far as is known."""
        rules = rules_of(settings)
        asked = {
            "event": {"name": [kind.event for kind in rules.pages]},
            "resource": {"labels": {SCOPE_LABEL: rules.scope, TOGETHER_LABEL: YES}},
            "order": "DESC",
        }
        if not rules.pages:
            return False
        async for _ in read_events(self._client, asked, page=1):
            return True
        return False

    async def late(
        self, settings: PublishedSettings, since: datetime
    ) -> list[tuple[Ended, datetime]]:
        """Runs that should have started since then and are late, and since when they are."""
        return await self._runs.late(settings, since)

    async def running(
        self, settings: PublishedSettings, flows: Sequence[str], before: datetime
    ) -> list[Ended]:
        """Runs of these flows that began before then and have not ended; `at` is the beginning."""
        return await self._runs.running(settings, flows, before)

    async def counts_between(
        self, settings: PublishedSettings, since: datetime, until: datetime
    ) -> tuple[int, int]:
        """How many runs completed and failed in a time."""
        between = (since, until)
        completed = await self._runs.count(settings, SUCCESSES, between)
        return completed, await self._runs.count(settings, FAILURES, between)

    async def load_events(
        self,
        settings: PublishedSettings,
        since: datetime,
        about: Sequence[str],
        *,
        most: int | None = None,
        progress: Progress = nothing,
    ) -> list[Event]:
        """The events by which flows told of their loads since then, the latest of them if many."""
        return await load_events(self._client, settings, since, about, most=most, progress=progress)

    async def recent_loads(self, settings: PublishedSettings, load: Load) -> list[Load]:
        """The loads of the same pipeline before one, the latest first."""
        about = pipeline_of_load(load, settings)
        return await recent_loads(self._client, settings, about, load.at)

    async def ping(self) -> None:
        """Ask for the URL of a dead-man service, where the environment names one."""
        url = os.environ.get(PING_VARIABLE)
        if url:
            async with httpx.AsyncClient(timeout=PING_SECONDS) as outside:
                (await outside.get(url)).raise_for_status()


def followed(settings: PublishedSettings) -> dict[str, Any]:
    """A filter for what the sentinel hears of.

    Runs with the stack's tag that end or are late, their loads, the requests of its drills, and
    changes of its silences. All come in one stream, since it is the stream that a drill tries. Each
    entry lets all of them through, and nothing else has all three.
    """
    return {
        "event": {
            "prefix": [FLOW_RUN_PREFIX, REQUEST_PREFIX, LOAD_EVENT, SILENCES_CHANGED_EVENT],
            "exclude_name": [f"{FLOW_RUN_PREFIX}{state}" for state in _ON_TIME],
        },
        "resource": {"labels": {STATE_TYPE_LABEL: [*sorted(OUTCOMES), "SCHEDULED", STATE_TYPE]}},
        "related": {"id": [f"prefect.tag.{settings.tag}", stack_resource(_scope(settings))]},
    }


def _scope(settings: PublishedSettings) -> str:
    if settings.sentinel is None:
        raise NotDeployedError(
            "this stack is judged by triggers: set data-alerts:evaluation: sentinel and deploy it"
        )
    return settings.sentinel.scope
