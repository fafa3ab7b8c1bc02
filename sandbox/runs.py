"""Runs that end as they are told, without a worker: their states are set through the API.

Real flows take seconds each. Where hundreds of ends are needed, and what runs the flows does not
matter, this takes milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import State, StateType

from alerting.scenarios.run_events import STATE_TYPES


@dataclass(frozen=True)
class RunState:
    """A state that a run was set to."""

    run_id: UUID
    state_id: UUID
    at: datetime
    """The state's timestamp."""


class Runs:
    """Makes runs of flows in a workspace and sets their states."""

    def __init__(self, client: PrefectClient, tag: str) -> None:
        """Runs get the tag that makes them alert."""
        self._client = client
        self._tag = tag
        self._flows: dict[str, UUID] = {}
        self._deployments: dict[tuple[str, str], UUID] = {}

    async def start(
        self, flow: str, deployment: str | None = None, parent: UUID | None = None
    ) -> UUID:
        """A new run, which is running. `parent` is the task run that it is a subflow's run for."""
        body: dict[str, object] = {"parent_task_run_id": str(parent) if parent else None}
        flow_id = await self._flow(flow)
        if deployment:
            body["deployment_id"] = str(await self._deployment(flow, deployment))
        return await self._create(flow_id, {"type": "RUNNING", "name": "Running"}, body)

    async def schedule(self, flow: str, at: datetime) -> UUID:
        """A run that is to start then, and that nobody starts."""
        details = {"scheduled_time": at.isoformat()}
        state = {"type": "SCHEDULED", "name": "Scheduled", "state_details": details}
        return await self._create(await self._flow(flow), state, {})

    async def set(self, run: UUID, name: str, message: str | None = None) -> RunState:
        """Set a run to a state, by its name, now."""
        state: State[object] = State(type=StateType(STATE_TYPES[name]), name=name, message=message)
        result = await self._client.set_flow_run_state(run, state, force=True)
        if result.state is None:
            raise AssertionError("the server says which state it set")
        return RunState(run, result.state.id, result.state.timestamp)

    async def end(
        self, flow: str, name: str, message: str | None = None, deployment: str | None = None
    ) -> RunState:
        """A run that ends at once in a state."""
        return await self.set(await self.start(flow, deployment), name, message)

    async def _create(
        self, flow: UUID, state: Mapping[str, object], more: Mapping[str, object]
    ) -> UUID:
        body = {"flow_id": str(flow), "tags": [self._tag], "state": state, **more}
        answer = await self._client.request("POST", "/flow_runs/", json=body)
        return UUID(answer.json()["id"])

    async def _flow(self, name: str) -> UUID:
        if name not in self._flows:
            self._flows[name] = await self._client.create_flow_from_name(name)
        return self._flows[name]

    async def _deployment(self, flow: str, name: str) -> UUID:
        key = (flow, name)
        if key not in self._deployments:
            self._deployments[key] = await self._client.create_deployment(
                flow_id=self._flows[flow], name=name, enforce_parameter_schema=False
            )
        return self._deployments[key]
