"""Scenarios marked `live: true`, on a live server with live sentinels, against their simulation.

Each has a stack of its own, told apart by its tag and prefix, so that several play side by side.
"""

import asyncio
from collections import Counter
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from uuid import UUID

import pytest
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import BlockDocumentCreate

from alerting.plan import Plan, Tier, build_plan
from alerting.plan.documents import automation_document
from alerting.plan.published import PublishedSettings
from alerting.scenarios.files import scenario_files
from alerting.scenarios.isolation import fresh_settings
from alerting.scenarios.parsing import read_scenarios
from alerting.scenarios.playing import Player, run_events
from alerting.scenarios.timeline import RunStep, Scenario
from alerting.sentinel.prefect_workspace import PrefectWorkspace
from alerting.sentinel.service import Sentinel
from alerting.settings.stackfile import read_stack_file
from sandbox.capture.channels import register_channels
from sandbox.capture.messages import read_messages
from sandbox.drill.pipelines import wait_for
from sandbox.drill.settling import settle
from sandbox.lifecycle import passing_sandbox
from sandbox.prefect_client import client_of
from sandbox.runs import Runs
from sandbox.state import SandboxError, SandboxState

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]
SECONDS_PER_MINUTE = 1.5
AT_ONCE = 8
LATEST = timedelta(seconds=SECONDS_PER_MINUTE)
"""What a busy machine played later than this may have become another scenario: where it differs it
is played again."""
ROUNDS = 3
ARRIVAL_SECONDS = 60.0
LEAST = 20
UNPLAYED = {Tier.ALERTING, Tier.DRILL}


def scaled(time: timedelta) -> timedelta:
    return time * (SECONDS_PER_MINUTE / 60)


@dataclass(frozen=True)
class Play:
    """A scenario and the stack that plays it."""

    scenario: Scenario
    number: int

    @property
    def again(self) -> "Play":
        """The same, apart from what it left behind."""
        return Play(self.scenario, self.number + 100)

    @cached_property
    def plan(self) -> Plan:
        """The scenario's stack, under a tag and prefix of its own."""
        found = read_stack_file(ROOT / f"Pulumi.{self.scenario.heading.stack}.yaml")
        own = {"tag": f"live{self.number}", "name_prefix": f"live{self.number}"}
        return build_plan(found.settings.model_copy(update=own), found.stack)

    @cached_property
    def published(self) -> PublishedSettings:
        """What its sentinel follows: escalation steps as fast as the scenario is played.

        Its minutes pass in seconds, so what fails within one of ours is told one by one.
        """
        published = self.plan.published
        if published.sentinel is None:
            raise AssertionError("live scenarios are the sentinel's")
        steps = tuple(
            step.model_copy(update={"after": scaled(step.after)})
            for step in published.sentinel.steps
        )
        rules = published.sentinel.model_copy(update={"steps": steps, "individually": 1000})
        return published.model_copy(update={"sentinel": rules})

    def secret(self, channel: str) -> str:
        """What tells its channels from those of others."""
        letters = channel.replace("-", "").upper()  # an address with others is not sent to
        return f"https://hooks.slack.com/services/T00000000/B{self.number:08}/FAKE{letters}"

    def channel(self, channel: str) -> str:
        """The name under which the capture knows its channel."""
        return f"{self.number}/{channel}"

    @cached_property
    def channels(self) -> frozenset[str]:
        """All that it can tell."""
        return frozenset(self.channel_of.values())

    @cached_property
    def channel_of(self) -> dict[str, str]:
        """The channels by the keys of the blocks that messages go through."""
        rules = self.plan.automations
        return {n.block: n.channel for rule in rules for n in rule.notifications}


class ScaledWorkspace(PrefectWorkspace):
    """The workspace, with a stack that was not deployed by the engine."""

    def __init__(self, client: PrefectClient, settings: PublishedSettings) -> None:
        super().__init__(client)
        self._settings = settings

    async def published(self) -> PublishedSettings:
        return self._settings

    async def first_known(self, settings: PublishedSettings) -> dict[str, datetime]:
        del settings  # none of which is published
        return {}


class StoppingClock:
    """The time, until it is stopped: what a scenario ends before does not become due."""

    _stopped: datetime | None = None

    def now(self) -> datetime:
        return self._stopped or datetime.now(UTC)

    def stop(self) -> None:
        self._stopped = self.now()


def live_plays() -> list[Play]:
    found = [
        scenario
        for file in scenario_files([ROOT / "scenarios"])
        for scenario in read_scenarios(file)
        if scenario.heading.live
    ]
    return [Play(scenario, number) for number, scenario in enumerate(found, start=10)]


def simulated(plays: Sequence[Play]) -> dict[int, Counter[tuple[str, str]]]:
    with Player(fresh_settings()) as player:
        outcomes = {play.number: player.play(play.scenario, play.plan) for play in plays}
    for outcome in outcomes.values():
        assert outcome.passed, list(outcome.diff())
    return {
        number: Counter(
            (message.channel, message.subject.strip())
            for told in outcome.sent
            for message in told.messages
        )
        for number, outcome in outcomes.items()
    }


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[SandboxState]:
    """A sandbox of its own, which goes in a second: its hundreds of automations take a minute."""
    with passing_sandbox(tmp_path / "sandbox") as state:
        yield state


def test_live_and_simulated_outcomes_agree_on_every_live_scenario(sandbox: SandboxState) -> None:
    plays = live_plays()
    assert len(plays) >= LEAST
    outcomes = simulated(plays)
    for _ in range(ROUNDS):
        stage = _Stage(sandbox, plays, outcomes)
        told = asyncio.run(stage.play())
        differing = [play for play in plays if told[play.number] != outcomes[play.number]]
        if not {play.number for play in differing} <= stage.late:
            break
        outcomes = {play.again.number: outcomes[play.number] for play in differing}
        plays = [play.again for play in differing]
        if not plays:
            return
    differences = {
        play.scenario.name: {
            "live": told[play.number] - stage.expected[play.number],
            "simulated": stage.expected[play.number] - told[play.number],
        }
        for play in differing
    }
    assert differences == {}


@dataclass
class _Stage:
    sandbox: SandboxState
    plays: Sequence[Play]
    expected: dict[int, Counter[tuple[str, str]]]
    late: set[int] = field(default_factory=set)
    """What was not played as fast as it should have been."""

    async def play(self) -> dict[int, Counter[tuple[str, str]]]:
        since = datetime.now(UTC)
        register_channels(
            self.sandbox.folder,
            {p.secret(channel): p.channel(channel) for p in self.plays for channel in p.channels},
        )
        api = self.sandbox.prefect_api_url
        async with client_of(api) as client:
            await self._perform_all(client, since)
        return self._told(since)

    async def _perform_all(self, client: PrefectClient, since: datetime) -> None:
        for play in self.plays:
            await self._deploy(client, play)
        await settle(client)
        clocks = {play.number: StoppingClock() for play in self.plays}
        sentinels = [
            asyncio.create_task(
                Sentinel(
                    ScaledWorkspace(client, play.published), clock=clocks[play.number].now
                ).run()
            )
            for play in self.plays
        ]
        try:
            places = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as beside:
                for play in sorted(self.plays, key=_length, reverse=True):
                    work = self._perform(client, play, clocks[play.number])
                    beside.create_task(_in_turn(places, work))
            await self._arrivals(since)
            await settle(client)  # what should not be told would be by now
        finally:
            for sentinel in sentinels:
                sentinel.cancel()
            await asyncio.gather(*sentinels, return_exceptions=True)

    async def _perform(self, client: PrefectClient, play: Play, clock: "StoppingClock") -> None:
        await self._heard(client, play)
        await self._play(client, play)
        clock.stop()

    async def _deploy(self, client: PrefectClient, play: Play) -> None:
        """What the program would deploy, but for what no scenario here is about."""
        made = {channel: await _block(client, play, channel) for channel in play.channels}
        blocks = {block: str(made[channel]) for block, channel in play.channel_of.items()}
        for rule in play.plan.automations:
            if not rule.standby and rule.tier not in UNPLAYED:
                document = automation_document(rule, blocks, {})
                await client.request("POST", "/automations/", json=document)

    async def _heard(self, client: PrefectClient, play: Play) -> None:
        workspace = PrefectWorkspace(client)

        async def heard() -> datetime | None:
            return await workspace.judged_until(play.published)

        await wait_for(heard, ARRIVAL_SECONDS, f"the sentinel of {play.scenario.name}")

    async def _play(self, client: PrefectClient, play: Play) -> None:
        runs = Runs(client, play.plan.published.tag)
        known: dict[str, UUID] = {}
        events = dict(run_events(play.scenario, play.plan.published.tag))
        start: datetime | None = None
        for position, step in enumerate(play.scenario.timeline):
            if start:
                wait = start + scaled(step.at) - datetime.now(UTC)
                await asyncio.sleep(max(wait.total_seconds(), 0))
            if isinstance(step, RunStep):
                event = events[position]
                if event.run not in known:
                    known[event.run] = await runs.start(step.flow, event.deployment)
                state = await runs.set(known[event.run], step.state, step.message)
                start = start or state.at - scaled(step.at)
            if start and datetime.now(UTC) - start - scaled(step.at) > LATEST:
                self.late.add(play.number)

    async def _arrivals(self, since: datetime) -> None:
        async def all_arrived() -> bool | None:
            told = self._told(since)
            missing = [n for n, wanted in self.expected.items() if wanted - told[n]]
            return None if missing else True

        with suppress(SandboxError):  # the comparison says what is missing
            await wait_for(all_arrived, ARRIVAL_SECONDS, "the arrival of all messages")

    def _told(self, since: datetime) -> dict[int, Counter[tuple[str, str]]]:
        told: dict[int, Counter[tuple[str, str]]] = {play.number: Counter() for play in self.plays}
        for message in read_messages(self.sandbox.folder):
            number, _, channel = message.channel.partition("/")
            if message.received_at >= since and number.isdigit():
                told[int(number)][channel, message.title.strip()] += 1
        return told


def _length(play: Play) -> timedelta:
    return play.scenario.timeline[-1].at


async def _in_turn(places: asyncio.Semaphore, work: Coroutine[None, None, None]) -> None:
    async with places:
        await work


async def _block(client: PrefectClient, play: Play, channel: str) -> UUID:
    kind = await client.read_block_type_by_slug("slack-webhook")
    schema = await client.get_most_recent_block_schema_for_block_type(kind.id)
    if schema is None:
        raise AssertionError("the server registers this type by itself")
    block = BlockDocumentCreate(
        name=f"live{play.number}-{channel}",
        block_type_id=kind.id,
        block_schema_id=schema.id,
        data={"url": play.secret(channel)},
    )
    return (await client.create_block_document(block)).id
