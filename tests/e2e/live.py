"""A stack with a sentinel that follows it, and runs that end in it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

import psutil
from prefect.client.orchestration import PrefectClient

from sandbox.capture.messages import CapturedMessage, read_messages
from sandbox.drill.pipelines import wait_for
from sandbox.drill.settling import settle, wait_for_sentinel
from sandbox.prefect_client import client_of
from sandbox.processes import Service, processes_of
from sandbox.runs import Runs
from sandbox.services import start_sentinel
from sandbox.soak.sentinel import end_sentinels
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState

SECONDS = 60.0
Answer = TypeVar("Answer")


@dataclass
class Live:
    """The stack, deployed. Messages count from the last `begin` on."""

    state: SandboxState
    stack: SandboxStack
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def begin(self) -> None:
        """Wait until all is loaded and told, and count from now."""
        self._ask(self._settled)
        self.since = datetime.now(UTC)

    def start_sentinel(self, api_url: str | None = None) -> Service:
        """Start a sentinel; nothing is waited for."""
        return start_sentinel(self.state.folder, api_url or self.state.prefect_api_url)

    def kill_sentinel(self) -> None:
        """Kill every sentinel of the sandbox."""
        end_sentinels(self.state.folder)

    def end(self, *runs: tuple[str, ...]) -> None:
        """Runs that end one after another: flow, state, and deployment if any."""

        async def end(client: PrefectClient) -> None:
            made = Runs(client, self.stack.settings.tag)
            for flow, state, *deployment in runs:
                await made.end(flow, state, "the warehouse is asleep", *deployment)

        self._ask(end)

    def settle(self) -> None:
        """Wait until the server has acted on all that it was told of."""
        self._ask(settle)

    def messages(self) -> list[CapturedMessage]:
        """What arrived."""
        return [m for m in read_messages(self.state.folder) if m.received_at >= self.since]

    def titles(self, channel: str) -> list[str]:
        """What arrived in a channel, as it came."""
        return [m.title.strip() for m in self.messages() if m.channel == channel]

    def wait_for(self, title: str, count: int = 1, seconds: float = SECONDS) -> CapturedMessage:
        """The message whose title contains this, when so many have arrived."""

        async def look() -> CapturedMessage | None:
            found = [m for m in self.messages() if title in m.title]
            return found[-1] if len(found) >= count else None

        return asyncio.run(wait_for(look, seconds, f"{count} x {title!r}: {self._all_titles()}"))

    def wait_until_followed(self) -> None:
        """Wait until a sentinel says that it follows these settings."""
        settings = self.stack.plan.published
        self._ask(lambda client: wait_for_sentinel(client, settings))

    def wait_for_log(self, service: Service, text: str) -> None:
        """Wait until a process has logged a text."""

        async def look() -> bool | None:
            return True if text in service.log_tail() else None

        asyncio.run(wait_for(look, SECONDS, f"{text!r} in the log of {service.name}"))

    def wait_for_standby(self, *, on: bool) -> None:
        """Wait until every standby automation is on, or off, and the server acts by it."""
        rules = self.stack.plan.published.sentinel
        names = list(rules.standby.values()) if rules else []

        async def switch(client: PrefectClient) -> None:
            body = {"automations": {"name": {"any_": names}}}

            async def look() -> bool | None:
                answer = await client.request("POST", "/automations/filter", json=body)
                return True if {each["enabled"] for each in answer.json()} == {on} else None

            await wait_for(look, SECONDS, f"the standby's being {'on' if on else 'off'}")
            await settle(client)

        self._ask(switch)

    def remove_deployment(self, name: str) -> None:
        """Delete a deployment, and end the runs that it has started."""

        async def remove(client: PrefectClient) -> None:
            found = await client.read_deployment_by_name(name)
            await client.delete_deployment(found.id)

        self._ask(remove)
        for pid in processes_of(self.state.folder):
            process = psutil.Process(pid)
            if "prefect.flow_engine" in process.cmdline():
                process.kill()

    def _all_titles(self) -> Sequence[str]:
        return [m.title.strip() for m in self.messages()]

    async def _settled(self, client: PrefectClient) -> None:
        await settle(client)
        await wait_for_sentinel(client, self.stack.plan.published)

    def _ask(self, question: Callable[[PrefectClient], Awaitable[Answer]]) -> Answer:
        async def ask() -> Answer:
            api = self.state.prefect_api_url
            async with client_of(api) as client:
                return await question(client)

        return asyncio.run(ask())


@contextmanager
def deployed(sandbox: SandboxState, **changes: Any) -> Iterator[Live]:  # noqa: ANN401
    """Deploy the stack with some settings changed, without a sentinel; remove it afterwards."""
    end_sentinels(sandbox.folder)

    def configure(config: dict[str, Any]) -> None:
        for key, value in changes.items():
            config[f"data-alerts:{key}"] = value

    stack = SandboxStack(sandbox, configure=configure)
    try:
        stack.up()
        yield Live(sandbox, stack)
    finally:
        end_sentinels(sandbox.folder)
        stack.destroy()
