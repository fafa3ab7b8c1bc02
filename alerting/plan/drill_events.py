"""The events of drills: their names and labels.

A drill is asked for by a request. Where the sentinel judges, it answers each request with an
announcement, so that a drill goes the whole way of a failure; the automations act on these. Where
triggers judge, they act on the requests.
"""

from enum import StrEnum

from alerting.plan.verdicts import EVENT_PREFIX
from alerting.settings.models import Evaluation


class DrillPhase(StrEnum):
    """What people are told of a drill."""

    BEGAN = "began"
    ENDED = "ended"

    @property
    def request(self) -> str:
        """The name of the event that asks for it."""
        return f"{REQUEST_PREFIX}{self.value}"

    @property
    def announcement(self) -> str:
        """The name of the event by which the sentinel announces it."""
        return f"{EVENT_PREFIX}drill.{self.value}"

    def event(self, evaluation: Evaluation) -> str:
        """The name of the event that automations act on."""
        return self.announcement if evaluation is Evaluation.SENTINEL else self.request


REQUEST_PREFIX = f"{EVENT_PREFIX}drill-request."
DRILL_RESOURCES = f"{EVENT_PREFIX}drill."

PAGE_LABEL = "data-alerts.page"
"""Whether a drill may page."""
YES, NO = "yes", "no"
STATE_TYPE = "DRILL"
"""On a request, in place of the type of a state. No run has it, so a drill counts as no run."""


def drill_resource(drill_id: object) -> str:
    """Resource id of a drill."""
    return f"{DRILL_RESOURCES}{drill_id}"


def stack_resource(scope: str) -> str:
    """Resource id of a stack, to which a drill is related as a run is to its tag."""
    return f"{EVENT_PREFIX}stack.{scope}"
