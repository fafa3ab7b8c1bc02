"""Events and objects as a Prefect server makes them, by its own functions and without a server."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

from prefect.server.events.schemas import lifecycle
from prefect.server.events.schemas.automations import Automation
from prefect.server.events.schemas.events import Event, ReceivedEvent
from prefect.server.models import events
from prefect.server.schemas.core import Flow, FlowRun, WorkPool
from prefect.server.schemas.responses import DeploymentResponse
from prefect.server.schemas.states import State, StateType
from prefect.server.schemas.statuses import WorkPoolStatus
from prefect.types import DateTime

from alerting.sentinel import events as sentinel_events

OCCURRED = DateTime(2026, 3, 1, 6, 30, 5, tzinfo=UTC)
DUE = DateTime(2026, 3, 1, 6, 0, tzinfo=UTC)
FAILED = State(type=StateType.FAILED, name="Failed", message="the warehouse is asleep")
CRASHED = State(type=StateType.CRASHED, name="Crashed", message="received SIGTERM")
TIMED_OUT = State(type=StateType.FAILED, name="TimedOut", message="took longer than 5 s")
OWN_NAME = State(type=StateType.FAILED, name="Rows missing", message="0 rows")
COMPLETED = State(type=StateType.COMPLETED, name="Completed")
LATE = State(type=StateType.SCHEDULED, name="Late")
RETRYING = State(type=StateType.SCHEDULED, name="AwaitingRetry")
RUNNING = State(type=StateType.RUNNING, name="Running")
CANCELLED = State(type=StateType.CANCELLED, name="Cancelled")


def received(event: sentinel_events.Event) -> ReceivedEvent:
    """An event of the sentinel's as the server takes it in."""
    return Event.model_validate(event).receive()


def as_streamed(event: ReceivedEvent) -> sentinel_events.Event:
    """An event as the server streams it, and answers with."""
    streamed: dict[str, Any] = event.model_dump(mode="json")
    return streamed


def lifecycle_events(automation: Automation) -> dict[str, ReceivedEvent]:
    """What the server tells of an automation that is deployed, changed and removed."""
    makers = {
        "created": lifecycle.automation_created_event,
        "updated": lifecycle.automation_updated_event,
        "deleted": lifecycle.automation_deleted_event,
    }
    return {name: make(automation, OCCURRED).receive() for name, make in makers.items()}


@dataclass(frozen=True)
class Run:
    """A flow run that came into a state."""

    flow: str = "orders"
    deployment: str | None = None
    state: State = FAILED
    tags: tuple[str, ...] = ("dlt",)
    id: UUID = field(default_factory=uuid4)

    def objects(self) -> dict[str, Any]:
        """What the API answers when it is asked for the run's objects, by kind."""
        flow = Flow(id=uuid4(), name=self.flow)
        deployment = DeploymentResponse(
            id=uuid4(), flow_id=flow.id, name=self.deployment or "", labels={}
        )
        run = FlowRun(
            id=self.id,
            flow_id=flow.id,
            deployment_id=deployment.id if self.deployment else None,
            name="brave-otter",
            tags=list(self.tags),
            state=self.state,
            expected_start_time=DUE,
        )
        objects: dict[str, Any] = {"flow": flow, "flow_run": run}
        return objects | ({"deployment": deployment} if self.deployment else {})

    def event(self, objects: Mapping[str, Any] | None = None) -> ReceivedEvent:
        """The event that the server makes of the change into the state."""
        objects = objects or self.objects()
        run, flow, deployment = objects["flow_run"], objects["flow"], objects.get("deployment")
        # Otherwise the function would look these up in the database.
        events._flow_run_resource_data_cache[run.id] = events._as_resource_data(
            run, flow, deployment, None, None
        )
        made = events.flow_run_state_change_event(
            session=None,  # type: ignore[arg-type] # not asked, see above
            occurred=OCCURRED,
            flow_run=run,
            initial_state_id=None,
            initial_state=None,
            validated_state_id=uuid4(),
            validated_state=self.state,
        )
        return asyncio.run(made).receive()


@dataclass(frozen=True)
class Pool:
    """A work pool that came into a status."""

    name: str = "default-pool"
    status: WorkPoolStatus = WorkPoolStatus.NOT_READY

    def objects(self) -> dict[str, Any]:
        """What the API answers when it is asked for the work pool."""
        pool = WorkPool(
            id=uuid4(),
            name=self.name,
            type="process",
            status=self.status,
            default_queue_id=uuid4(),
        )
        return {"work_pool": pool}

    def event(self, objects: Mapping[str, Any] | None = None) -> ReceivedEvent:
        """The event that the server makes of the change of status."""
        pool = (objects or self.objects())["work_pool"]
        made = events.work_pool_status_event(
            event_id=uuid4(),
            occurred=OCCURRED,
            pre_update_work_pool=None,
            work_pool=SimpleNamespace(
                id=pool.id, name=pool.name, type=pool.type, status=pool.status
            ),  # type: ignore[arg-type] # all that is read of the database's object
        )
        return asyncio.run(made).receive()
