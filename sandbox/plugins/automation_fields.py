"""The parts of an automation: what they are called in a program and in Prefect's API."""

import functools
from collections.abc import Callable, Iterator
from typing import Concatenate, ParamSpec

from sandbox.plugins.values import UNKNOWN, Properties, Value

ACTION_LISTS = {
    "actions": "actions",
    "actionsOnTriggers": "actions_on_trigger",
    "actionsOnResolves": "actions_on_resolve",
}
ACTION_FIELDS = {
    "type": "type",
    "source": "source",
    "automationId": "automation_id",
    "blockDocumentId": "block_document_id",
    "deploymentId": "deployment_id",
    "workPoolId": "work_pool_id",
    "workQueueId": "work_queue_id",
    "scheduleId": "schedule_id",
    "subject": "subject",
    "body": "body",
    "payload": "payload",
    "name": "name",
    "state": "state",
    "message": "message",
    "emails": "emails",
}
ACTION_JSON = {"parameters": "parameters", "jobVariables": "job_variables"}
EVENT_SETS = {"afters": "after", "expects": "expect", "forEaches": "for_each"}
EVENT_JSON = {"match": "match", "matchRelated": "match_related"}
EVENT_NUMBERS = ("threshold", "within")
COMPOSITES = ("compound", "sequence")

P = ParamSpec("P")
Convert = Callable[Concatenate[Value, P], Value]


def if_known(convert: Convert[P]) -> Convert[P]:
    """Let a conversion leave alone what is not known before the update."""

    @functools.wraps(convert)
    def converted(value: Value, /, *args: P.args, **kwargs: P.kwargs) -> Value:
        return UNKNOWN if value == UNKNOWN else convert(value, *args, **kwargs)

    return converted


def kind_of(trigger: Properties) -> str:
    """Return which of its kinds a trigger is."""
    return next(kind for kind in ("event", *COMPOSITES) if kind in trigger)


def with_former(
    items: list[Value], former: list[Value] | None
) -> Iterator[tuple[Value, Properties]]:
    """Pair each item with the one that was in its place, or with nothing."""
    return zip(items, [*(former or []), *({} for _ in items)], strict=False)
