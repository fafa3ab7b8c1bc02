"""What the Pulumi program declares for each stack of this project."""

import json
from functools import cache
from typing import Any

import pytest

from alerting.plan import Plan, Tier, build_plan
from alerting.plan.documents import automation_document
from alerting.plan.published import PublishedSettings
from alerting.settings import Settings, parse_settings
from tests.shared.recording_mocks import (
    ALERT_AUTOMATIONS,
    AUTOMATION,
    AWS,
    BLOCK,
    FAKE_ROUTING_KEY,
    FAKE_WEBHOOK,
    NOTIFICATION_CHANNELS,
    PREFECT,
    SECRET,
    SECRET_STORE,
    SECRET_VERSION,
    STACK,
    RecordingMocks,
    arn_of,
    as_api_action,
    as_api_document,
    config_of_file,
    run_program,
    secret_of,
)

pytestmark = [pytest.mark.unit, pytest.mark.usefixtures("credentials")]

STACKS = ("dev", "staging", "prod", "sandbox")
PREFIXES = {"dev": "dev", "staging": "staging"}
KEY_NAME = "prefect/pagerduty-integration-key"


@cache
def deployed(stack: str, **changes: str) -> RecordingMocks:
    """The stack as its file has it, with its PagerDuty key in AWS and some settings changed."""
    config = config_of_file(stack) | {f"data-alerts:{key}": text for key, text in changes.items()}
    prefix = config.get("data-alerts:namePrefix")
    name = f"{prefix}/{KEY_NAME}" if prefix else KEY_NAME
    return run_program(RecordingMocks(in_aws={name: FAKE_ROUTING_KEY}), stack, config)


def settings_of_file(stack: str, **changes: str) -> Settings:
    prefix = "data-alerts:"
    raw: dict[str, Any] = {}
    for key, text in config_of_file(stack).items():
        if key.startswith(prefix):
            raw[key.removeprefix(prefix)] = json.loads(text) if text[0] in "[{" else text
    return parse_settings(raw | changes, stack)


def plan_of_file(stack: str, **changes: str) -> Plan:
    return build_plan(settings_of_file(stack, **changes), stack)


@pytest.mark.parametrize(
    ("stack", "secrets", "versions", "blocks", "automations"),
    [
        ("dev", 3, 3, 4, 24),
        ("staging", 4, 3, 6, 29),
        ("prod", 4, 3, 6, 29),
        ("sandbox", 4, 3, 6, 29),
    ],
)
def test_each_stack_file_makes_so_many_resources(
    stack: str, secrets: int, versions: int, blocks: int, automations: int
) -> None:
    mocks = deployed(stack)
    assert {token: len(mocks.of(token)) for token in {r.token for r in mocks.resources}} == {
        STACK: 1,
        AWS: 1,
        PREFECT: 1,
        SECRET_STORE: 1,
        NOTIFICATION_CHANNELS: 1,
        ALERT_AUTOMATIONS: 1,
        SECRET: secrets,
        SECRET_VERSION: versions,
        BLOCK: blocks,
        AUTOMATION: automations,
    }


def test_without_a_sentinel_there_are_fewer_automations() -> None:
    assert len(deployed("prod", evaluation="triggers").of(AUTOMATION)) == 15


def test_the_number_of_resources_does_not_grow_with_the_pipelines() -> None:
    def pipelines(count: int) -> str:
        return json.dumps(
            {
                f"load-{number}": {
                    "owner": f"team-{number % 7}",
                    "every": "24h" if number % 2 else "1h",
                    "escalate": number % 3 == 0,
                    **({"deployment": "prod"} if number % 5 == 0 else {}),
                }
                for number in range(count)
            }
        )

    few, many = (deployed("prod", pipelines=pipelines(count)).resources for count in (10, 1_000))
    assert {(r.token, r.name) for r in few} == {(r.token, r.name) for r in many}
    assert len(few) == len(many)


@pytest.mark.parametrize(
    ("stack", "days", "protected"),
    [("prod", 30, True), ("staging", 7, False), ("dev", 0, False), ("sandbox", 0, False)],
)
def test_secrets_are_as_hard_to_lose_as_their_environment_asks(
    stack: str, days: int, protected: bool
) -> None:
    mocks = deployed(stack)
    name = "prefect/slack-webhook-url"
    secret = mocks.one(SECRET, "slack-webhook-url")
    assert secret.inputs == {
        "name": f"{PREFIXES[stack]}/{name}" if stack in PREFIXES else name,
        "description": f"slack-webhook-url for Prefect pipeline alerts ({stack})",
        "tags": {"project": "data-alerts", "stack": stack},
        "recoveryWindowInDays": days,
    }
    assert {resource.protect for resource in mocks.of(SECRET)} == {protected}


def test_nothing_but_secrets_is_protected_in_prod() -> None:
    mocks = deployed("prod")
    assert {resource.token for resource in mocks.resources if resource.protect} == {SECRET}


def test_a_stack_with_a_name_of_its_own_is_guarded_as_prod_is() -> None:
    mocks = run_program(
        RecordingMocks(in_aws={KEY_NAME: FAKE_ROUTING_KEY}), "prod-eu", config_of_file("prod")
    )
    secret = mocks.one(SECRET, "slack-webhook-url")
    assert (secret.protect, secret.inputs["recoveryWindowInDays"]) == (True, 30)


def test_a_stack_may_say_what_it_is_for() -> None:
    secret = deployed("prod", environment="staging").one(SECRET, "slack-webhook-url")
    assert (secret.protect, secret.inputs["recoveryWindowInDays"]) == (False, 7)


def test_secrets_take_the_key_that_they_are_to_be_encrypted_with() -> None:
    mocks = deployed("prod", kmsKeyId="alias/alerts")
    assert {resource.inputs["kmsKeyId"] for resource in mocks.of(SECRET)} == {"alias/alerts"}
    assert not any("kmsKeyId" in resource.inputs for resource in deployed("prod").of(SECRET))


def test_values_that_the_stack_brings_become_secret_versions() -> None:
    mocks = deployed("sandbox")  # one value encrypted in the file, two from the environment
    values = {r.name: secret_of(r.inputs["secretString"]) for r in mocks.of(SECRET_VERSION)}
    assert values == {
        "slack-webhook-url": FAKE_WEBHOOK,
        "slack-webhook-url-critical": f"{FAKE_WEBHOOK}CRITICAL",
        "slack-webhook-url-info": f"{FAKE_WEBHOOK}INFO",
    }
    for version in mocks.of(SECRET_VERSION):
        name = mocks.one(SECRET, version.name).inputs["name"]
        assert version.inputs["secretId"] == arn_of(name)


def test_every_resource_is_below_the_component_that_declares_it() -> None:
    mocks = deployed("prod")
    parents = {
        SECRET: f"{SECRET_STORE}::secrets",
        BLOCK: f"{NOTIFICATION_CHANNELS}::channels",
        AUTOMATION: f"{ALERT_AUTOMATIONS}::automations",
        **dict.fromkeys(
            (SECRET_STORE, NOTIFICATION_CHANNELS, ALERT_AUTOMATIONS), "::data-alerts-prod"
        ),
    }
    for resource in mocks.resources:
        assert resource.parent.endswith(parents.get(resource.token, "")), resource.name
    for version in mocks.of(SECRET_VERSION):
        assert version.parent.endswith(f"{SECRET}::{version.name}")


def test_every_resource_has_its_provider_given() -> None:
    mocks = deployed("prod")
    providers = {SECRET: AWS, SECRET_VERSION: AWS, BLOCK: PREFECT, AUTOMATION: PREFECT}
    for resource in mocks.resources:
        if resource.token in providers:
            assert f"{providers[resource.token]}::" in resource.provider, resource.name
    for token, _, provider in mocks.calls:
        assert f"{AWS}::" in provider, token


def test_the_prefect_provider_logs_in_with_a_secret_key() -> None:
    cloud = deployed("prod").one(PREFECT, "prefect").inputs
    assert cloud["endpoint"] == settings_of_file("prod").prefect.endpoint
    assert secret_of(cloud["apiKey"]) == "fake-api-key"
    assert "basicAuthKey" not in cloud
    server = deployed("dev").one(PREFECT, "prefect").inputs
    assert secret_of(server["basicAuthKey"]) == "admin:fake-password"
    assert "apiKey" not in server
    assert set(deployed("sandbox").one(PREFECT, "prefect").inputs) == {"endpoint"}


def test_a_slack_block_has_its_webhook_and_all_of_its_data_is_secret() -> None:
    block = deployed("staging").one(BLOCK, "data-alerts-critical")
    assert set(block.inputs) == {"name", "typeSlug", "data"}
    assert block.inputs["name"] == "staging-alerts-critical"
    assert block.inputs["typeSlug"] == "slack-webhook"
    assert json.loads(str(secret_of(block.inputs["data"]))) == {
        "notify_type": "failure",
        "url": f"{FAKE_WEBHOOK}CRITICAL",
    }


def test_a_pagerduty_block_pages_with_critical_severity_and_an_api_key_that_is_not_blank() -> None:
    block = deployed("prod").one(BLOCK, "on-call")
    assert block.inputs["typeSlug"] == "pager-duty-webhook"
    assert json.loads(str(secret_of(block.inputs["data"]))) == {
        "notify_type": "failure",
        "region_name": "us",
        "integration_key": FAKE_ROUTING_KEY,
        "api_key": "unused",
    }


def test_pages_go_through_a_webhook_that_brings_the_routing_key_and_nothing_else_does() -> None:
    block = deployed("prod").one(BLOCK, "on-call-incidents")
    assert block.inputs["name"] == deployed("prod").one(BLOCK, "on-call").inputs["name"]
    assert block.inputs["typeSlug"] == "custom-webhook"
    assert json.loads(str(secret_of(block.inputs["data"]))) == {
        "name": "on-call",
        "url": "https://events.pagerduty.com/v2/enqueue",
        "form_data": '{"routing_key": "{{\nrouting_key\n}}", {{body}}}',
        "headers": {"Content-Type": "application/json"},
        "timeout": 5,
        "secrets": {"routing_key": FAKE_ROUTING_KEY},
    }


def test_a_stack_may_page_in_europe_and_by_the_guides_block_alone() -> None:
    def channels(**changes: str) -> str:
        declared: dict[str, Any] = json.loads(config_of_file("prod")["data-alerts:channels"])
        declared["on-call"] |= changes
        return json.dumps(declared)

    europe = deployed("prod", channels=channels(region="eu"))
    incidents = json.loads(str(secret_of(europe.one(BLOCK, "on-call-incidents").inputs["data"])))
    assert incidents["url"] == "https://events.eu.pagerduty.com/v2/enqueue"
    plain = json.loads(str(secret_of(europe.one(BLOCK, "on-call").inputs["data"])))
    assert plain["region_name"] == "eu"
    by_hand = deployed("prod", channels=channels(incidents="plain"))
    assert "on-call-incidents" not in {block.name for block in by_hand.of(BLOCK)}
    actions = by_hand.one(AUTOMATION, "p1-all-down").inputs["actions"]
    assert [action["blockDocumentId"] for action in actions] == ["on-call-id"]


def test_the_settings_that_flow_hooks_read_are_a_secret_block() -> None:
    block = deployed("dev").one(BLOCK, "hooks")
    assert (block.inputs["name"], block.inputs["typeSlug"]) == ("dev-data-alerts", "secret")
    data = json.loads(str(secret_of(block.inputs["data"])))
    published = PublishedSettings.unpacked(data["value"])
    assert published.failure_blocks == ("slack-webhook/dev-alerts",)
    assert published.success_blocks == ("slack-webhook/dev-info",)
    assert published.failure_automation == "[dev] DLT Pipeline Failure Alert"
    assert [pipeline.flow for pipeline in published.pipelines] == [
        "load-clicks",
        "exchange-rates-daily",
        "products-daily",
    ]


def test_no_secret_is_registered_in_plain_text() -> None:
    mocks = deployed("prod")

    def plain(value: object) -> object:
        """The value without what is marked secret in it."""
        if isinstance(value, dict):
            return (
                {}
                if "4dabf18193072939515e22adb298388d" in value
                else {k: plain(v) for k, v in value.items()}
            )
        return [plain(inner) for inner in value] if isinstance(value, list) else value

    text = json.dumps([plain(dict(resource.inputs)) for resource in mocks.resources])
    for secret in (FAKE_WEBHOOK, FAKE_ROUTING_KEY, "fake-api-key"):
        assert secret not in text
        assert secret not in json.dumps(mocks.outputs)


@pytest.mark.parametrize(
    ("stack", "evaluation"),
    [*((stack, "sentinel") for stack in STACKS), ("prod", "triggers")],
)
def test_every_automation_is_declared_as_planned(stack: str, evaluation: str) -> None:
    mocks = deployed(stack) if evaluation == "sentinel" else deployed(stack, evaluation=evaluation)
    plan = plan_of_file(stack, evaluation=evaluation)
    block_ids = {block.key: f"{block.key}-id" for block in plan.blocks}
    automation_ids = {rule.key: f"{rule.key}-id" for rule in plan.automations}
    for rule in plan.automations:
        inputs = mocks.one(AUTOMATION, rule.key).inputs
        declared = {
            "name": inputs["name"],
            "description": inputs["description"],
            "enabled": inputs["enabled"],
            "trigger": as_api_document(inputs["trigger"]),
            "actions": [as_api_action(action) for action in inputs["actions"]],
        }
        assert declared == automation_document(rule, block_ids, automation_ids)


def test_standby_automations_are_made_paused() -> None:
    mocks = deployed("prod")
    for rule in plan_of_file("prod").automations:
        automation = mocks.one(AUTOMATION, rule.key)
        assert automation.inputs["enabled"] is not rule.standby
        # Those that are there are in test_program_preflight.
        assert automation.ignore_changes == ()


def test_the_watch_resumes_every_standby_automation_and_a_heartbeat_pauses_them_again() -> None:
    mocks = deployed("prod")
    standby = [f"{rule.key}-id" for rule in plan_of_file("prod").automations if rule.standby]
    assert len(standby) == 9
    for key, action in {
        "sentinel-silent": "resume-automation",
        "sentinel-back": "pause-automation",
    }.items():
        actions = mocks.one(AUTOMATION, key).inputs["actions"]
        switches = [each for each in actions if each["type"] != "send-notification"]
        assert switches == [
            {"type": action, "source": "selected", "automationId": each} for each in standby
        ]


def test_what_starts_the_watch_is_deployed_after_it_and_after_the_standby() -> None:
    mocks = deployed("prod")
    before = {urn.split("::")[-1] for urn in mocks.one(AUTOMATION, "sentinel-back").dependencies}
    standby = {rule.key for rule in plan_of_file("prod").automations if rule.standby}
    assert before >= {"sentinel-silent", *standby}


def test_a_name_prefix_is_in_every_name() -> None:
    mocks = deployed("staging")
    assert all(r.inputs["name"].startswith("staging/") for r in mocks.of(SECRET))
    assert all(r.inputs["name"].startswith("staging-") for r in mocks.of(BLOCK))
    assert all(r.inputs["name"].startswith("[staging] ") for r in mocks.of(AUTOMATION))


def test_outputs_are_arns_block_ids_and_automation_ids_by_tier() -> None:
    mocks = deployed("prod")
    assert set(mocks.outputs) == {"secretArns", "blockIds", "automationIds"}
    assert mocks.outputs["secretArns"] == {
        r.name: arn_of(r.inputs["name"]) for r in mocks.of(SECRET)
    }
    assert mocks.outputs["blockIds"] == {r.name: f"{r.name}-id" for r in mocks.of(BLOCK)}
    by_tier = mocks.outputs["automationIds"]
    # No pipeline of the stack expects data in time, or so many rows.
    assert set(by_tier) == set(Tier) - {Tier.FRESHNESS, Tier.ANOMALY}
    ids = {key: id_ for tier in by_tier.values() for key, id_ in tier.items()}
    assert ids == {r.name: f"{r.name}-id" for r in mocks.of(AUTOMATION)}
