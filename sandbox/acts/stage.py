"""Where acts are played: a deployed stack, runs that end as told, and what arrives."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from prefect.client.orchestration import PrefectClient

from alerting.plan.load_events import LOAD_EVENT, Rows, load_labels, load_payload
from alerting.plan.published import PublishedSettings
from alerting.plan.triggers import HEARTBEAT
from alerting.plan.verdicts import VerdictKind
from alerting.sentinel.events import Event
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from sandbox.capture.incidents import Incident, incidents
from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.drill.pipelines import wait_for
from sandbox.drill.settling import settle, wait_for_sentinel
from sandbox.pictures import slug, take_pictures
from sandbox.prefect_client import client_of
from sandbox.runs import Runs, RunState
from sandbox.services import start_sentinel
from sandbox.soak.sentinel import end_sentinels
from sandbox.stack import SandboxStack
from sandbox.state import SandboxError, SandboxState

SECONDS = 60.0


class ActError(Exception):
    """An act did not end as it must; the text says how."""


@dataclass
class Stage:
    """A stack that a sentinel follows. What arrived before the act does not count."""

    state: SandboxState
    stack: SandboxStack
    client: PrefectClient
    runs: Runs
    timed: bool = False
    """Whether what takes too long is wrong. A test says nothing of time."""
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def published(self) -> PublishedSettings:
        """What the sentinel follows."""
        return self.stack.plan.published

    async def begin(self) -> None:
        """Count from now, once the server and the sentinel have taken up the deployment."""
        await settle(self.client)
        await wait_for_sentinel(self.client, self.published)
        workspace = PrefectWorkspace(self.client)
        began = datetime.now(UTC)

        async def has_caught_up() -> bool | None:
            judged = await workspace.judged_until(self.published)
            return True if judged and judged > began else None

        await wait_for(has_caught_up, SECONDS, "the sentinel's catching up")
        self.since = datetime.now(UTC)

    async def end(self, flow: str, *states: str, message: str = "the warehouse is asleep") -> None:
        """Runs of a flow that end one after another."""
        for state in states:
            await self.runs.end(flow, state, message)

    async def ended(self, flow: str, state: str, message: str) -> RunState:
        """A run that ends, and when it did."""
        return await self.runs.end(flow, state, message)

    async def load(self, flow: str, rows: int) -> None:
        """A flow tells how many rows it has loaded."""
        payload = load_payload(Rows(total=rows), flow=flow, pipeline=None)
        await self._emit(LOAD_EVENT, load_labels(flow), payload=payload)

    async def heartbeat(self, flow: str, run: UUID) -> None:
        """A run says that it is alive, as Prefect's flow engine does."""
        found = await self.client.read_flow_run(run)
        of_run = {
            "prefect.resource.id": f"prefect.flow-run.{run}",
            "prefect.resource.name": found.name,
        }
        of_flow = {
            "prefect.resource.id": f"prefect.flow.{found.flow_id}",
            "prefect.resource.role": "flow",
            "prefect.resource.name": flow,
        }
        await self._emit(HEARTBEAT, of_run, of_flow)

    async def _emit(
        self,
        name: str,
        resource: Mapping[str, str],
        *related: Mapping[str, str],
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Send an event of something with the stack's tag."""
        tag = {
            "prefect.resource.id": f"prefect.tag.{self.published.tag}",
            "prefect.resource.role": "tag",
        }
        event = {
            "id": str(uuid4()),
            "occurred": datetime.now(UTC).isoformat(),
            "event": name,
            "resource": resource,
            "related": [*related, tag],
            "payload": payload or {},
        }
        await self.client.request("POST", "/events", json=[event])

    async def restart_sentinel(self) -> None:
        """Kill the sentinel and start another."""
        end_sentinels(self.state.folder)
        start_sentinel(self.state.folder, self.state.prefect_api_url)
        await wait_for_sentinel(self.client, self.published)

    def messages(self, channel: str | None = None, title: str = "") -> list[CapturedMessage]:
        """What arrived, in one channel or anywhere, with this in the title."""
        return [
            message
            for message in read_messages(self.state.folder)
            if message.received_at >= self.since
            and channel in (None, message.channel)
            and title in message.title
        ]

    def titles(self, channel: str, about: str) -> list[str]:
        """What arrived in a channel about something, in order."""
        return [message.title.strip() for message in self.messages(channel, about)]

    def incidents(self, channel: str) -> list[Incident]:
        """The incidents of a channel."""
        return [each for each in incidents(self.messages()) if each.channel == channel]

    async def arrived(
        self, title: str, channel: str | None = None, count: int = 1, seconds: float = SECONDS
    ) -> CapturedMessage:
        """Wait for so many messages. Raises ActError when they do not come in time."""

        async def look() -> CapturedMessage | None:
            found = self.messages(channel, title)
            return found[-1] if len(found) >= count else None

        try:
            return await wait_for(look, seconds, f"{count} x {title!r} in {channel or 'a channel'}")
        except SandboxError as error:
            there = "; ".join(f"{m.channel}: {m.title.strip()}" for m in self.messages())
            raise ActError(f"{error}. There is: {there or 'nothing'}") from None

    async def told_of(self, kind: VerdictKind) -> set[str]:
        """The pipelines that were told of in announcements of a kind, alone or in lists."""
        events = await PrefectWorkspace(self.client).announced(self.published, self.since)
        runs = [run for each in events if each["event"] == kind.event for run in _runs(each)]
        return {run["pipeline"] for run in runs}

    async def settled(self) -> None:
        """Wait until the server has acted on all that it was told of."""
        await settle(self.client)


def _runs(announcement: Event) -> Sequence[Mapping[str, Any]]:
    payload: Mapping[str, Any] = announcement["payload"]
    return payload.get("members") or [payload]


def need(condition: bool, what: str) -> None:
    """Raise ActError with what is wrong, unless it is right."""
    if not condition:
        raise ActError(what)


def same(found: Sequence[object], expected: Sequence[object], what: str) -> None:
    """Raise ActError unless two lists are equal."""
    need(list(found) == list(expected), f"{what}: expected {list(expected)}, found {list(found)}")


Play = Callable[[Stage], Awaitable[None]]
Configure = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Picture:
    """A message worth a picture: the newest of a channel with this in its title."""

    channel: str
    title: str

    @property
    def file_name(self) -> str:
        """Its file among the pictures."""
        return f"{slug(f'{self.channel} {self.title}')}.png"


@dataclass(frozen=True)
class Act:
    """Something that is promised, and how it is seen."""

    name: str
    play: Play
    shows: tuple[Picture, ...] = ()


@dataclass(frozen=True)
class Performance:
    """Acts on one deployment."""

    name: str
    configure: Configure
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Result:
    """How an act ended."""

    act: str
    seconds: float
    problem: str | None


async def perform(
    state: SandboxState,
    stack: SandboxStack,
    acts: Sequence[Act],
    *,
    timed: bool = False,
    gallery: Path | None = None,
) -> list[Result]:
    """Play acts on a stack that is deployed, one after another, with a sentinel of their own.

    Into `gallery` goes a picture of each message that an act shows.
    """
    end_sentinels(state.folder)
    start_sentinel(state.folder, state.prefect_api_url)
    results = []
    with _no_proxy():
        async with client_of(state.prefect_api_url) as client:
            stage = Stage(state, stack, client, Runs(client, stack.settings.tag), timed)
            for act in acts:
                await stage.begin()
                start = time.monotonic()
                problem = None
                try:
                    await act.play(stage)
                except ActError as error:
                    problem = str(error)
                results.append(Result(act.name, time.monotonic() - start, problem))
                if gallery and act.shows and not problem:
                    # Playwright's loop would be a second one in this thread.
                    await asyncio.to_thread(_take_pictures, stage, act, gallery)
    return results


def _take_pictures(stage: Stage, act: Act, gallery: Path) -> None:
    gallery.mkdir(parents=True, exist_ok=True)
    newest = {shown: stage.messages(shown.channel, shown.title)[-1] for shown in act.shows}
    files = {gallery / shown.file_name: message.id for shown, message in newest.items()}
    take_pictures(stage.state.page_url, files)


@contextmanager
def _no_proxy() -> Iterator[None]:
    before = os.environ.get("NO_PROXY")
    os.environ["NO_PROXY"] = "127.0.0.1,localhost"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("NO_PROXY")
        else:
            os.environ["NO_PROXY"] = before
