"""From events to a drill's report. Pure: no I/O, no clock."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from alerting.drills.drill import Drill
from alerting.drills.report import Delivery, DrillReport
from alerting.plan.drill_events import DrillPhase
from alerting.sentinel.events import Event
from alerting.sentinel.texts import shortened
from alerting.settings.durations import format_duration

EXECUTED = "prefect.automation.action.executed"
FAILED = "prefect.automation.action.failed"
_CAUSE_ROLE = "triggering-event"
_EVENT_PREFIX = "prefect.event."

Requests = Mapping[DrillPhase, Event]
Asked = Mapping[DrillPhase, datetime]


def report_of(drill: Drill, requests: Requests, actions: Sequence[Event]) -> DrillReport:
    """What is known by the requests that the server has, and by its events of actions."""
    asked = {phase: received(event) for phase, event in requests.items()}
    began = tuple(_deliveries(drill, DrillPhase.BEGAN, asked, actions))
    told = {each.channel for each in began if each.delivered}
    ended = tuple(
        each
        for each in _deliveries(drill, DrillPhase.ENDED, asked, actions)
        # Who did not hear of the beginning need not hear of the end.
        if each.channel in told
    )
    return DrillReport(
        drill, asked[DrillPhase.BEGAN], (*began, *ended), is_over=DrillPhase.ENDED in asked
    )


def received(event: Event) -> datetime:
    """When an event came to the server, by the server's clock, as its actions' times are."""
    return datetime.fromisoformat(event.get("received") or event["occurred"])


def _deliveries(
    drill: Drill, phase: DrillPhase, asked: Asked, actions: Sequence[Event]
) -> Iterator[Delivery]:
    if phase not in asked:
        return
    acted = {
        (action["resource"].get("prefect.resource.name"), action["payload"].get("action_index")): (
            action
        )
        for action in actions
        if _phase_of(action, drill, asked) is phase
    }
    for rule in drill.rules:
        for index, channel in enumerate(rule.channels if phase in rule.phases else ()):
            pending = Delivery(channel, phase, rule.name, asked[phase])
            action = acted.get((rule.name, index))
            yield _delivery(pending, action, drill.within) if action else pending


def _phase_of(action: Event, drill: Drill, asked: Asked) -> DrillPhase | None:
    """What an automation acted on; None when it was another drill.

    Servers of earlier versions do not name the event. There it is what was asked for last.
    """
    for each in action.get("related", ()):
        if each["prefect.resource.role"] == _CAUSE_ROLE:
            cause = each["prefect.resource.id"].removeprefix(_EVENT_PREFIX)
            return {str(drill.cause_id(phase)): phase for phase in DrillPhase}.get(cause)
    acted = datetime.fromisoformat(action["occurred"])
    return max((p for p in asked if asked[p] <= acted), key=asked.__getitem__, default=None)


def _delivery(pending: Delivery, action: Event, within: timedelta) -> Delivery:
    if action["event"] == FAILED:
        parts = (action["payload"].get(key) for key in ("reason", "notification_log"))
        said = shortened(" ".join(str(part) for part in parts if part))
        return replace(pending, problem=" ".join(said.split()))
    delivered = datetime.fromisoformat(action["occurred"])
    late = delivered - pending.asked > within
    problem = f"later than {format_duration(within)}" if late else None
    return replace(pending, delivered=delivered, problem=problem)
