"""Drills of the example stack, and the server's events about them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from alerting.drills.drill import Drill
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.events import Event
from tests.shared.example_stack import published_of

DRILL_ID = UUID("d1110000-0000-4000-8000-000000000001")
BEGAN, ENDED = DrillPhase.BEGAN, DrillPhase.ENDED
START = datetime(2026, 3, 1, 6, tzinfo=UTC)


def drill_of(*, page: bool = False, **changes: object) -> Drill:
    return Drill.of(published_of(**changes), DRILL_ID, page=page, within=timedelta(seconds=30))


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def requested(drill: Drill, phase: DrillPhase, seconds: float) -> Event:
    """A request as the server answers with it, from a client whose clock is an hour ahead."""
    event = drill.request(phase, at(seconds) + timedelta(hours=1))
    return {**event, "received": at(seconds).isoformat()}


def acted(
    drill: Drill,
    phase: DrillPhase | None,
    index: int,
    seconds: float,
    rule: str = "DLT Drill",
    **payload: object,
) -> dict[str, Any]:
    """The server's event of an action; `phase` None is of a server that does not name the cause."""
    cause = {
        "prefect.resource.id": f"prefect.event.{drill.cause_id(phase or BEGAN)}",
        "prefect.resource.role": "triggering-event",
    }
    block = {"prefect.resource.id": "prefect.block-type.x", "prefect.resource.role": "block-type"}
    return {
        "event": f"prefect.automation.action.{'failed' if payload else 'executed'}",
        "occurred": at(seconds).isoformat(),
        "resource": {"prefect.resource.name": rule},
        "related": [block, *([cause] if phase else [])],
        "payload": {"action_index": index, "action_type": "send-notification", **payload},
    }
