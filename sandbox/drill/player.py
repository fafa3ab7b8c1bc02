"""Plays a drill: deploys with short escalations, runs the lanes, waits, judges."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pulumi.automation import CommandError

from alerting.settings.durations import format_duration
from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.drill.judge import Played, Verdict, judge, missing
from sandbox.drill.pipelines import DrillPipelines, suffix_of_next_drill, wait_for
from sandbox.drill.scenarios import (
    BETWEEN_ESCALATIONS,
    FIRST_ESCALATION,
    Expected,
    Scenario,
    ScenarioBuilder,
)
from sandbox.drill.settling import settle, wait_for_sentinel
from sandbox.engine import command_for_runs
from sandbox.prefect_client import client_of
from sandbox.stack import SandboxStack
from sandbox.state import SandboxError, SandboxState

Say = Callable[[str], object]
# Prefect looks for silent triggers every 5 s; the rest is for a busy machine.
ARRIVAL_SECONDS = 20.0


def play_drill(state: SandboxState, say: Say, *, restore: bool = True) -> Verdict:
    """Run every scenario and compare what arrived with what should have.

    The stack is deployed with an escalation of seconds for the drill. After it that is restored,
    unless the sandbox goes with the drill.

    Raises:
        SandboxError: when a run does not end or the server does not keep up.
    """
    suffix = asyncio.run(_next_suffix(state))
    stack = SandboxStack(state, configure=partial(_configure, suffix))
    say("deploying with an escalation of seconds")
    # A drill that was killed leaves the stack locked, and a sandbox has one owner.
    with suppress(CommandError):
        stack.stack.cancel()
    say(stack.up_timed())
    try:
        return asyncio.run(_Drill(state, stack, suffix, say).play())
    finally:
        if restore:
            say("restoring the escalation")
            SandboxStack(state).up()


def _configure(suffix: str, config: dict[str, Any]) -> None:
    steps = config.get("data-alerts:escalation", [])
    for index, step in enumerate(steps):
        step["after"] = format_duration(FIRST_ESCALATION + index * BETWEEN_ESCALATIONS)
    for name, pipeline in config.get("data-alerts:pipelines", {}).items():
        pipeline["flow"] = pipeline.get("flow", name) + suffix


async def _next_suffix(state: SandboxState) -> str:
    async with client_of(state.prefect_api_url) as client:
        settings = SandboxStack(state).settings
        flows = {settings.flow_of(key) for key in settings.pipelines}
        return await suffix_of_next_drill(client, sorted(flows))


class _Drill:
    def __init__(self, state: SandboxState, stack: SandboxStack, suffix: str, say: Say) -> None:
        self._state = state
        self._say = say
        self._settings = stack.settings
        self._published = stack.plan.published
        self._lanes = ScenarioBuilder(stack.settings, stack.plan, suffix).lanes()
        self._start = datetime.now(UTC)
        self._turn = asyncio.Lock()

    async def play(self) -> Verdict:
        runs = [run for lane in self._lanes for scenario in lane for run in scenario.runs]
        async with client_of(self._state.prefect_api_url) as client:
            command = command_for_runs(self._state.folder)
            pipelines = await DrillPipelines.deploy(client, runs, self._settings.tag, command)
            await settle(client)
            await wait_for_sentinel(client, self._published)
            lanes = (self._play_lane(lane, pipelines) for lane in self._lanes)
            try:
                played = await asyncio.gather(*lanes)
            finally:
                await pipelines.remove_late()
            await settle(client)
        return judge([each for lane in played for each in lane], self._messages())

    async def _play_lane(
        self, lane: tuple[Scenario, ...], pipelines: DrillPipelines
    ) -> list[Played]:
        return [await self._play(scenario, pipelines) for scenario in lane]

    async def _play(self, scenario: Scenario, pipelines: DrillPipelines) -> Played:
        ended: list[datetime] = []
        for step in scenario.steps:
            # One run at a time, and what it sends: on a machine as busy as a sandbox's, its
            # messages would wait for those of the next. What is due later is waited for beside.
            async with self._turn if scenario.attended else nullcontext():
                self._say(f"{scenario.name}: {', '.join(run.target.flow for run in step)}")
                for run in step:
                    ended.append(await pipelines.run(run))
                    last = len(ended) - 1
                    await self._arrival(
                        scenario, [e for e in scenario.expected if e.run == last and not e.due]
                    )
            await self._arrival(scenario, [e for e in scenario.expected if e.run < len(ended)])
        return Played(scenario, tuple(ended))

    async def _arrival(self, scenario: Scenario, expected: Sequence[Expected]) -> None:
        """Wait for what is expected by now. What stays away is for the judge to say."""
        longest = max((e.due.total_seconds() for e in expected), default=0.0)

        async def all_arrived() -> bool | None:
            return None if missing(expected, self._messages()) else True

        try:
            await wait_for(all_arrived, longest + ARRIVAL_SECONDS, "an arrival")
        except SandboxError:
            self._say(f"{scenario.name}: something did not arrive")

    def _messages(self) -> list[CapturedMessage]:
        return [m for m in read_messages(self._state.folder) if m.received_at >= self._start]
