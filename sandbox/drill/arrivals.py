"""Holds what Prefect says of a production drill against what the capture got. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from alerting.drills.report import Delivery, DrillReport
from alerting.plan.drill_events import DrillPhase
from sandbox.capture.messages import CapturedMessage

NOT_CAPTURED = "Prefect says that it was delivered, and nothing was captured"
TITLES = {DrillPhase.BEGAN: "DRILL: ", DrillPhase.ENDED: "DRILL ended: "}


def captured(report: DrillReport, messages: Sequence[CapturedMessage]) -> DrillReport:
    """The report, with a problem for each delivery that the capture knows nothing of."""

    def judged(each: Delivery) -> Delivery:
        if not each.arrived or any(_is_of(each, report, message) for message in messages):
            return each
        return replace(each, problem=NOT_CAPTURED)

    return replace(report, deliveries=tuple(map(judged, report.deliveries)))


def _is_of(delivery: Delivery, report: DrillReport, message: CapturedMessage) -> bool:
    return (
        message.accepted
        and message.channel == delivery.channel
        and message.title.strip().startswith(TITLES[delivery.phase])
        and str(report.drill.drill) in message.text
    )
