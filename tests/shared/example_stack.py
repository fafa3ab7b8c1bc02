"""A small stack that tests change one thing of."""

import copy
from typing import Any

from alerting.plan import AutomationRule, Plan, Tier, build_plan
from alerting.plan.published import PublishedSettings
from alerting.settings import Settings, parse_settings

STACK = "example"
SOURCE = f"Pulumi.{STACK}.yaml"

_RAW: dict[str, Any] = {
    "prefect": {"endpoint": "https://prefect.example.com/api"},
    "defaultOwner": "data-platform",
    "secrets": {
        "slack-url": {"name": "prefect/slack-url", "from": "env"},
        "slack-url-critical": {"name": "prefect/slack-url-critical", "from": "env"},
        "pagerduty-key": {"name": "prefect/pagerduty-key", "from": "secretsmanager"},
    },
    "channels": {
        "alerts": {"kind": "slack", "block": "alerts", "secret": "slack-url"},
        "critical": {"kind": "slack", "block": "critical", "secret": "slack-url-critical"},
        "on-call": {"kind": "pagerduty", "block": "on-call", "secret": "pagerduty-key"},
    },
    "tiers": {
        "warning": {"notify": ["alerts"]},
        "critical": {"consecutiveFailures": 3, "notify": ["critical", "on-call"]},
        "p1": {"notify": ["on-call"]},
    },
    "escalation": [
        {"after": "15m", "to": "on-call engineer", "notify": ["on-call"]},
        {"after": "1h", "to": "manager", "notify": ["on-call"]},
    ],
    "pipelines": {
        "orders": {
            "owner": "shop",
            "runbook": "https://wiki.example.com/orders",
            "every": "24h",
            "escalate": True,
        },
        "clicks": {"owner": "web", "flow": "load-clicks", "deployment": "prod", "every": "1h"},
    },
}


def raw_settings(**changes: object) -> dict[str, Any]:
    """The example's keys and values as a stack file has them, some of them replaced."""
    return {**copy.deepcopy(_RAW), **changes}


FEW_RULES: dict[str, Any] = {
    "evaluation": "triggers",
    "tiers": {"warning": {"notify": ["alerts", "critical", "on-call"]}},
    "escalation": [],
    "pipelines": {},
}
"""Changes that leave a quarter of the automations, for tests of something else."""


def every_kind() -> dict[str, Any]:
    """Changes by which every tier that may tells a channel of every kind and format."""
    secret = {"from": "env"}
    keys = ("slack-url", "pagerduty-key", "teams-url", "mail-key", "hook-url")
    channels: dict[str, dict[str, Any]] = {
        "alerts": {"kind": "slack", "secret": "slack-url"},
        "rich": {"kind": "slack", "secret": "slack-url", "format": "rich"},
        "teams": {"kind": "teams", "secret": "teams-url"},
        "mail": {
            "kind": "email",
            "secret": "mail-key",
            "sender": "alerts@example.com",
            "to": ["team@example.com"],
        },
        "hook": {"kind": "webhook", "secret": "hook-url"},
        "on-call": {"kind": "pagerduty", "secret": "pagerduty-key"},
        "bell": {"kind": "pagerduty", "secret": "pagerduty-key", "incidents": "plain"},
    }
    notify = list(channels)
    quiet = [key for key, channel in channels.items() if channel["kind"] != "pagerduty"]
    expecting = {
        "freshWithin": "26h",
        "maxDuration": "2h",
        "rows": {"min": 1},
        "announceSuccess": True,
    }
    return {
        "secrets": {key: {"name": f"prefect/{key}", **secret} for key in keys},
        "channels": {key: {**channel, "block": key} for key, channel in channels.items()},
        "tiers": {
            **{name: {"notify": notify} for name in ("warning", "p1", "late")},
            **{name: {"notify": notify} for name in ("freshness", "anomaly")},
            "critical": {"consecutiveFailures": 3, "notify": notify},
            "success": {"notify": quiet},
        },
        "dailySummary": {"at": "08:00 Europe/London", "notify": quiet},
        "escalation": [
            {"after": "15m", "to": "on-call engineer", "notify": notify},
            {"after": "1h", "to": "manager", "notify": notify},
        ],
        "pipelines": {
            name: {**pipeline, **expecting} for name, pipeline in _RAW["pipelines"].items()
        },
    }


def settings_of(**changes: object) -> Settings:
    """The example's settings with some top-level keys replaced."""
    return parse_settings(raw_settings(**changes), SOURCE)


def rules_of(**changes: object) -> dict[str, AutomationRule]:
    """The automations by key that the example has with some settings replaced."""
    return {rule.key: rule for rule in _plan_of(changes).automations}


def native_rules_of(**changes: object) -> dict[str, AutomationRule]:
    """The same where Prefect's own triggers judge."""
    return rules_of(evaluation="triggers", **changes)


def pipeline_rules_of(**changes: object) -> dict[str, AutomationRule]:
    """The automations of native triggers that tell of pipelines, without those of drills."""
    rules = native_rules_of(**changes)
    return {key: rule for key, rule in rules.items() if rule.tier is not Tier.DRILL}


def without_pagerduty() -> dict[str, Any]:
    """The example's channels, of which none pages."""
    channels: dict[str, Any] = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    return channels


def examples() -> tuple[dict[str, AutomationRule], ...]:
    """The automations of native triggers with every kind of channel, as it is, and unpaged."""
    return (
        pipeline_rules_of(**every_kind()),
        pipeline_rules_of(),
        pipeline_rules_of(channels=without_pagerduty()),
    )


def published_of(**changes: object) -> PublishedSettings:
    """What hooks and the sentinel are told of the example."""
    return _plan_of(changes).published


def _plan_of(changes: dict[str, object]) -> Plan:
    planned = _PLANNED.get(repr(changes))
    if planned is None:
        planned = _PLANNED[repr(changes)] = build_plan(settings_of(**changes), STACK)
    return planned


_PLANNED: dict[str, Plan] = {}
"""What was planned before: the tests ask for the same plan a hundred times."""
