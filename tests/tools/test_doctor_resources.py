"""What the doctor finds in AWS, in Prefect and in its server's settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from alerting.adoption.workspace import Workspace, WorkspaceError
from alerting.doctor import resources, server
from alerting.doctor.deployment import Deployment
from alerting.doctor.findings import NotMadeError
from alerting.plan.ownership import marked
from alerting.secrets.errors import SecretsError
from alerting.secrets.secrets_manager import Presence, SecretsManager, Stored
from tests.tools.healthy_deployment import DEV, answering, healthy_deployment, told

pytestmark = pytest.mark.tools

OTHER = "https://hooks.slack.com/services/T00000000/B00000000/OTHER"


@pytest.fixture
def deployment(monkeypatch: pytest.MonkeyPatch) -> Deployment:
    return healthy_deployment(monkeypatch)


def test_a_stack_as_planned_has_no_trouble(deployment: Deployment) -> None:
    assert told(resources.secrets_are_readable(deployment)) == []
    assert told(resources.blocks_resolve(deployment)) == []
    assert told(resources.blocks_hold_the_secrets(deployment)) == []
    assert told(resources.automations_are_as_planned(deployment)) == []


def test_each_secret_that_cannot_be_read_is_told(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stored(_: SecretsManager, name: str) -> Stored:
        if name.endswith("critical"):
            raise SecretsError("the credentials may not do it: allow it")
        return Stored(Presence.EMPTY if name.endswith("info") else Presence.PRESENT)

    monkeypatch.setattr(SecretsManager, "stored", stored)
    monkeypatch.setattr(SecretsManager, "current", lambda *_: SecretStr("http://fake"))
    first, second, third = resources.secrets_are_readable(deployment)
    assert "dev/prefect/slack-webhook-url starts with http://" in first.text
    assert (second.text, second.remedy) == ("the credentials may not do it", "allow it")
    assert third.text == "secret dev/prefect/slack-webhook-url-info is empty"
    assert "variable SLACK_WEBHOOK_URL_INFO" in third.remedy


def test_a_missing_block_is_told_once_and_not_by_the_rules_that_send_with_it(
    deployment: Deployment,
) -> None:
    blocks: dict[str, Any] = deployment.__dict__["blocks"]
    del blocks["slack-webhook/dev-alerts"]
    other = {"name": "dev-alerts", "block_type": {"slug": "custom-webhook"}}
    answering(deployment, lambda _: httpx.Response(200, json=[other]))
    (text,) = told(resources.blocks_resolve(deployment))
    assert text == (
        "block slack-webhook/dev-alerts is missing: there is custom-webhook/dev-alerts in its place"
    )
    assert told(resources.automations_are_as_planned(deployment)) == []


def test_a_block_with_another_setting_or_secret_is_told(deployment: Deployment) -> None:
    block = deployment.blocks["slack-webhook/dev-alerts"]
    block["data"] |= {"url": OTHER, "notify_type": "failure"}
    (text,) = told(resources.blocks_resolve(deployment))
    assert text == "block slack-webhook/dev-alerts differs in notify_type"
    (text,) = told(resources.blocks_hold_the_secrets(deployment))
    assert text == (
        "block slack-webhook/dev-alerts holds another value than secret "
        "dev/prefect/slack-webhook-url"
    )


def test_a_block_that_prefect_hides_is_not_judged(deployment: Deployment) -> None:
    deployment.blocks["slack-webhook/dev-alerts"]["data"]["url"] = "********"
    with pytest.raises(NotMadeError, match="may not read blocks' secrets"):
        list(resources.blocks_hold_the_secrets(deployment))


def test_automations_are_compared_with_the_plan(deployment: Deployment) -> None:
    by_key = dict(
        zip((r.key for r in deployment.plan.automations), deployment.automations, strict=True)
    )
    names = {key: each["name"] for key, each in by_key.items()}
    deployment.automations.remove(by_key["recovery"])
    deployment.automations.append({**by_key["late"], "id": "twin"})
    by_key["warning"]["enabled"] = False
    by_key["critical"]["trigger"]["threshold"] = 9
    old = {**by_key["late"], "id": "old-id", "name": "old", "description": marked("", "dev")}
    others = {**by_key["late"], "id": "x", "name": "others", "description": marked("", "prod")}
    deployment.automations.extend([old, others])
    assert told(resources.automations_are_as_planned(deployment)) == [
        f"missing: {names['recovery']!r}",
        f"2 automations are named {names['late']!r}: people are told twice",
        f"switched off: {names['warning']!r}",
        f"{names['critical']!r} differs in trigger.threshold",
        "'old' carries the stack's mark and is planned no more",
    ]


def test_rules_that_stand_in_for_the_sentinel_may_be_switched_on(deployment: Deployment) -> None:
    for each in deployment.automations:
        each["enabled"] = True
    assert told(resources.automations_are_as_planned(deployment)) == []


@pytest.mark.parametrize(("minutes", "count"), [(0, 0), (4, 0), (6, 1)])
def test_a_sentinel_is_silent_after_the_time_that_the_settings_take(
    deployment: Deployment, minutes: int, count: int
) -> None:
    heard = datetime.now(UTC) - timedelta(minutes=minutes)
    events = [{"occurred": heard.isoformat()}]
    answering(deployment, lambda _: httpx.Response(200, json={"events": events}))
    assert len(told(resources.sentinel_is_heard(deployment))) == count


def test_a_sentinel_that_was_never_heard_is_told(deployment: Deployment) -> None:
    answering(deployment, lambda _: httpx.Response(200, json={"events": []}))
    assert told(resources.sentinel_is_heard(deployment)) == ["the sentinel was never heard of"]


def test_a_server_that_does_not_know_its_address_is_told(deployment: Deployment) -> None:
    answering(deployment, lambda _: httpx.Response(200, json={"ui_url": None}))
    (trouble,) = server.server_knows_its_address(deployment)
    assert trouble.remedy.endswith("PREFECT_UI_URL=https://prefect.dev.example.com")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"events": {"expired_bucket_buffer": "PT1M"}}, "longer than 1m is lost"),
        ({"events": {"expired_bucket_buffer": "PT1H"}}, None),
        ({"events": {"stream_out_enabled": False}}, "the sentinel is not told of runs"),
        ({"events": {"messaging_broker": "prefect_redis.messaging"}}, "each orders its own"),
        (
            {
                "events": {
                    "messaging_broker": "prefect_redis.messaging",
                    "causal_ordering": "prefect_redis.ordering",
                }
            },
            None,
        ),
        ({"services": {"triggers": {"enabled": False}}}, "no automation acts"),
        ({"services": {"event_persister": {"enabled": False}}}, "no event is kept"),
        ({}, None),
    ],
)
def test_server_settings_that_lose_messages_are_told(
    deployment: Deployment, settings: dict[str, Any], expected: str | None
) -> None:
    answering(deployment, lambda _: httpx.Response(200, json={"server": settings}))
    texts = told(server.server_acts_on_events(deployment))
    assert len(texts) == (expected is not None)
    assert all(expected and expected in text for text in texts)


def test_settings_that_are_not_understood_are_no_trouble(deployment: Deployment) -> None:
    answering(deployment, lambda _: httpx.Response(200, json={"server": []}))
    with pytest.raises(NotMadeError):
        list(server.server_acts_on_events(deployment))


def test_a_workspace_that_fails_later_leaves_checks_unmade(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_: Workspace) -> list[dict[str, Any]]:
        raise WorkspaceError("Prefect is busy")

    monkeypatch.setattr(Workspace, "all_automations", fail)
    with pytest.raises(NotMadeError, match="Prefect is busy"):
        list(resources.automations_are_as_planned(Deployment(DEV, {})))
