"""Policies of secrets and webhooks: what they stop and what they let through."""

import json
from typing import Any

import pytest

from tests.shared.recording_mocks import (
    AUTOMATION,
    AWS,
    BLOCK,
    FAKE_WEBHOOK,
    PREFECT,
    SECRET,
    SECRET_VERSION,
)
from tests.tools.policed_stack import PolicedStack, secret, unknown

pytestmark = [pytest.mark.tools, pytest.mark.usefixtures("credentials")]

STACKS = ("dev", "staging", "prod", "sandbox")
OTHER = "https://hooks.slack.com/services/T1/B1/ANOTHERFAKE"


@pytest.mark.parametrize(
    ("token", "name", "field"),
    [
        (BLOCK, "data-alerts", "data"),
        (SECRET_VERSION, "slack-webhook-url", "secretString"),
        (PREFECT, "prefect", "apiKey"),
    ],
)
@pytest.mark.parametrize("value", ['{"url": "x"}', unknown()])
def test_what_must_be_secret_may_not_be_plain_whatever_it_holds(
    token: str, name: str, field: str, value: str
) -> None:
    stack = PolicedStack("prod")
    stack.change(token, name, **{field: value})
    assert stack.violations("no-plain-secret") == [
        f"{name}: {field} is in plain. Wrap it: pulumi.Output.secret(...)."
    ]


@pytest.mark.parametrize("value", [json.dumps({"url": OTHER}), unknown()])
def test_a_secret_may_hold_another_value(value: str) -> None:
    stack = PolicedStack("prod")
    stack.change(BLOCK, "data-alerts", data=secret(value))
    assert stack.violations("no-plain-secret") == []


@pytest.mark.parametrize(
    ("token", "name", "inputs", "field"),
    [
        (SECRET, "slack-webhook-url", {"description": f"for {FAKE_WEBHOOK}"}, "description"),
        (SECRET, "slack-webhook-url", {"tags": {"note": FAKE_WEBHOOK}}, "tags.note"),
        (AUTOMATION, "warning", {"description": "api_key=abc123"}, "description"),
        (AUTOMATION, "warning", {"actions": [{"body": FAKE_WEBHOOK}]}, "actions[0].body"),
        (
            AUTOMATION,
            "warning",
            {"trigger": {"event": {"match": json.dumps({"x": FAKE_WEBHOOK})}}},
            "trigger.event.match.x",
        ),
    ],
)
def test_no_text_may_hold_what_looks_like_a_secret_and_none_is_repeated(
    token: str, name: str, inputs: dict[str, Any], field: str
) -> None:
    stack = PolicedStack("prod")
    stack.change(token, name, **inputs)
    [told] = stack.violations("no-plain-secret")
    assert told.startswith(f"{name}: {field} holds what looks like a webhook, key or password")
    assert "FAKE" not in told
    assert "abc123" not in told


def test_an_endpoint_is_no_secret() -> None:
    stack = PolicedStack("prod")
    endpoints = json.dumps([{"secretsmanager": "https://vpce-1.secretsmanager.eu-west-1.vpce"}])
    stack.change(AWS, "aws", endpoints=endpoints)
    assert stack.violations("no-plain-secret") == []


@pytest.mark.parametrize("days", [0, 7, 29])
def test_production_can_bring_a_deleted_secret_back_for_30_days(days: int) -> None:
    stack = PolicedStack("prod")
    stack.change(SECRET, "slack-webhook-url", recoveryWindowInDays=days)
    [told] = stack.violations("secrets-recoverable")
    assert told.startswith(f"slack-webhook-url: can be recovered for {days} days")
    assert told.endswith("Set recovery_window_in_days to 30.")
    stack.change(SECRET, "slack-webhook-url", recoveryWindowInDays=30)
    assert stack.violations("secrets-recoverable") == []


def test_production_protects_its_secrets() -> None:
    stack = PolicedStack("prod")
    stack.unprotect(SECRET, "slack-webhook-url")
    assert stack.violations("secrets-recoverable") == [
        "slack-webhook-url: is not protected from deletion. Set protect=True."
    ]


@pytest.mark.parametrize(
    ("stack", "environment", "stopped"),
    [("prod", "prod", True), ("dev", "prod", True), ("team", "prod", True), ("prod", "dev", False)],
)
def test_what_a_stack_is_for_decides_and_not_its_name(
    stack: str, environment: str, stopped: bool
) -> None:
    file = stack if stack in STACKS else "prod"
    policed = PolicedStack(file, environment=environment)
    policed.change_data("data-alerts", lambda data: data.update(url="https://localhost/hook"))
    assert bool(policed.violations("no-private-webhook")) is stopped


@pytest.mark.parametrize(
    "webhook",
    [
        "http://hooks.slack.com/services/T1/B1/X",
        "https://localhost/hook",
        "https://localhost:8443/hook",
        "https://localhost./hook",
        "https://127.0.0.1/hook",
        "https://10.1.2.3/hook",
        "https://192.168.0.7/hook",
        "https://169.254.169.254/hook",
        "https://[::1]/hook",
        "https://[fd00::1]/hook",
        "https://intranet/hook",
        "https://hooks.corp.internal/hook",
        "https://hooks.example.com/hook",
        "https://example.org/hook",
        "https://hooks.slack.com.test/hook",
        "https://[/hook",
    ],
)
def test_production_sends_to_no_webhook_that_nobody_reads_and_none_is_repeated(
    webhook: str,
) -> None:
    stack = PolicedStack("prod")
    stack.change_data("data-alerts", lambda data: data.update(url=webhook))
    [told] = stack.violations("no-private-webhook")
    assert told.startswith("data-alerts: its webhook is ")
    assert "alertctl secrets put" in told
    assert webhook not in told


def test_production_pages_nobody_through_a_private_webhook() -> None:
    stack = PolicedStack("prod")
    stack.change_data("on-call-incidents", lambda data: data.update(url="https://10.0.0.1/x"))
    [told] = stack.violations("no-private-webhook")
    assert told.startswith("on-call-incidents: its webhook is ")


def test_a_private_webhook_among_a_blocks_secrets_is_found_as_well() -> None:
    stack = PolicedStack("prod")
    hidden = {"url": "{{url}}", "secrets": {"url": "https://10.0.0.1/x"}}
    stack.change_data("on-call-incidents", lambda data: data.update(hidden))
    [told] = stack.violations("no-private-webhook")
    assert told.startswith("on-call-incidents: its webhook is ")


def test_a_private_webhook_is_found_where_only_the_secrets_value_is_known_yet() -> None:
    stack = PolicedStack("prod")
    stack.change(BLOCK, "data-alerts", data=secret(unknown()))
    stack.change(SECRET_VERSION, "slack-webhook-url", secretString=secret("https://10.0.0.1/x"))
    [told] = stack.violations("no-private-webhook")
    assert told.startswith("slack-webhook-url: its webhook is at an address that nobody outside")


@pytest.mark.parametrize(
    "webhook", [OTHER, "https://8.8.8.8/hook", "https://team.webhook.office.com/hook", unknown()]
)
def test_production_may_send_to_any_public_webhook(webhook: str) -> None:
    stack = PolicedStack("prod")
    stack.change_data("data-alerts", lambda data: data.update(url=webhook))
    assert stack.violations("no-private-webhook") == []
