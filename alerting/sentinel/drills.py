"""What the sentinel answers when a drill asks. Pure: no I/O, no clock.

It has no part in what runs lead to: a request has no run, is kept nowhere, and is not asked for
again after a time away.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid5

from alerting.plan.drill_events import DrillPhase
from alerting.plan.published import PublishedSettings
from alerting.plan.verdicts import SCOPE_LABEL
from alerting.sentinel.events import STATE_TYPE_LABEL, Event
from alerting.sentinel.judging import rules_of

CLOCKS_DIFFER = timedelta(seconds=10)
_PHASES = {phase.request: phase for phase in DrillPhase}


def answer(
    event: Event, settings: PublishedSettings, now: datetime, since: datetime
) -> Event | None:
    """The announcement that a request of the stack asks for; None for any other event.

    `since` is when the sentinel connected. The stream begins with what came before, and a drill
    that nobody answered is over.
    """
    phase = _PHASES.get(event["event"])
    scope = rules_of(settings).scope
    if phase is None or event["resource"].get(SCOPE_LABEL) != scope:
        return None
    if datetime.fromisoformat(event["occurred"]) < since - CLOCKS_DIFFER:
        return None
    return {
        "id": str(answer_id(UUID(str(event["id"])))),
        "occurred": now.isoformat(),
        "event": phase.announcement,
        "resource": {k: v for k, v in event["resource"].items() if k != STATE_TYPE_LABEL},
        "related": [],
        "payload": event["payload"],
    }


def answer_id(request: UUID) -> UUID:
    """The id of the answer to a request, the same whichever sentinel gives it."""
    return uuid5(request, "answer")
