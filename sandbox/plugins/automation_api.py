"""An automation as a program describes it, and as Prefect's API does."""

from collections.abc import Iterable, Iterator

from sandbox.plugins.json_text import meaning, text_for
from sandbox.plugins.values import Properties, Value

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


def with_defaults(inputs: Properties, former: Properties) -> Properties:
    """Return the inputs with what the vendor's plugin fills in.

    Numbers that are not given stay what the server made of them, which `former` holds.
    """
    return {
        "name": inputs["name"],
        "description": inputs.get("description", ""),
        "enabled": inputs.get("enabled", True),
        "trigger": _trigger_with_defaults(inputs["trigger"], former.get("trigger") or {}),
        **{key: _actions_with_defaults(inputs.get(key, [])) for key in ACTION_LISTS},
    }


def body(planned: Properties) -> dict[str, Value]:
    """Return what to send to the server to get the planned automation."""
    return {
        **{key: planned[key] for key in ("name", "description", "enabled")},
        "trigger": _trigger_body(planned["trigger"]),
        **{there: _action_bodies(planned[here]) for here, there in ACTION_LISTS.items()},
    }


def comparable(state: Properties) -> Properties:
    """Return trigger and actions in a form that is equal when the server takes them as equal."""
    return {
        "trigger": _trigger_body(state["trigger"], ordered=True),
        **{key: _action_bodies(state.get(key, [])) for key in ACTION_LISTS},
    }


def properties(automation: dict[str, Value], former: Properties) -> Properties:
    """Return what the server says of an automation.

    JSON in a string keeps the text it has in `former` when it means the same.
    """
    return {
        **{key: automation[key] for key in ("name", "description", "enabled")},
        "trigger": _trigger_properties(automation["trigger"], former.get("trigger") or {}),
        **{
            here: [
                _action_properties(action, past)
                for action, past in _with_former(automation[there], former.get(here))
            ]
            for here, there in ACTION_LISTS.items()
        },
    }


@_if_known
def _trigger_with_defaults(trigger: Value, former: Properties) -> Value:
    if "event" in trigger:
        return {"event": _event_with_defaults(trigger["event"], former.get("event") or {})}
    kind = _composite(trigger)
    past = former.get(kind) or {}
    return {kind: _composite_with_defaults(trigger[kind], past)}


@_if_known
def _composite_with_defaults(composite: Value, former: Properties) -> Value:
    return {**composite, "triggers": _triggers_with_defaults(composite["triggers"], former)}


@_if_known
def _triggers_with_defaults(triggers: Value, former: Properties) -> Value:
    return [
        _trigger_with_defaults(trigger, past)
        for trigger, past in _with_former(triggers, former.get("triggers"))
    ]


@_if_known
def _event_with_defaults(event: Value, former: Properties) -> Value:
    return {
        **{key: [] for key in EVENT_SETS},
        **dict.fromkeys(EVENT_JSON, "{}"),
        **{key: former[key] for key in EVENT_NUMBERS if key in former},
        **event,
    }


def _actions_with_defaults(actions: Value) -> Value:
    if isinstance(actions, str):  # not known yet
        return actions
    return [dict.fromkeys(ACTION_JSON, "{}") | action for action in actions]


def _trigger_body(trigger: Value, *, ordered: bool = False) -> Value:
    if isinstance(trigger, str):
        return trigger
    if "event" in trigger:
        return _event_body(trigger["event"], ordered=ordered)
    kind = _composite(trigger)
    composite = trigger[kind]
    return _without_empty(
        {
            "type": kind,
            "triggers": [_trigger_body(child, ordered=ordered) for child in composite["triggers"]],
            "require": composite.get("require"),
            "within": composite.get("within"),
        }
    )


def _event_body(event: Properties, *, ordered: bool) -> dict[str, Value]:
    return {
        **_without_empty(
            {
                "type": "event",
                "match": meaning(event["match"]),
                "posture": event["posture"],
                **{
                    there: sorted(event[here]) if ordered else event[here]
                    for here, there in EVENT_SETS.items()
                },
                **{key: event.get(key) for key in EVENT_NUMBERS},
            }
        ),
        # The vendor's plugin leaves this one in when it is empty.
        "match_related": meaning(event["matchRelated"]),
    }


def _action_bodies(actions: Value) -> Value:
    if isinstance(actions, str):
        return actions
    return [
        _without_empty(
            {
                **{there: action.get(here) for here, there in ACTION_FIELDS.items()},
                **{there: meaning(action[here]) for here, there in ACTION_JSON.items()},
            }
        )
        for action in actions
    ]


def _trigger_properties(trigger: dict[str, Value], former: Properties) -> Properties:
    kind = trigger["type"]
    past = former.get(kind) or {}
    if kind == "event":
        return {"event": _event_properties(trigger, past)}
    composite = {
        "triggers": [
            _trigger_properties(child, past_child)
            for child, past_child in _with_former(trigger["triggers"], past.get("triggers"))
        ],
        "require": trigger.get("require"),
        "within": trigger.get("within"),
    }
    return {kind: {key: value for key, value in composite.items() if value is not None}}


def _event_properties(event: dict[str, Value], former: Properties) -> Properties:
    return {
        "posture": event["posture"],
        **{here: event[there] for here, there in EVENT_SETS.items()},
        **{here: text_for(event[there], former.get(here)) for here, there in EVENT_JSON.items()},
        **{key: event[key] for key in EVENT_NUMBERS},
    }


def _action_properties(action: dict[str, Value], former: Properties) -> Properties:
    return {
        **{
            here: action[there]
            for here, there in ACTION_FIELDS.items()
            if action.get(there) is not None
        },
        **{
            here: text_for(action.get(there) or {}, former.get(here))
            for here, there in ACTION_JSON.items()
        },
    }


def _with_former(
    items: list[Value], former: list[Value] | None
) -> Iterator[tuple[Value, Properties]]:
    """Pair each item with the one that was in its place, or with nothing."""
    past: Iterable[Value] = former or []
    return zip(items, [*past, *({} for _ in items)], strict=False)


def _composite(trigger: Properties) -> str:
    return next(kind for kind in COMPOSITES if kind in trigger)


def _without_empty(fields: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
