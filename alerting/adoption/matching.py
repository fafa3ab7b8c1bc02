"""Which of the things that are there belong to which rule of a plan, and what is to be done."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from alerting.adoption.differences import (
    Difference,
    automation_differences,
    block_differences,
    secret_differences,
)
from alerting.adoption.inventory import Inventory
from alerting.adoption.terraform import Managed
from alerting.adoption.things import Found, Kind
from alerting.adoption.workspace import found_automations, found_blocks, slug_of
from alerting.plan import AutomationRule, Plan, SecretRule
from alerting.plan.ownership import stack_of_tags

# The guide's rules, which the plan has under other names: what its code calls them, their names.
_GUIDE = {
    "warning": ("dlt_failure_alert", "DLT Pipeline Failure Alert"),
    "critical": ("dlt_critical_alert", "DLT Pipeline Critical Alert (PagerDuty)"),
}


class Step(StrEnum):
    """What happens to a thing that is there."""

    ADOPT = "adopt"
    RESTORE = "restore"
    """A secret that is scheduled for deletion."""
    NOTHING = "nothing"
    """The deployment takes it over by itself."""
    REFUSE = "refuse"
    """It is another stack's, or one of several of its name."""


@dataclass(frozen=True)
class Match:
    """A thing that is there, the rule that it belongs to, and what happens to it."""

    kind: Kind
    key: str
    id: str
    name: str
    where: str
    step: Step
    note: str = ""
    differences: tuple[Difference, ...] = ()
    terraform: str | None = None
    """Its address in Terraform's state."""


@dataclass(frozen=True)
class Leftover:
    """A thing that belongs to no rule and stays as it is."""

    found: Found
    hint: str


@dataclass(frozen=True)
class Matching:
    """What adopting for a stack means."""

    matches: tuple[Match, ...]
    leftovers: tuple[Leftover, ...]

    def with_step(self, *steps: Step) -> list[Match]:
        """The matches to which one of these happens."""
        return [match for match in self.matches if match.step in steps]


def match(
    plan: Plan, inventory: Inventory, managed: Sequence[Managed], shared: frozenset[str]
) -> Matching:
    """Find what belongs to the plan; `shared` are keys of secrets that are only read."""
    matcher = _Matcher(plan, inventory, managed, shared)
    matches = (*matcher.secrets(), *matcher.blocks(), *matcher.automations())
    return Matching(matches, tuple(matcher.leftovers({each.id for each in matches})))


class _Matcher:
    def __init__(
        self, plan: Plan, inventory: Inventory, managed: Sequence[Managed], shared: frozenset[str]
    ) -> None:
        self._plan, self._inventory, self._shared = plan, inventory, shared
        self._managed = {thing.id: thing for thing in managed}
        self._blocks = {block["id"]: block for block in inventory.blocks}
        self._automations = {each["id"]: each for each in inventory.automations}
        self._owners = {found.id: found for found in found_automations(inventory.automations)}

    def secrets(self) -> Iterator[Match]:
        for rule in self._plan.secrets:
            if stored := self._inventory.secrets.get(rule.name):
                yield self._secret(rule, stored)

    def blocks(self) -> Iterator[Match]:
        rules = {rule.slug: rule for rule in self._plan.blocks}
        for found in found_blocks(self._inventory.blocks, self._plan.settings_slug):
            rule = rules[found.name]
            step, note = self._step(found)
            differences = block_differences(rule, self._blocks[found.id])
            yield self._match(rule.key, found, step, note, differences)

    def automations(self) -> Iterator[Match]:
        # By key for the plan's side, by id for the other: neither looks like the other.
        slugs = {i: slug_of(block) for i, block in self._blocks.items()}
        slugs |= {rule.key: rule.slug for rule in self._plan.blocks}
        names = {i: each["name"] for i, each in self._automations.items()}
        names |= {rule.key: rule.name for rule in self._plan.automations}
        for rule in self._plan.automations:
            candidates = self._candidates(rule)
            for found in candidates:
                step, note = self._step(found)
                if len(candidates) > 1:
                    step, note = Step.REFUSE, f"one of {len(candidates)}: delete all but one"
                stored = self._automations[found.id]
                differences = automation_differences(rule, stored, slugs, names)
                yield self._match(rule.key, found, step, note, differences)

    def leftovers(self, matched: set[str]) -> Iterator[Leftover]:
        told = {found.id for found in found_blocks(self._inventory.blocks, "")}
        for i, found in self._owners.items():
            if i in matched:
                continue
            remove = f"prefect automation delete --id {i}"
            if found.stack == self._plan.stack:
                yield Leftover(found, f"the stack made it and plans it no more: {remove}")
            elif i in self._managed or (not found.stack and self._tells(i, told)):
                hint = f"tells the same channels as before. Once the stack's rules do: {remove}"
                yield Leftover(found, hint)
        for thing in self._managed.values():
            if thing.id not in matched and thing.id not in self._owners:
                found = Found(thing.kind, thing.id, thing.name, None)
                hint = f"no {thing.kind} of this name is planned: name it in the stack's file"
                yield Leftover(found, hint)

    def _tells(self, automation: str, blocks: set[str]) -> bool:
        actions = self._automations[automation]["actions"]
        return any(action.get("block_document_id") in blocks for action in actions)

    def _candidates(self, rule: AutomationRule) -> list[Found]:
        named = [found for found in self._owners.values() if found.name == rule.name]
        label, name = _GUIDE.get(rule.key, ("", ""))
        alike = [
            found
            for i, found in self._owners.items()
            if not found.stack
            and (found.name == name or (i in self._managed and self._managed[i].label == label))
        ]
        return named or alike

    def _secret(self, rule: SecretRule, stored: Mapping[str, Any]) -> Match:
        tags = {tag["Key"]: tag["Value"] for tag in stored.get("Tags", [])}
        found = Found(Kind.SECRET, stored["ARN"], rule.name, stack_of_tags(tags))
        step, note = self._step(found)
        if rule.key in self._shared:
            step, note = Step.NOTHING, "filled out of band: the deployment takes it over"
        if deleted := stored.get("DeletedDate"):
            step, note = Step.RESTORE, _scheduled(rule.name, deleted)
        return self._match(rule.key, found, step, note, secret_differences(rule, stored))

    def _step(self, found: Found) -> tuple[Step, str]:
        if found.stack == self._plan.stack:
            return Step.NOTHING, "carries the stack's mark: the deployment takes it over"
        if found.stack:
            return Step.REFUSE, f"made by stack {found.stack}: set data-alerts:namePrefix"
        return Step.ADOPT, ""

    def _match(
        self,
        key: str,
        found: Found,
        step: Step,
        note: str,
        differences: tuple[Difference, ...],
    ) -> Match:
        service = "AWS" if found.kind is Kind.SECRET else "Prefect"
        managed = self._managed.get(found.id)
        where = f"{service}, Terraform" if managed else service
        return Match(
            kind=found.kind,
            key=key,
            id=found.id,
            name=found.name,
            where=where,
            step=step,
            note=note,
            differences=differences,
            terraform=managed.address if managed else None,
        )


def _scheduled(name: str, deleted: datetime) -> str:
    return (
        f"is deleted on {deleted:%Y-%m-%d}, and its name is taken until then: "
        f"aws secretsmanager restore-secret --secret-id {name}"
    )
