"""A made-up stack with as many pipelines as a measurement takes."""

from typing import Any

from alerting.plan import Plan, build_plan
from alerting.settings import parse_settings
from alerting.settings.models import Evaluation

STACK = "fleet"
TAG = "dlt"
SLACK, PAGER = "alerts", "on-call"


def fleet_plan(pipelines: int, evaluation: Evaluation = Evaluation.SENTINEL) -> Plan:
    """The plan of a stack with all tiers and so many hourly pipelines, all of which escalate."""
    return build_plan(parse_settings(_raw(pipelines, evaluation), "fleet"), STACK)


def flow_name(index: int) -> str:
    """The flow of a pipeline, counted from 0."""
    return f"pipeline-{index:04}"


def _raw(pipelines: int, evaluation: Evaluation) -> dict[str, Any]:
    return {
        "prefect": {"endpoint": "https://prefect.example.com/api"},
        "tag": TAG,
        "evaluation": evaluation.value,
        "secrets": {
            "slack-url": {"name": "prefect/slack-url", "from": "env"},
            "pagerduty-key": {"name": "prefect/pagerduty-key", "from": "env"},
        },
        "channels": {
            SLACK: {"kind": "slack", "block": "alerts", "secret": "slack-url"},
            PAGER: {"kind": "pagerduty", "block": "on-call", "secret": "pagerduty-key"},
        },
        "tiers": {
            "warning": {"notify": [SLACK]},
            "critical": {"consecutiveFailures": 3, "notify": [PAGER]},
            "p1": {"notify": [PAGER]},
        },
        # What is measured is the judging: nothing is told in a list.
        "noise": {"individually": 1000},
        "escalation": [
            {"after": "15m", "to": "on-call engineer", "notify": [PAGER]},
            {"after": "30m", "to": "team lead", "notify": [PAGER]},
            {"after": "1h", "to": "manager", "notify": [PAGER]},
        ],
        "pipelines": {
            flow_name(index): {"owner": "data", "every": "1h", "escalate": True}
            for index in range(pipelines)
        },
    }
