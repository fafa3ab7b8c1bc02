"""Prefect automations from the plan's rules."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TypedDict

import pulumi
import pulumi_prefect as prefect

from alerting.adoption.claims import NEW, Claim
from alerting.plan import AutomationRule, CompoundTrigger, EventTrigger
from alerting.plan.documents import crashing, in_order, labels_document, related_document, switches
from alerting.settings import PROJECT


class AlertAutomations(pulumi.ComponentResource):
    """The automations of every tier."""

    ids_by_tier: dict[str, dict[str, pulumi.Output[str]]]

    def __init__(
        self,
        name: str,
        *,
        rules: Sequence[AutomationRule],
        block_ids: Mapping[str, pulumi.Output[str]],
        claims: Mapping[str, Claim],
        provider: prefect.Provider,
    ) -> None:
        """Declare an automation for each rule; `block_ids` and `claims` are by key."""
        super().__init__(f"{PROJECT}:automations:AlertAutomations", name)
        ids: defaultdict[str, dict[str, pulumi.Output[str]]] = defaultdict(dict)
        automations: dict[str, prefect.Automation] = {}
        for rule in rules:
            claim = claims.get(rule.key, NEW)
            # Switched on while the sentinel is silent, which is no drift.
            switched_on = rule.standby and claim.enabled
            automation = prefect.Automation(
                rule.key,
                name=rule.name,
                description=rule.description,
                enabled=rule.enabled or switched_on,
                trigger=_trigger(rule.trigger),
                actions=in_order(
                    rule,
                    [
                        prefect.AutomationActionArgs(
                            type="send-notification",
                            block_document_id=block_ids[notification.block],
                            subject=notification.subject,
                            body=notification.body,
                        )
                        for notification in rule.notifications
                    ],
                    [
                        prefect.AutomationActionArgs(
                            type=action, source="selected", automation_id=automations[key].id
                        )
                        for action, key in switches(rule)
                    ],
                )
                + [
                    prefect.AutomationActionArgs(
                        type=str(action["type"]),
                        state=str(action["state"]),
                        name=str(action["name"]),
                        message=str(action["message"]),
                    )
                    for action in crashing(rule)
                ],
                opts=pulumi.ResourceOptions(
                    parent=self,
                    provider=provider,
                    depends_on=[automations[key] for key in rule.created_after],
                    import_=claim.import_id,
                    aliases=[pulumi.Alias(name=key) for key in claim.moved_from],
                    # Only then: an import reads no `false`, and what is ignored becomes `true`.
                    ignore_changes=["enabled"] if switched_on and claim.deployed else [],
                ),
            )
            automations[rule.key] = automation
            ids[rule.tier.value][rule.key] = automation.id
        self.ids_by_tier = dict(ids)
        self.register_outputs({"automationIds": self.ids_by_tier})


def _trigger(trigger: EventTrigger | CompoundTrigger) -> prefect.AutomationTriggerArgs:
    if isinstance(trigger, EventTrigger):
        return prefect.AutomationTriggerArgs(
            event=prefect.AutomationTriggerEventArgs(**_event(trigger))
        )
    return prefect.AutomationTriggerArgs(
        compound=prefect.AutomationTriggerCompoundArgs(
            require=trigger.require,
            within=trigger.within.total_seconds(),
            triggers=[
                prefect.AutomationTriggerCompoundTriggerArgs(
                    event=prefect.AutomationTriggerCompoundTriggerEventArgs(**_event(child))
                )
                for child in trigger.triggers
            ],
        )
    )


class _EventArguments(TypedDict):
    """Arguments of an event trigger, whose class the SDK has twice: alone and in a compound."""

    posture: str
    expects: list[str]
    afters: list[str] | None
    for_eaches: list[str] | None
    match: str
    match_related: str
    threshold: float
    within: float


def _event(trigger: EventTrigger) -> _EventArguments:
    return {
        "posture": trigger.posture.value,
        "expects": list(trigger.expect),
        # Left out where empty: a thousand children of a compound make the engine feel each field.
        "afters": list(trigger.after) or None,
        "for_eaches": list(trigger.for_each) or None,
        "match": json.dumps(labels_document(trigger.match)),
        "match_related": json.dumps(related_document(trigger.match_related)),
        "threshold": trigger.threshold,
        "within": trigger.within.total_seconds(),
    }
