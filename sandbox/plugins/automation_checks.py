"""What is wrong with an automation that can be told without asking the server."""

from collections.abc import Collection, Iterator

from sandbox.plugins.automation_fields import (
    ACTION_FIELDS,
    ACTION_JSON,
    ACTION_LISTS,
    COMPOSITES,
    EVENT_JSON,
    EVENT_NUMBERS,
    EVENT_SETS,
)
from sandbox.plugins.json_text import is_json
from sandbox.plugins.values import UNKNOWN, Properties, Value

ACTION_TYPES = (
    "do-nothing",
    "run-deployment",
    "pause-deployment",
    "resume-deployment",
    "cancel-flow-run",
    "change-flow-run-state",
    "pause-work-queue",
    "resume-work-queue",
    "send-notification",
    "send-email-notification",
    "call-webhook",
    "pause-automation",
    "resume-automation",
    "suspend-flow-run",
    "resume-flow-run",
    "declare-incident",
    "pause-work-pool",
    "resume-work-pool",
    "pause-schedule-for-flow-run",
    "resume-schedule-for-flow-run",
)
ACTION_SOURCES = ("selected", "inferred")
POSTURES = ("Reactive", "Proactive")
TRIGGERS = ("event", "metric", *COMPOSITES)
EVENT_KEYS = frozenset({"posture", *EVENT_SETS, *EVENT_JSON, *EVENT_NUMBERS})
COMPOSITE_KEYS = frozenset({"triggers", "require", "within"})
ACTION_KEYS = frozenset({*ACTION_FIELDS, *ACTION_JSON})


def problems(inputs: Properties, name: str) -> list[str]:
    """Return the problems in the words of the vendor's plugin, where it has some."""
    found = [*_in_trigger(inputs.get("trigger"), "trigger")]
    for key in ACTION_LISTS:
        for index, action in enumerate(_items(inputs.get(key))):
            found += _in_action(action, f"{key}[{index}]")
    return [f"{problem}. Examine values at '{name}.{path}'." for path, problem in found]


def _in_trigger(trigger: Value, path: str) -> Iterator[tuple[str, str]]:
    if trigger == UNKNOWN:
        return
    yield from _unknown(TRIGGERS, trigger or {}, path)
    given = [kind for kind in TRIGGERS if (trigger or {}).get(kind) is not None]
    if len(given) != 1:
        choices = ",".join(f"{path}.{kind}" for kind in TRIGGERS)
        yield path, f"Exactly one of these attributes must be configured: [{choices}]"
        return
    kind = given[0]
    inner, inner_path = trigger[kind], f"{path}.{kind}"
    if inner == UNKNOWN:
        return
    if kind == "metric":
        yield inner_path, "Only Prefect Cloud has metric triggers, a Prefect server has none"
    elif kind == "event":
        yield from _in_event(inner, inner_path)
    else:
        yield from _unknown(COMPOSITE_KEYS, inner, inner_path)
        for index, child in enumerate(_items(inner.get("triggers"))):
            yield from _in_trigger(child, f"{inner_path}.triggers[{index}]")


def _in_event(event: Properties, path: str) -> Iterator[tuple[str, str]]:
    yield from _unknown(EVENT_KEYS, event, path)
    yield from _not_one_of(POSTURES, event, "posture", path)
    for key in EVENT_JSON:
        yield from _not_json(event, key, path)


def _in_action(action: Value, path: str) -> Iterator[tuple[str, str]]:
    if action == UNKNOWN:
        return
    yield from _unknown(ACTION_KEYS, action, path)
    yield from _not_one_of(ACTION_TYPES, action, "type", path)
    yield from _not_one_of(ACTION_SOURCES, action, "source", path)
    for key in ACTION_JSON:
        yield from _not_json(action, key, path)


def _unknown(keys: Collection[str], holder: Properties, path: str) -> Iterator[tuple[str, str]]:
    for key in sorted(holder.keys() - set(keys)):
        yield f"{path}.{key}", "An argument of this name is not expected here"


def _not_one_of(
    choices: Collection[str], holder: Properties, key: str, path: str
) -> Iterator[tuple[str, str]]:
    value = holder.get(key)
    if value in (None, UNKNOWN, *choices):
        return
    listed = " ".join(f'"{choice}"' for choice in choices)
    where = f"{path}.{key}"
    problem = f"Invalid Attribute Value Match. Attribute {where} value must be one of: [{listed}]"
    yield where, f'{problem}, got: "{value}"'


def _not_json(holder: Properties, key: str, path: str) -> Iterator[tuple[str, str]]:
    text = holder.get(key)
    if text is None or is_json(text, object):
        return
    problem = (
        "Invalid JSON String Value. A string value was provided that is not valid JSON string "
        f"format (RFC 7159).\n\nGiven Value: {text}\n"
    )
    yield f"{path}.{key}", problem


def _items(value: Value) -> list[Value]:
    return value if isinstance(value, list) else []
