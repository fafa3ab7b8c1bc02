"""What a deployment would change on what is there, field by field, without secret values."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from alerting.plan import AutomationRule, BlockRule, SecretRule
from alerting.plan.documents import automation_document
from alerting.redaction import redact

_LONGEST = 60
_SETS = frozenset({"expect", "after", "for_each"})
_REFERENCES = ("block_document_id", "automation_id")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Difference:
    """A field, what it holds and what it would."""

    field: str
    there: str
    planned: str


def automation_differences(
    rule: AutomationRule, stored: Document, slugs: Mapping[str, str], names: Mapping[str, str]
) -> tuple[Difference, ...]:
    """What would change on an automation.

    `slugs` are those of blocks and `names` those of automations; for the plan by key, for what is
    stored by id, in one mapping.
    """
    planned = automation_document(rule, slugs, names)
    named = {
        **stored,
        "actions": [_named(action, {**names, **slugs}) for action in stored["actions"]],
    }
    return tuple(_compared("", planned, named))


def block_differences(rule: BlockRule, stored: Document) -> tuple[Difference, ...]:
    """What would change on a block. What a secret fills is named after it."""
    data = stored["data"]
    if rule.type_slug == "secret":
        same = data == rule.data
        return () if same else (Difference("value", "other settings", "the stack's settings"),)
    plain = _compared("", rule.data, data)
    filled = (Difference(f, "(hidden)", f"the value of {key}") for f, key in rule.secrets.items())
    dropped = (Difference(f, _shown(v), "") for f, v in data.items() if _is_dropped(rule, f, v))
    return (*plain, *filled, *dropped)


def secret_differences(rule: SecretRule, stored: Document) -> tuple[Difference, ...]:
    """What would change on a secret beside its value; `stored` is what AWS describes."""
    there = {
        "description": stored.get("Description", ""),
        "tags": {tag["Key"]: tag["Value"] for tag in stored.get("Tags", [])},
        "kms_key_id": stored.get("KmsKeyId"),
    }
    planned = {"description": rule.description, "tags": dict(rule.tags)}
    planned_key = {"kms_key_id": rule.kms_key_id} if rule.kms_key_id else {}
    return tuple(_compared("", {**planned, **planned_key}, there, deep=False))


def _is_dropped(rule: BlockRule, field: str, value: object) -> bool:
    filled = {path.partition(".")[0] for path in rule.secrets}
    return bool(value) and field not in rule.data and field not in filled


def _named(action: Document, names: Mapping[str, str]) -> dict[str, Any]:
    """An action with names in place of ids."""
    return {
        key: names.get(value, value) if key in _REFERENCES else value
        for key, value in action.items()
    }


def _compared(
    path: str, planned: Document, there: Document, *, deep: bool = True
) -> Iterator[Difference]:
    for key, wanted in planned.items():
        place = f"{path}.{key}" if path else key
        stored = there.get(key)
        if key in _SETS and isinstance(stored, list):
            wanted, stored = sorted(wanted), sorted(stored)  # noqa: PLW2901 - in one order
        if deep and key == "trigger" and isinstance(stored, Mapping):
            yield from _compared(place, wanted, stored, deep=False)
        elif deep and key == "actions" and stored is not None and len(wanted) == len(stored):
            for index, (action, there_now) in enumerate(zip(wanted, stored, strict=True)):
                yield from _compared(f"{place}[{index}]", action, there_now, deep=False)
        elif not _holds(stored, wanted):
            yield Difference(place, _shown(stored), _shown(wanted))


def _holds(stored: object, wanted: object) -> bool:
    """Whether what is stored says the same; Prefect adds ids and defaults of its own."""
    if isinstance(wanted, Mapping) and isinstance(stored, Mapping):
        return all(_holds(stored.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list) and isinstance(stored, list):
        return len(wanted) == len(stored) and all(map(_holds, stored, wanted))
    return stored == wanted


def _shown(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    text = redact(text).replace("\n", " ")
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
