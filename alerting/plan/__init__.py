"""The pure plan: what a stack's settings mean in AWS and Prefect."""

from alerting.plan.builder import build_plan
from alerting.plan.rules import (
    AutomationRule,
    BlockRule,
    CompoundTrigger,
    EventTrigger,
    Notification,
    Plan,
    Posture,
    SecretRule,
    Tier,
)

__all__ = [
    "AutomationRule",
    "BlockRule",
    "CompoundTrigger",
    "EventTrigger",
    "Notification",
    "Plan",
    "Posture",
    "SecretRule",
    "Tier",
    "build_plan",
]
