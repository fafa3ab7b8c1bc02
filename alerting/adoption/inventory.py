"""All that a stack's adoption can concern, as it is in AWS and Prefect."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from alerting.adoption.workspace import Workspace
from alerting.plan import Plan

Description = Mapping[str, Any]
Describe = Callable[[str], Description | None]
"""What Secrets Manager says of the secret of a name, None when it has none."""


@dataclass(frozen=True)
class Inventory:
    """Documents as the services have them. They hold secrets."""

    secrets: Mapping[str, Description] = field(default_factory=dict, repr=False)
    """Descriptions by name, those scheduled for deletion included."""
    blocks: Sequence[dict[str, Any]] = field(default=(), repr=False)
    automations: Sequence[dict[str, Any]] = field(default=(), repr=False)
    """Every one of the workspace."""


def take_inventory(plan: Plan, workspace: Workspace, describe: Describe) -> Inventory:
    """Ask for all of it.

    Raises:
        WorkspaceError: when Prefect does not answer, and what `describe` raises.
    """
    blocks = workspace.blocks(block.slug for block in plan.blocks)
    automations = workspace.all_automations()
    described = {rule.name: describe(rule.name) for rule in plan.secrets}
    secrets = {name: document for name, document in described.items() if document}
    return Inventory(secrets, blocks, automations)
