"""Kills the sentinel again and again while runs end, and counts what was told.

Every verdict that is due must have been acted on exactly once, wherever a kill fell.
"""

import asyncio
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import psutil
from prefect.client.orchestration import PrefectClient

from alerting.plan.delivery import Delivery
from alerting.plan.occasions import occasions
from alerting.plan.published import PublishedSettings
from alerting.sentinel.events import Event
from alerting.sentinel.gate import let_through
from alerting.sentinel.history import Ended
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from sandbox.capture.messages import read_messages
from sandbox.drill.pipelines import wait_for
from sandbox.drill.settling import settle, wait_for_sentinel
from sandbox.prefect_client import client_of
from sandbox.processes import Service, processes_of
from sandbox.runs import Runs
from sandbox.services import start_sentinel
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState

Say = Callable[[str], object]
STRANGERS = ("soak-a", "soak-b", "soak-c", "soak-d")
OUTCOMES = ("Failed", "Crashed", "TimedOut", "Completed", "Completed", "Cancelled", "AwaitingRetry")
BETWEEN_RUNS = 0.25
SHORTEST_LIFE, LONGEST_LIFE = 0.8, 5.0
LAST_SECONDS = 120.0
START_SECONDS = 60.0


@dataclass(frozen=True)
class SoakReport:
    """What a soak found. All but `kills` and `due` are zero where nothing is wrong."""

    kills: int
    seed: int
    due: int
    lost: int
    false: int
    doubled: int
    messages_missing: int
    """Messages that should have arrived besides those that did; negative when too many did."""

    @property
    def passed(self) -> bool:
        """Whether every verdict was acted on once."""
        return not (self.lost or self.false or self.doubled or self.messages_missing)

    def __str__(self) -> str:
        """One line."""
        return (
            f"{self.kills} kills, seed {self.seed}: {self.due} verdicts due, {self.lost} lost, "
            f"{self.false} false, {self.doubled} doubled, "
            f"{self.messages_missing} messages missing"
        )


def soak(stack: SandboxStack, state: SandboxState, kills: int, seed: int, say: Say) -> SoakReport:
    """Soak the sentinel of a stack that is deployed. A sentinel is left running."""
    return asyncio.run(_Soak(stack, state, seed, say).run(kills))


def end_sentinels(folder: Path) -> None:
    """Kill the sentinels of a sandbox, as a machine that fails would."""
    for pid in processes_of(folder):
        try:
            process = psutil.Process(pid)
            if "sentinel" in process.cmdline():
                process.kill()
                process.wait(10)
        except psutil.NoSuchProcess:
            continue


@dataclass
class _Soak:
    stack: SandboxStack
    state: SandboxState
    seed: int
    say: Say
    ended: list[Ended] = field(default_factory=list)

    async def run(self, kills: int) -> SoakReport:
        chance = random.Random(self.seed)  # noqa: S311 - to be played again, not to be secret
        settings = self.stack.plan.published
        async with client_of(self.state.prefect_api_url) as client:
            runs = Runs(client, settings.tag)
            await wait_for_sentinel(client, settings)
            # What ran before the soak is over with a success of each flow.
            for flow, deployment in self._flows():
                await self._end(runs, flow, deployment, "Completed")
            await settle(client)
            start = datetime.now(UTC)
            enough = asyncio.Event()
            async with asyncio.TaskGroup() as beside:
                beside.create_task(self._play(runs, chance, enough))
                await self._kill(kills, chance)
                # Not cancelled: a run that is made is counted, or its verdict looks false.
                enough.set()
            self.say(f"{len(self.ended)} runs ended; waiting for what is still to be told")
            start_sentinel(self.state.folder, self.state.prefect_api_url)
            workspace = PrefectWorkspace(client)
            return await self._count(client, workspace, settings, start, kills)

    def _flows(self) -> list[tuple[str, str | None]]:
        settings = self.stack.settings
        listed = [(settings.flow_of(key), p.deployment) for key, p in settings.pipelines.items()]
        return [*listed, *((name, None) for name in STRANGERS)]

    async def _play(self, runs: Runs, chance: random.Random, enough: asyncio.Event) -> None:
        while not enough.is_set():
            flow, deployment = chance.choice(self._flows())
            await self._end(runs, flow, deployment, chance.choice(OUTCOMES))
            await asyncio.sleep(BETWEEN_RUNS)

    async def _end(self, runs: Runs, flow: str, deployment: str | None, name: str) -> None:
        state = await runs.end(flow, name, "a soak", deployment)
        if name not in {"Cancelled", "AwaitingRetry"}:
            self.ended.append(
                Ended(
                    at=state.at,
                    state_id=state.state_id,
                    run_id=state.run_id,
                    run="",
                    flow=flow,
                    failed=name != "Completed",
                    deployment=deployment,
                )
            )

    async def _kill(self, kills: int, chance: random.Random) -> None:
        for number in range(1, kills + 1):
            end_sentinels(self.state.folder)
            service = start_sentinel(self.state.folder, self.state.prefect_api_url)
            if number % 2:
                # Half of the lives get as far as to follow; the others may end while catching up.
                await wait_for(partial(_following, service), START_SECONDS, "the sentinel's start")
                await asyncio.sleep(chance.uniform(0, LONGEST_LIFE / 2))
            else:
                await asyncio.sleep(chance.uniform(SHORTEST_LIFE, LONGEST_LIFE))
            service.process.send_signal(signal.SIGKILL)
            service.process.wait()
            if number % 10 == 0:
                self.say(f"{number} of {kills} kills, {len(self.ended)} runs ended")

    async def _count(
        self,
        client: PrefectClient,
        workspace: PrefectWorkspace,
        settings: PublishedSettings,
        start: datetime,
        kills: int,
    ) -> SoakReport:
        told_by_now = let_through(self.ended, settings, datetime.now(UTC))
        due = {verdict.id: verdict for verdict in told_by_now if verdict.at >= start}

        async def all_announced() -> bool | None:
            events = await workspace.announced(settings, start)
            return True if due.keys() <= {UUID(event["id"]) for event in events} else None

        try:
            await wait_for(all_announced, LAST_SECONDS, "the last announcement")
        except Exception as error:  # noqa: BLE001 - the count says what is missing
            self.say(str(error))
        await settle(client)
        events = await workspace.announced(settings, start)
        announced = {UUID(event["id"]) for event in events}
        for event in events:
            if UUID(event["id"]) not in due:
                self.say(f"false: {_described(event)}")
        for verdict in due.values():
            if verdict.id not in announced:
                self.say(f"lost: {verdict.kind} of {verdict.ended.flow} at {verdict.at}")
        acted = await _acted(client, start)
        delivery = Delivery(self.stack.settings)
        told = Counter(
            {
                (kind, occasion.label): len(delivery.reached(occasion.notify))
                for occasion in occasions(self.stack.settings)
                for kind in occasion.kinds
            }
        )
        wanted = sum(told[each.kind, each.step] for each in due.values())
        arrived = [m for m in read_messages(self.state.folder) if m.received_at >= start]
        return SoakReport(
            kills=kills,
            seed=self.seed,
            due=len(due),
            lost=len(due.keys() - announced),
            false=len(announced - due.keys()),
            doubled=sum(acted[found] > 1 for found in due),
            messages_missing=wanted - len(arrived),
        )


async def _following(service: Service) -> bool | None:
    return True if "following" in service.log_tail() else None


async def _acted(client: PrefectClient, since: datetime) -> Counter[UUID]:
    """How often the server acted on each event."""
    asked = {
        "occurred": {"since": since.isoformat()},
        "event": {"name": ["prefect.automation.triggered"]},
        "order": "ASC",
    }
    found: Counter[UUID] = Counter()
    answer = (
        await client.request("POST", "/events/filter", json={"filter": asked, "limit": 50})
    ).json()
    while True:
        for event in answer["events"]:
            triggering = event["payload"].get("triggering_event")
            if triggering:
                found[UUID(triggering["id"])] += 1
        if not answer["next_page"]:
            return found
        answer = (await client.request("GET", answer["next_page"])).json()


def _described(event: Event) -> str:
    about, members = event["resource"]["prefect.resource.name"], event["payload"].get("members", ())
    of = f", a list of {len(members)}" if members else f", of {event['payload']['at']}"
    return f"{event['event']} of {about}{of}, told at {event['occurred']}"
