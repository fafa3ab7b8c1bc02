"""Names, secrets and blocks of the plan."""

import random
from typing import Any

import pytest

from alerting.plan import BlockRule, Plan, build_plan
from alerting.plan.names import ui_url_of
from alerting.plan.published import PublishedSettings
from tests.shared.example_stack import raw_settings, settings_of

pytestmark = pytest.mark.unit

ID = "0a1b2c3d-0000-0000-0000-000000000000"
CLOUD = {
    "endpoint": f"https://api.prefect.cloud/api/accounts/{ID}/workspaces/{ID}",
    "apiKey": {"from": "env"},
}


def plan_of(stack: str = "example", **changes: object) -> Plan:
    return build_plan(settings_of(**changes), stack)


def block(plan: Plan, key: str) -> BlockRule:
    (found,) = (rule for rule in plan.blocks if rule.key == key)
    return found


def many_pipelines() -> dict[str, Any]:
    """Pipelines with windows, deployments and escalations of all sorts."""
    chance = random.Random(7)  # the same each time
    return {
        f"flow-{number}": {
            "owner": "web",
            "flow": f"load-{number // 2}",
            "deployment": f"deploy-{number}",
            "every": chance.choice(["1h", "7h", "9h", "24h", "25h", "7d", "8d"]),
            "escalate": chance.choice([True, False]),
        }
        for number in range(60)
    }


@pytest.mark.parametrize("evaluation", ["sentinel", "triggers"])
def test_keys_and_names_are_unique(evaluation: str) -> None:
    steps = [
        {"after": after, "to": "on-call", "notify": ["on-call"]}
        for after in ("10s", "1m", "90s", "59m", "1h", "61m", "24h", "2d", "49h")
    ]
    plan = plan_of(evaluation=evaluation, pipelines=many_pipelines(), escalation=steps)
    for rules in (plan.automations, plan.blocks, plan.secrets):
        assert len({rule.key for rule in rules}) == len(rules)
    for named in (plan.automations, plan.secrets):
        assert len({rule.name for rule in named}) == len(named)
    # Of blocks Prefect takes one name of each type.
    assert len({rule.slug for rule in plan.blocks}) == len(plan.blocks)


def test_automations_are_called_what_the_guide_calls_them() -> None:
    assert {rule.key: rule.name for rule in plan_of().automations if not rule.standby} == {
        "warning": "DLT Pipeline Failure Alert",
        "recovery": "DLT Pipeline Recovery",
        "critical": "DLT Pipeline Critical Alert",
        "escalation-15m": "DLT Pipeline Escalation (15m)",
        "escalation-1h": "DLT Pipeline Escalation (1h)",
        "p1-all-down": "DLT Pipelines All Down",
        "late": "DLT Pipeline Late",
        "silence-over": "DLT Silence Over",
        "resolved": "DLT Incident Resolved",
        "p1-resolved": "DLT Pipelines Not All Down",
        "lost": "DLT Pipeline Lost",
        "p1-work-pool": "DLT Work Pool Not Ready",
        "work-pool-ready": "DLT Work Pool Ready",
        "sentinel-silent": "DLT Sentinel Silent",
        "sentinel-back": "DLT Sentinel Back",
        "drill": "DLT Drill",
        "drill-page": "DLT Drill Page",
        "drill-page-over": "DLT Drill Page Over",
    }


def test_automations_are_called_the_same_where_native_triggers_judge() -> None:
    rules = plan_of(evaluation="triggers").automations
    assert {rule.key: rule.name for rule in rules} == {
        "warning": "DLT Pipeline Failure Alert",
        "recovery": "DLT Pipeline Recovery",
        "late": "DLT Pipeline Late Start",
        "critical-3d": "DLT Pipeline Critical Alert (3d)",
        "critical": "DLT Pipeline Critical Alert",
        "escalation-15m": "DLT Pipeline Escalation (15m)",
        "escalation-1h": "DLT Pipeline Escalation (1h)",
        "p1-all-down": "DLT Pipelines All Down",
        "lost": "DLT Pipeline Lost",
        "p1-work-pool": "DLT Work Pool Not Ready",
        "work-pool-ready": "DLT Work Pool Ready",
        "drill": "DLT Drill",
        "drill-page": "DLT Drill Page",
        "drill-page-over": "DLT Drill Page Over",
    }


def test_a_prefix_goes_before_every_name_and_no_key() -> None:
    plain, prefixed = plan_of(), plan_of(namePrefix="team-a")
    for before, after in zip(plain.secrets, prefixed.secrets, strict=True):
        assert (after.key, after.name) == (before.key, f"team-a/{before.name}")
        assert after.variable == before.variable
    for one, other in zip(plain.blocks, prefixed.blocks, strict=True):
        assert (other.key, other.name) == (one.key, f"team-a-{one.name}")
    for left, right in zip(plain.automations, prefixed.automations, strict=True):
        assert (right.key, right.name) == (left.key, f"[team-a] {left.name}")


def test_secrets_say_what_they_are_for_and_where_they_belong() -> None:
    (pagerduty, slack, _) = plan_of("prod").secrets
    assert slack.name == "prefect/slack-url"
    assert slack.description == "slack-url for Prefect pipeline alerts (prod)"
    assert slack.tags == {"project": "data-alerts", "stack": "prod"}
    assert (slack.variable, slack.kind) == ("SLACK_URL", "slack")
    assert (pagerduty.variable, pagerduty.kind) == ("PAGERDUTY_KEY", "pagerduty")


@pytest.mark.parametrize(
    ("stack", "environment", "guarded"),
    [
        ("prod", None, (30, True)),
        ("staging", None, (7, False)),
        ("dev", None, (0, False)),
        ("sandbox", None, (0, False)),
        ("prod-eu", None, (30, True)),
        ("prod-eu", "dev", (0, False)),
        ("dev", "prod", (30, True)),
    ],
)
def test_secrets_are_guarded_as_their_environment_asks(
    stack: str, environment: str | None, guarded: tuple[int, bool]
) -> None:
    for secret in plan_of(stack, environment=environment).secrets:
        assert (secret.recovery_window_days, secret.protect) == guarded


def test_a_slack_block_has_the_colour_of_the_gravest_tier_that_it_hears() -> None:
    channels = raw_settings()["channels"]
    channels["info"] = {"kind": "slack", "block": "info", "secret": "slack-url"}
    tiers = {**raw_settings()["tiers"], "success": {"notify": ["info"]}}
    plan = plan_of(channels=channels, tiers=tiers)
    assert block(plan, "alerts").data == {"notify_type": "warning"}
    assert block(plan, "critical").data == {"notify_type": "failure"}
    assert block(plan, "info").data == {"notify_type": "info"}
    assert block(plan, "alerts").secrets == {"url": "slack-url"}
    assert block(plan, "alerts").slug == "slack-webhook/alerts"


def test_a_pagerduty_block_is_critical_and_never_has_a_blank_api_key() -> None:
    channels = raw_settings()["channels"]
    assert block(plan_of(), "on-call").data == {
        "notify_type": "failure",
        "region_name": "us",
        "api_key": "unused",
    }
    channels["on-call"] |= {"region": "eu", "apiKeySecret": "pagerduty-key"}
    rule = block(plan_of(channels=channels), "on-call")
    assert rule.data == {"notify_type": "failure", "region_name": "eu"}
    assert rule.secrets == {"integration_key": "pagerduty-key", "api_key": "pagerduty-key"}


def test_a_channel_that_is_not_set_up_has_no_block() -> None:
    channels = raw_settings()["channels"]
    del channels["on-call"]["secret"]
    plan = plan_of(channels=channels)
    assert [rule.key for rule in plan.blocks] == ["alerts", "critical", "hooks"]


def test_settings_are_published_for_flow_hooks_and_the_sentinel() -> None:
    plan = plan_of(namePrefix="team")
    rule = block(plan, "hooks")
    assert (rule.type_slug, rule.name, rule.secrets) == ("secret", "team-data-alerts", {})
    assert PublishedSettings.unpacked(rule.data["value"]) == plan.published


def test_successes_go_where_failures_go_when_nothing_else_is_said() -> None:
    published = plan_of().published
    assert published.success_blocks == published.failure_blocks == ("slack-webhook/alerts",)


@pytest.mark.parametrize(
    ("prefect", "url"),
    [
        ({"endpoint": "https://prefect.example.com/api"}, "https://prefect.example.com"),
        ({"endpoint": "http://127.0.0.1:4200/api/"}, "http://127.0.0.1:4200"),
        ({"endpoint": "https://example.com/prefect/api"}, "https://example.com/prefect"),
        (CLOUD, f"https://app.prefect.cloud/account/{ID}/workspace/{ID}"),
        ({**CLOUD, "uiUrl": "https://prefect.example.com/ui/"}, "https://prefect.example.com/ui"),
    ],
)
def test_people_are_sent_to_the_pages_of_their_prefect(prefect: object, url: str) -> None:
    assert ui_url_of(settings_of(prefect=prefect)) == url
