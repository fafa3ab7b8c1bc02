"""An automation as Prefect's API has it."""

from sandbox.plugins.automation_fields import (
    ACTION_FIELDS,
    ACTION_JSON,
    ACTION_LISTS,
    EVENT_JSON,
    EVENT_NUMBERS,
    EVENT_SETS,
    if_known,
    kind_of,
    with_former,
)
from sandbox.plugins.json_text import meaning, text_for
from sandbox.plugins.values import UNKNOWN, Properties, Value


def body(planned: Properties) -> dict[str, Value]:
    """Return what to send to the server to get the planned automation."""
    return {
        **{key: planned[key] for key in ("name", "description", "enabled")},
        "trigger": _trigger_body(planned["trigger"], ordered=False),
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
                for action, past in with_former(automation[there], former.get(here))
            ]
            for here, there in ACTION_LISTS.items()
        },
    }


@if_known
def _trigger_body(trigger: Value, *, ordered: bool) -> Value:
    kind = kind_of(trigger)
    convert = _event_body if kind == "event" else _composite_body
    converted = convert(trigger[kind], ordered=ordered)
    return converted if converted == UNKNOWN else {"type": kind, **converted}


@if_known
def _event_body(event: Value, *, ordered: bool) -> Value:
    return {
        **_without_empty(
            {
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


@if_known
def _composite_body(composite: Value, *, ordered: bool) -> Value:
    return _without_empty(
        {
            "triggers": _trigger_bodies(composite["triggers"], ordered=ordered),
            "require": composite.get("require"),
            "within": composite.get("within"),
        }
    )


@if_known
def _trigger_bodies(triggers: Value, *, ordered: bool) -> Value:
    return [_trigger_body(trigger, ordered=ordered) for trigger in triggers]


@if_known
def _action_bodies(actions: Value) -> Value:
    return [_action_body(action) for action in actions]


@if_known
def _action_body(action: Value) -> Value:
    return _without_empty(
        {
            **{there: action.get(here) for here, there in ACTION_FIELDS.items()},
            **{there: meaning(action[here]) for here, there in ACTION_JSON.items()},
        }
    )


def _trigger_properties(trigger: dict[str, Value], former: Properties) -> Properties:
    kind = trigger["type"]
    past = former.get(kind) or {}
    if kind == "event":
        return {"event": _event_properties(trigger, past)}
    composite = {
        "triggers": [
            _trigger_properties(child, past_child)
            for child, past_child in with_former(trigger["triggers"], past.get("triggers"))
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


def _without_empty(fields: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in fields.items() if value not in (None, [], {})}
