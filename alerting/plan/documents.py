"""Rules as Prefect's API stores them."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from alerting.plan.rules import AutomationRule, CompoundTrigger, EventTrigger, Labels

Document = dict[str, object]
Action = TypeVar("Action")


def labels_document(labels: Labels) -> Document:
    """Labels with lists where any of several values will do."""
    return {key: value if isinstance(value, str) else list(value) for key, value in labels.items()}


def related_document(labels: Sequence[Labels]) -> Document | list[Document]:
    """Labels of related resources: one mapping, or a list of which each must be met."""
    documents = [labels_document(each) for each in labels]
    if len(documents) == 1:
        return documents[0]
    return documents or {}


def trigger_document(trigger: EventTrigger | CompoundTrigger) -> Document:
    """A trigger as the API takes it; windows in seconds."""
    if isinstance(trigger, CompoundTrigger):
        return {
            "type": "compound",
            "require": trigger.require,
            "within": trigger.within.total_seconds(),
            "triggers": [trigger_document(child) for child in trigger.triggers],
        }
    return {
        "type": "event",
        "posture": trigger.posture.value,
        "expect": sorted(trigger.expect),
        "after": sorted(trigger.after),
        "for_each": sorted(trigger.for_each),
        "match": labels_document(trigger.match),
        "match_related": related_document(trigger.match_related),
        "threshold": trigger.threshold,
        "within": trigger.within.total_seconds(),
    }


def automation_document(
    rule: AutomationRule, block_ids: Mapping[str, str], automation_ids: Mapping[str, str]
) -> Document:
    """An automation as the API takes it.

    `block_ids` and `automation_ids` are by the keys of their rules.
    """
    return {
        "name": rule.name,
        "description": rule.description,
        "enabled": rule.enabled,
        "trigger": trigger_document(rule.trigger),
        "actions": in_order(
            rule,
            [
                {
                    "type": "send-notification",
                    "block_document_id": block_ids[notification.block],
                    "subject": notification.subject,
                    "body": notification.body,
                }
                for notification in rule.notifications
            ],
            [
                {"type": action, "source": "selected", "automation_id": automation_ids[key]}
                for action, key in switches(rule)
            ],
        )
        + crashing(rule),
    }


def crashing(rule: AutomationRule) -> list[Document]:
    """The action that sets a run to crashed, where the rule has one."""
    if rule.crashes is None:
        return []
    return [
        {
            "type": "change-flow-run-state",
            "state": "CRASHED",
            "name": "Crashed",
            "message": rule.crashes,
        }
    ]


def held(document: Mapping[str, Any], path: str) -> object:
    """What a block's data holds in a field, or in one within another; None where it has none."""
    found: object = document
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def switches(rule: AutomationRule) -> list[tuple[str, str]]:
    """Actions that switch other automations on and off, each with the key of the other."""
    return [
        *(("resume-automation", key) for key in rule.resumes),
        *(("pause-automation", key) for key in rule.pauses),
    ]


def in_order(
    rule: AutomationRule, notifications: list[Action], switched: list[Action]
) -> list[Action]:
    """A rule's actions: first whom to wake, but what a message says is done is done before it."""
    return [*switched, *notifications] if rule.pauses else [*notifications, *switched]
