"""Events of flow runs, in the shape in which a Prefect server makes them.

The server's own functions need its database and most of its modules, whose import costs a second.
A test holds these against them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from alerting.plan.load_events import LOAD_EVENT, Rows, load_labels, load_payload

Event = dict[str, Any]

_NAMESPACE = UUID("b1a7c5de-8d2f-5f43-9c11-7a0c1d7f2b64")
STATE_TYPES = {
    "Scheduled": "SCHEDULED",
    "Late": "SCHEDULED",
    "AwaitingRetry": "SCHEDULED",
    "AwaitingConcurrencySlot": "SCHEDULED",
    "Resuming": "SCHEDULED",
    "Pending": "PENDING",
    "Running": "RUNNING",
    "Retrying": "RUNNING",
    "Paused": "PAUSED",
    "Suspended": "PAUSED",
    "Cancelling": "CANCELLING",
    "Cancelled": "CANCELLED",
    "Completed": "COMPLETED",
    "Cached": "COMPLETED",
    "Failed": "FAILED",
    "TimedOut": "FAILED",
    "Crashed": "CRASHED",
}
"""The type of each state that Prefect gives by name."""


def made_id(*of: str) -> UUID:
    """An id that is the same each time for the same thing."""
    return uuid5(_NAMESPACE, "\x1f".join(of))


@dataclass(frozen=True)
class RunEvent:
    """A flow run came into a state."""

    flow: str
    state: str
    at: datetime
    run: str
    """The run's name, by which its events belong together."""
    message: str | None = None
    state_type: str | None = None
    """Prefect's type of a state that has a name of its own; else it follows from the name."""
    deployment: str | None = None
    tags: Sequence[str] = ()
    parent: str | None = None
    """The name of the run that this one is a subflow of."""
    labels: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Any] = field(default_factory=dict)

    @property
    def type(self) -> str:
        """The state's type."""
        return self.state_type or STATE_TYPES[self.state]

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return made_id("flow-run", self.run)

    @property
    def task_run_id(self) -> UUID:
        """The id of the run that stands for its subflows among its tasks."""
        return made_id("task-run", "", self.run)

    @property
    def state_id(self) -> UUID:
        """The state's id, which is the event's as well."""
        return made_id("state", self.run, self.state, self.at.isoformat())

    def event(self) -> Event:
        """The event as the API's JSON has it."""
        state = {"type": self.type, "name": self.state}
        if self.message is not None:
            state["message"] = self.message
        return {
            "id": str(self.state_id),
            "occurred": self.at.isoformat(),
            "event": f"prefect.flow-run.{self.state}",
            "resource": {
                "prefect.resource.id": f"prefect.flow-run.{self.run_id}",
                "prefect.resource.name": self.run,
                "prefect.run-count": "0",
                "prefect.state-message": self.message or "",
                "prefect.state-name": self.state,
                "prefect.state-timestamp": self.at.isoformat(),
                "prefect.state-type": self.type,
                **self.labels,
            },
            "related": related(self.flow, self.deployment, self.parent, self.tags),
            "payload": {
                "intended": {"from": None, "to": self.type},
                "initial_state": None,
                "validated_state": state,
                **self.payload,
            },
        }


def any_event(  # noqa: PLR0913 - the parts of an event
    name: str,
    at: datetime,
    labels: Mapping[str, str],
    payload: Mapping[str, Any],
    *,
    flow: str | None = None,
    deployment: str | None = None,
    tags: Sequence[str] = (),
) -> Event:
    """An event of any kind, by its name.

    Where the labels have no resource id, the event's name and the resource's name make one.
    """
    kind = name.rpartition(".")[0] or name
    resource_name = labels.get("prefect.resource.name", "")
    resource = {"prefect.resource.id": f"{kind}.{made_id(kind, '', resource_name)}", **labels}
    return {
        "id": str(made_id("event", name, at.isoformat(), *sorted(resource.values()))),
        "occurred": at.isoformat(),
        "event": name,
        "resource": resource,
        "related": related(flow, deployment, None, tags),
        "payload": dict(payload),
    }


def crashed(event: Mapping[str, Any], message: str, at: datetime) -> Event:
    """The run of an event is set to crashed."""
    labels = event["resource"]
    return {
        "id": str(made_id("state", labels["prefect.resource.id"], "Crashed", at.isoformat())),
        "occurred": at.isoformat(),
        "event": "prefect.flow-run.Crashed",
        "resource": {
            **labels,
            "prefect.state-message": message,
            "prefect.state-name": "Crashed",
            "prefect.state-timestamp": at.isoformat(),
            "prefect.state-type": "CRASHED",
        },
        "related": event["related"],
        "payload": {},
    }


def load_event(flow: str, deployment: str | None, rows: int, at: datetime, tag: str) -> Event:
    """A flow tells of its load; the sentinel alone hears it."""
    return {
        "id": str(made_id("load", flow, deployment or "", at.isoformat())),
        "occurred": at.isoformat(),
        "event": LOAD_EVENT,
        "resource": load_labels(flow),
        "related": [
            _resource("flow-run", f"load of {flow} at {at.isoformat()}"),
            *related(flow, deployment, None, (tag,)),
        ],
        "payload": load_payload(Rows(total=rows), flow=flow, pipeline=None),
    }


def related(
    flow: str | None, deployment: str | None, parent: str | None, tags: Sequence[str]
) -> list[dict[str, str]]:
    """What a run's event says of its flow, deployment, parent and tags."""
    found = []
    if flow:
        found.append(_resource("flow", flow))
    if deployment:
        found.append(_resource("deployment", deployment, of=flow or ""))
    if parent:
        found.append(_resource("task-run", parent))
    found += [
        {"prefect.resource.id": f"prefect.tag.{tag}", "prefect.resource.role": "tag"}
        for tag in sorted(set(tags))
    ]
    return found


def _resource(kind: str, name: str, *, of: str = "") -> dict[str, str]:
    return {
        "prefect.resource.id": f"prefect.{kind}.{made_id(kind, of, name)}",
        "prefect.resource.role": kind,
        "prefect.resource.name": name,
    }
