"""Rules as Prefect's API stores them."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

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

    `block_ids` are by channel, `automation_ids` by the key of the rule.
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
                    "block_document_id": block_ids[notification.channel],
                    "subject": notification.subject,
                    "body": notification.body,
                }
                for notification in rule.notifications
            ],
            [
                {"type": action, "source": "selected", "automation_id": automation_ids[key]}
                for action, key in switches(rule)
            ],
        ),
    }


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
