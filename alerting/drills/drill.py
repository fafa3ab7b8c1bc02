"""A drill, as its requests carry it. Pure: no I/O, no clock."""

from datetime import datetime, timedelta
from typing import Self
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict, Field

from alerting.plan.drill_events import (
    NO,
    PAGE_LABEL,
    STATE_TYPE,
    YES,
    DrillPhase,
    drill_resource,
    stack_resource,
)
from alerting.plan.published import PublishedDrillRule, PublishedSettings
from alerting.plan.verdicts import SCOPE_LABEL
from alerting.sentinel.drills import answer_id
from alerting.sentinel.events import STATE_TYPE_LABEL, Event
from alerting.sentinel.texts import readable

_SUBJECTS = {
    DrillPhase.BEGAN: "trying the alerting of {stack}, nothing is wrong",
    DrillPhase.ENDED: "the alerting of {stack} was tried",
}
_SENTENCES = {
    DrillPhase.BEGAN: "somebody tries whether messages of {stack} arrive here. Nothing is wrong.",
    DrillPhase.ENDED: "nothing is left to do. Further messages mean what they say.",
}


class DrillError(Exception):
    """There is nothing to be tried; the text says what to do."""


class Drill(BaseModel):
    """What is tried. Its first request records it, so that it can be read back later."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    drill: UUID = Field(description="its id")
    stack: str = Field(description="the stack's scope")
    page: bool = Field(description="whether it pages")
    within: timedelta = Field(description="how soon after its request a message is to be sent")
    judged: bool = Field(description="whether the sentinel has to answer")
    rules: tuple[PublishedDrillRule, ...] = Field(description="the automations that tell of it")

    @classmethod
    def of(
        cls, settings: PublishedSettings, drill_id: UUID, *, page: bool, within: timedelta
    ) -> Self:
        """A drill of a stack as it is deployed. Raises DrillError when nobody would hear of it."""
        drills = settings.drills
        if drills is None:
            raise DrillError("the stack is of a version without drills: deploy it with this one")
        if page and drills.paged is None:
            raise DrillError(
                "no PagerDuty channel of the stack is set up: leave out --page, or give one its "
                "secret and deploy"
            )
        paging = (drills.paged, drills.closed) if page else ()
        rules = tuple(rule for rule in (drills.told, *paging) if rule)
        if not rules:
            raise DrillError("the stack has no Slack channel: add one, or try PagerDuty by --page")
        return cls(
            drill=drill_id,
            stack=drills.scope,
            page=page,
            within=within,
            judged=settings.sentinel is not None,
            rules=rules,
        )

    @classmethod
    def of_request(cls, event: Event) -> Self:
        """The drill that a request is about. Raises ValueError for one of another version."""
        return cls.model_validate(event["payload"])

    def request(self, phase: DrillPhase, now: datetime) -> Event:
        """The event that asks for a message. The labels are those of a run as far as need be."""
        return {
            "id": str(self.request_id(phase)),
            "occurred": now.isoformat(),
            "event": phase.request,
            "resource": {
                "prefect.resource.id": drill_resource(self.drill),
                "prefect.resource.name": f"drill of {self.stack}",
                SCOPE_LABEL: self.stack,
                PAGE_LABEL: YES if self.page else NO,
                STATE_TYPE_LABEL: STATE_TYPE,
            },
            "related": [
                {
                    "prefect.resource.id": stack_resource(self.stack),
                    "prefect.resource.role": "data-alerts-stack",
                }
            ],
            "payload": {
                **self.model_dump(mode="json"),
                "phase": phase.value,
                "subject": _SUBJECTS[phase].format(stack=self.stack),
                "sentence": _SENTENCES[phase].format(stack=self.stack),
                "time": readable(now),
            },
        }

    def request_id(self, phase: DrillPhase) -> UUID:
        """The id of the event that asks for a message."""
        return uuid5(self.drill, phase.value)

    def cause_id(self, phase: DrillPhase) -> UUID:
        """The id of the event on which automations act."""
        request = self.request_id(phase)
        return answer_id(request) if self.judged else request
