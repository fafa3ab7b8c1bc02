"""What the vendor's plugin fills in when a program leaves it out."""

from sandbox.plugins.automation_fields import (
    ACTION_JSON,
    ACTION_LISTS,
    EVENT_JSON,
    EVENT_NUMBERS,
    EVENT_SETS,
    if_known,
    kind_of,
    with_former,
)
from sandbox.plugins.values import Properties, Value


def with_defaults(inputs: Properties, former: Properties) -> Properties:
    """Return the inputs with defaults.

    Numbers that are not given stay what the server made of them, which `former` holds.
    """
    return {
        "name": inputs["name"],
        "description": inputs.get("description", ""),
        "enabled": inputs.get("enabled", True),
        "trigger": _trigger(inputs["trigger"], former.get("trigger") or {}),
        **{key: _actions(inputs.get(key, [])) for key in ACTION_LISTS},
    }


@if_known
def _trigger(trigger: Value, former: Properties) -> Value:
    kind = kind_of(trigger)
    convert = _event if kind == "event" else _composite
    return {kind: convert(trigger[kind], former.get(kind) or {})}


@if_known
def _event(event: Value, former: Properties) -> Value:
    return {
        **{key: [] for key in EVENT_SETS},
        **dict.fromkeys(EVENT_JSON, "{}"),
        **{key: former[key] for key in EVENT_NUMBERS if key in former},
        **event,
    }


@if_known
def _composite(composite: Value, former: Properties) -> Value:
    return {**composite, "triggers": _triggers(composite["triggers"], former.get("triggers"))}


@if_known
def _triggers(triggers: Value, former: Value) -> Value:
    return [_trigger(trigger, past) for trigger, past in with_former(triggers, former)]


@if_known
def _actions(actions: Value) -> Value:
    return [_action(action) for action in actions]


@if_known
def _action(action: Value) -> Value:
    return dict.fromkeys(ACTION_JSON, "{}") | action
