"""The stack through the real engine: Prefect and Secrets Manager before and after."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from pulumi.automation import CommandError, OpType

from alerting.plan.documents import automation_document, held
from sandbox.bench import with_many_pipelines
from sandbox.stack import REPOSITORY, STACK, SandboxStack
from sandbox.state import SandboxState
from sandbox.wire import Wire, wire_to
from tests.e2e.in_services import automations, aws, blocks, prefect

pytestmark = pytest.mark.e2e

ORIGINAL = REPOSITORY / f"Pulumi.{STACK}.yaml"
OTHER_WEBHOOK = "https://hooks.slack.com/services/T00000000/B00000000/ANOTHERFAKEFORTHETEST"


@pytest.fixture
def wires(sandbox: SandboxState) -> Iterator[tuple[Wire, Wire, SandboxState]]:
    """What is sent to Prefect and to Secrets Manager, and a sandbox that goes through there."""
    prefect = sandbox.prefect_api_url.removesuffix("/api")
    with wire_to(prefect) as to_prefect, wire_to(sandbox.moto_url) as to_aws:
        through = sandbox.model_copy(
            update={"prefect_api_url": f"{to_prefect.url}/api", "moto_url": to_aws.url}
        )
        yield to_prefect, to_aws, through


class TestAStackThatStands:
    """What is only looked at is deployed once."""

    @pytest.fixture(scope="class")
    def stack(self, sandbox: SandboxState) -> Iterator[SandboxStack]:
        original = ORIGINAL.read_bytes()
        stack = SandboxStack(sandbox)
        try:
            stack.up()
            yield stack
        finally:
            stack.destroy()
        assert ORIGINAL.read_bytes() == original, "the file in the repository was written"

    def test_every_rule_of_the_plan_is_in_prefect_as_planned(
        self, sandbox: SandboxState, stack: SandboxStack
    ) -> None:
        outputs = stack.outputs()
        stored = {a["name"]: a for a in automations(sandbox)}
        assert stored.keys() == {rule.name for rule in stack.plan.automations}
        ids = {rule.key: stored[rule.name]["id"] for rule in stack.plan.automations}
        for rule in stack.plan.automations:
            wanted = automation_document(rule, outputs["blockIds"].value, ids)
            assert _differences(stored[rule.name], wanted) == []
            assert outputs["automationIds"].value[rule.tier][rule.key] == ids[rule.key]

    def test_every_secret_is_in_secrets_manager_and_its_block(
        self, sandbox: SandboxState, stack: SandboxStack
    ) -> None:
        for rule in stack.plan.secrets:
            value = aws(sandbox).get_secret_value(SecretId=rule.name)["SecretString"]
            assert value == stack.secrets[rule.key]
        stored = blocks(sandbox)
        for block in stack.plan.blocks:
            for field, secret in block.secrets.items():
                assert held(stored[block.slug]["data"], field) == stack.secrets[secret]

    def test_a_preview_changes_nothing_and_says_what_would(
        self, sandbox: SandboxState, stack: SandboxStack
    ) -> None:
        assert stack.preview().change_summary.keys() == {OpType.SAME}
        before = automations(sandbox)
        changed = SandboxStack(sandbox, configure=_another_recipient)
        # The step, its standby, what starts the watch, and the settings that are published.
        assert changed.preview().change_summary[OpType.UPDATE] == 4
        assert automations(sandbox) == before


def test_an_unchanged_stack_sends_no_writes(wires: tuple[Wire, Wire, SandboxState]) -> None:
    to_prefect, to_aws, sandbox = wires
    stack = SandboxStack(sandbox)
    try:
        stack.up()
        assert "POST /api/automations/" in _writes(to_prefect)
        to_prefect.sent.clear()
        to_aws.sent.clear()
        changes = stack.up().summary.resource_changes
        assert changes is not None
        assert set(changes) == {"same"}
        assert _writes(to_prefect) == []
        assert {_action(sent.body) for sent in to_aws.sent} <= {"read"}
    finally:
        stack.destroy()


def test_a_changed_setting_updates_its_automations_in_place_and_no_other(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before = {a["id"]: a for a in automations(sandbox)}
    SandboxStack(sandbox, configure=_another_recipient).up()
    after = {a["id"]: a for a in automations(sandbox)}
    assert before.keys() == after.keys()
    changed = [a for i, a in after.items() if a["updated"] != before[i]["updated"]]
    assert [a["name"] for a in changed] == [
        "DLT Pipeline Escalation (30m)",
        "DLT Pipeline Escalation (30m) (standby)",
        "DLT Sentinel Back",
    ]
    for step in changed[:2]:
        assert "for the head of data" in step["description"]


def test_a_changed_secret_reaches_aws_and_prefect(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    secrets = {"slack-webhook-url-critical": OTHER_WEBHOOK, "pagerduty-integration-key": "changed"}
    changed = SandboxStack(sandbox, secrets=secrets)
    changed.up()
    stored = blocks(sandbox)
    assert stored["slack-webhook/alerts-critical"]["data"]["url"] == OTHER_WEBHOOK
    plain = stored["pager-duty-webhook/data-pipelines"]["data"]
    assert plain["integration_key"] == "changed"
    assert stored["custom-webhook/data-pipelines"]["data"]["secrets"]["routing_key"] == "changed"
    name = "prefect/slack-webhook-url-critical"
    assert aws(sandbox).get_secret_value(SecretId=name)["SecretString"] == OTHER_WEBHOOK


def test_drift_is_found_and_repaired(sandbox: SandboxState, stack: SandboxStack) -> None:
    stack.up()
    warning = next(a for a in automations(sandbox) if a["name"] == "DLT Pipeline Failure Alert")
    prefect(sandbox, "PATCH", f"/automations/{warning['id']}", json={"enabled": False})
    block = blocks(sandbox)["slack-webhook/alerts"]
    data = {"data": {"url": OTHER_WEBHOOK, "notify_type": "info"}}
    prefect(sandbox, "PATCH", f"/block_documents/{block['id']}", json=data)
    with stack.program_environment():
        refreshed = stack.stack.refresh(color="never").summary.resource_changes
    assert refreshed is not None
    assert refreshed[OpType.UPDATE] == 2
    stack.up()
    repaired = next(a for a in automations(sandbox) if a["id"] == warning["id"])
    assert repaired["enabled"]
    assert (
        blocks(sandbox)["slack-webhook/alerts"]["data"]["url"] == stack.secrets["slack-webhook-url"]
    )


def test_destroy_leaves_nothing(sandbox: SandboxState, stack: SandboxStack) -> None:
    stack.up()
    assert automations(sandbox)
    stack.destroy()
    assert automations(sandbox) == []
    assert blocks(sandbox) == {}
    assert aws(sandbox).list_secrets()["SecretList"] == []


def test_an_empty_secret_is_made_and_the_error_says_how_to_fill_it(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    name = "prefect/pagerduty-integration-key"
    aws(sandbox).delete_secret(SecretId=name, ForceDeleteWithoutRecovery=True)
    with pytest.raises(
        CommandError, match="alertctl secrets put pagerduty-integration-key --stack sandbox"
    ):
        stack.up()
    assert "SecretVersionsToStages" not in aws(sandbox).describe_secret(SecretId=name)
    stack.put_secret(name, stack.secrets["pagerduty-integration-key"])
    stack.up()
    assert len(automations(sandbox)) == len(stack.plan.automations)


def test_a_secret_that_lost_its_value_takes_nothing_away(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    before = automations(sandbox)
    name = "prefect/pagerduty-integration-key"
    aws(sandbox).put_secret_value(SecretId=name, SecretString=" ")
    with pytest.raises(CommandError, match="is blank"):
        stack.up()
    assert automations(sandbox) == before
    assert "pager-duty-webhook/data-pipelines" in blocks(sandbox)


def test_a_wrong_setting_stops_the_deployment_before_anything_is_made(
    wires: tuple[Wire, Wire, SandboxState],
) -> None:
    to_prefect, to_aws, sandbox = wires
    stack = SandboxStack(sandbox)

    def misname_a_channel(text: str) -> str:
        return text.replace("- on-call", "- on-cal").replace("[on-call]", "[on-cal]")

    stack.stack_file.write_text(misname_a_channel(stack.stack_file.read_text()))
    to_aws.sent.clear()
    with pytest.raises(CommandError, match="Did you mean on-call"):
        stack.stack.up(color="never")
    assert to_prefect.sent == []
    assert to_aws.sent == []


def test_a_thousand_pipelines_need_no_more_automations(
    sandbox: SandboxState, stack: SandboxStack
) -> None:
    stack.up()
    few = len(automations(sandbox))
    many = SandboxStack(sandbox, configure=with_many_pipelines)
    many.up()
    assert len(automations(sandbox)) == few


def _writes(wire: Wire) -> list[str]:
    """What was asked to change in Prefect, in order."""
    return [
        f"{sent.method} {sent.path}"
        for sent in wire.sent
        if sent.method != "GET" and not sent.path.endswith("/filter")
    ]


def _another_recipient(config: dict[str, Any]) -> None:
    config["data-alerts:escalation"][1]["to"] = "head of data"


def _action(body: Any) -> str:  # noqa: ANN401 - JSON
    """Whether a call to Secrets Manager reads. Calls that write carry a token, a value or tags."""
    text = json.dumps(body)
    writes = ("ClientRequestToken", "SecretString", "Tags", "TagKeys", "ForceDelete", "Recovery")
    return "write" if any(word in text for word in writes) else "read"


def _differences(stored: Any, wanted: Any, path: str = "") -> list[str]:  # noqa: ANN401 - JSON
    """Where Prefect stored something else. It adds ids and defaults, and sorts sets of names."""
    if isinstance(wanted, dict) and isinstance(stored, dict):
        keys = [f"{path}/{key}" for key in wanted.keys() - stored.keys()]
        shared = wanted.keys() & stored.keys()
        return keys + [d for k in shared for d in _differences(stored[k], wanted[k], f"{path}/{k}")]
    if isinstance(wanted, list) and isinstance(stored, list) and len(stored) == len(wanted):
        if all(isinstance(item, str) for item in wanted):
            return [] if sorted(stored) == sorted(wanted) else [path]
        return [
            d
            for i, pair in enumerate(zip(stored, wanted, strict=True))
            for d in _differences(*pair, f"{path}/{i}")
        ]
    return [] if stored == wanted else [f"{path}: {stored!r} is not {wanted!r}"]
