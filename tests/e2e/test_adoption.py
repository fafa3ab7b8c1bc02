"""Things that are there before a deployment: taken over or refused, never made a second time."""

import json
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
from pulumi.automation import CommandError, OpType
from typer.testing import CliRunner

from alerting.ctl.__main__ import app
from sandbox.stack import SandboxStack
from sandbox.state import SandboxState
from tests.e2e.in_services import automations, aws, blocks, prefect
from tests.e2e.live import Live

pytestmark = pytest.mark.e2e

TAKING_AWAY = {OpType.DELETE, OpType.REPLACE, OpType.CREATE_REPLACEMENT, OpType.DELETE_REPLACED}
CRITICAL_BY_HAND = "DLT Pipeline Critical Alert (PagerDuty)"


def test_the_guides_hand_made_resources_are_adopted_and_alert_throughout(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    by_hand = make_as_the_guide_does(sandbox, stack)
    live = Live(sandbox, stack)
    live.settle()
    live.end(("orders", "Failed"))
    live.wait_for("Pipeline Failed: orders")

    result = adopt(stack, "--yes", "--json")
    found = {each["name"]: each for each in json.loads(result)["found"]}
    assert found[CRITICAL_BY_HAND]["key"] == "critical"
    assert {f"{each['kind']} {each['key']}": each["step"] for each in found.values()} == {
        "secret slack-webhook-url": "adopt",
        "secret pagerduty-integration-key": "nothing",
        "block data-alerts": "adopt",
        "block on-call": "adopt",
        "automation warning": "adopt",
        "automation critical": "adopt",
    }
    changes = stack.preview().change_summary
    assert TAKING_AWAY.isdisjoint(changes)
    assert changes[OpType.IMPORT] == len(found)

    with watched(sandbox, by_hand["warning"]) as seen:
        stack.up()
    assert Counter(seen).keys() == {True}
    stored = {each["name"]: each["id"] for each in automations(sandbox)}
    assert stored["DLT Pipeline Failure Alert"] == by_hand["warning"]
    assert stored["DLT Pipeline Critical Alert"] == by_hand["critical"]
    assert len(stored) == len(automations(sandbox)) == len(stack.plan.automations)
    assert blocks(sandbox)["slack-webhook/alerts"]["id"] == by_hand["alerts"]
    live.begin()
    live.end(("orders", "Failed"))
    live.wait_for("orders")
    assert set(stack.up().summary.resource_changes or {}) == {"same"}


def test_a_lost_state_is_taken_over_without_a_write_to_prefect(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before, paused, blocks_before = triggers(sandbox), paused_names(sandbox), blocks(sandbox)
    lose_state(sandbox, stack)
    changes = stack.up().summary.resource_changes or {}
    assert changes[OpType.IMPORT] == len(before) + len(blocks_before) + len(stack.plan.secrets)
    assert triggers(sandbox) == before
    assert paused_names(sandbox) == paused
    assert blocks(sandbox) == blocks_before
    assert set(stack.up().summary.resource_changes or {}) == {"same"}


def test_a_lost_state_and_a_changed_setting_converge_in_one_deployment(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    ids = {each["id"] for each in automations(sandbox)}
    lose_state(sandbox, stack)
    changed = SandboxStack(sandbox, configure=another_recipient)
    assert TAKING_AWAY.isdisjoint(changed.preview().change_summary)
    changed.up()
    stored = automations(sandbox)
    assert {each["id"] for each in stored} == ids
    step = next(each for each in stored if each["name"] == "DLT Pipeline Escalation (30m)")
    assert "for the head of data" in step["description"]


def test_a_second_stack_is_refused_before_any_change_and_lives_beside_with_a_prefix(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before = everything(sandbox)
    second = SandboxStack(sandbox, name="second")
    for attempt in (second.preview, second.up):
        with pytest.raises(CommandError) as raised:
            attempt()
        assert "automation DLT Pipeline Failure Alert (" in str(raised.value)
        assert "made by stack sandbox" in str(raised.value)
        assert "alertctl adopt --stack second" in str(raised.value)
        assert "data-alerts:namePrefix" in str(raised.value)
        assert everything(sandbox) == before
    second.destroy()
    prefixed = SandboxStack(sandbox, name="second", configure=with_prefix)
    try:
        prefixed.up()
        assert len(automations(sandbox)) == 2 * len(stack.plan.automations)
        assert set(stack.up().summary.resource_changes or {}) == {"same"}
    finally:
        prefixed.destroy()
        for name in [rule.name for rule in prefixed.plan.secrets]:
            with suppress(aws(sandbox).exceptions.ResourceNotFoundException):
                aws(sandbox).delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    assert everything(sandbox) == before


def test_what_was_made_by_hand_is_refused_and_left_as_it_is(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    block = make_block(sandbox, "slack-webhook", "alerts", {"url": secret(stack)})
    made = make_automation(sandbox, "DLT Pipeline Failure Alert", block, threshold=1)
    try:
        before = everything(sandbox)
        with pytest.raises(CommandError, match="not made by this project"):
            stack.up()
        assert everything(sandbox) == before
    finally:
        prefect(sandbox, "DELETE", f"/automations/{made}")
        prefect(sandbox, "DELETE", f"/block_documents/{block}")


def test_a_channel_under_a_new_key_keeps_its_block(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before = {name: block["id"] for name, block in blocks(sandbox).items()}
    renamed = SandboxStack(sandbox, configure=with_renamed_channel)
    assert TAKING_AWAY.isdisjoint(renamed.preview().change_summary)
    renamed.up()
    assert {name: block["id"] for name, block in blocks(sandbox).items()} == before


def test_a_secret_scheduled_for_deletion_is_restored_and_adopted(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    name = next(rule.name for rule in stack.plan.secrets if rule.key == "slack-webhook-url")
    aws(sandbox).create_secret(Name=name, SecretString=secret(stack))
    aws(sandbox).delete_secret(SecretId=name, RecoveryWindowInDays=7)
    notes = {each["name"]: each["note"] for each in json.loads(adopt(stack, "--json"))["found"]}
    assert f"restore-secret --secret-id {name}" in notes[name]
    adopt(stack, "--yes")
    stack.up()
    assert aws(sandbox).describe_secret(SecretId=name)["Tags"]


def make_as_the_guide_does(sandbox: SandboxState, stack: SandboxStack) -> dict[str, str]:
    """Secrets by AWS's command, blocks and automations by Terraform; the tag's match mended."""
    aws(sandbox).create_secret(
        Name="prefect/slack-webhook-url",
        Description="Slack webhook URL for Prefect pipeline alerts",
        SecretString=secret(stack),
    )
    alerts = make_block(sandbox, "slack-webhook", "alerts", {"url": secret(stack)})
    key = {"integration_key": stack.secrets["pagerduty-integration-key"], "api_key": "x"}
    pipelines = make_block(sandbox, "pager-duty-webhook", "data-pipelines", key)
    return {
        "alerts": alerts,
        "warning": make_automation(sandbox, "DLT Pipeline Failure Alert", alerts, threshold=1),
        "critical": make_automation(sandbox, CRITICAL_BY_HAND, pipelines, threshold=3),
    }


def make_block(sandbox: SandboxState, slug: str, name: str, data: dict[str, str]) -> str:
    kind = prefect(sandbox, "GET", f"/block_types/slug/{slug}")["id"]
    of_kind = {"block_schemas": {"block_type_id": {"any_": [kind]}}}
    schema = prefect(sandbox, "POST", "/block_schemas/filter", json=of_kind)[0]["id"]
    body = {"name": name, "block_type_id": kind, "block_schema_id": schema, "data": data}
    made: str = prefect(sandbox, "POST", "/block_documents/", json=body)["id"]
    return made


def make_automation(sandbox: SandboxState, name: str, block: str, threshold: int) -> str:
    tag = {"prefect.resource.role": "tag", "prefect.resource.id": "prefect.tag.dlt"}
    trigger = {
        "type": "event",
        "posture": "Reactive",
        "expect": ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"],
        "match_related": tag,
        "threshold": threshold,
        "within": 86400 if threshold > 1 else 0,
    }
    action = {
        "type": "send-notification",
        "block_document_id": block,
        "subject": "Pipeline Failed: {{ flow.name }}",
        "body": "*State*: {{ flow_run.state.name }}",
    }
    body = {"name": name, "enabled": True, "trigger": trigger, "actions": [action]}
    made: str = prefect(sandbox, "POST", "/automations/", json=body)["id"]
    return made


def secret(stack: SandboxStack) -> str:
    return stack.secrets["slack-webhook-url"]


def adopt(stack: SandboxStack, *options: str) -> str:
    result = CliRunner().invoke(app, ["adopt", "--file", str(stack.stack_file), *options])
    assert result.exit_code == 0, result.output
    return result.stdout


def everything(sandbox: SandboxState) -> tuple[Any, Any, Any]:
    listed = aws(sandbox).list_secrets()["SecretList"]
    tags = {each["Name"]: (each["ARN"], each.get("Tags")) for each in listed}
    return automations(sandbox), blocks(sandbox), tags


def triggers(sandbox: SandboxState) -> dict[str, tuple[str, str]]:
    """Each automation's id and that of its trigger, which a write makes anew with its counts."""
    return {each["name"]: (each["id"], each["trigger"]["id"]) for each in automations(sandbox)}


def paused_names(sandbox: SandboxState) -> set[str]:
    return {each["name"] for each in automations(sandbox) if not each["enabled"]}


def lose_state(sandbox: SandboxState, *stacks: SandboxStack) -> None:
    shutil.rmtree(sandbox.folder / "pulumi-state")
    for stack in stacks:
        # What it made on first use is gone.
        vars(stack).pop("stack", None)
        vars(stack).pop("_workspace", None)


def another_recipient(config: dict[str, Any]) -> None:
    config["data-alerts:escalation"][1]["to"] = "head of data"


def with_prefix(config: dict[str, Any]) -> None:
    config["data-alerts:namePrefix"] = "second"
    # One whose name says nothing is guarded as production is, and cannot be destroyed.
    config["data-alerts:environment"] = "sandbox"


def with_renamed_channel(config: dict[str, Any]) -> None:
    channels = config["data-alerts:channels"]
    channels["data-news"] = channels.pop("data-info")
    config["data-alerts:tiers"]["success"]["notify"] = ["data-news"]


@contextmanager
def watched(sandbox: SandboxState, automation: str) -> Iterator[list[bool]]:
    """Ask again and again, while the block runs, whether an automation is there and enabled."""
    seen: list[bool] = []
    over = threading.Event()

    def watch() -> None:
        while not over.is_set():
            seen.append(prefect(sandbox, "GET", f"/automations/{automation}")["enabled"])

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()
