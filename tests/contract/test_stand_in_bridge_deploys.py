"""The real engine, with the generated SDK, manages a real Prefect server through the stand-in."""

import json
from collections.abc import Callable, Iterator

import pulumi
import pulumi_prefect as prefect
import pytest

from sandbox.plugins.values import Value
from sandbox.wire import Wire
from tests.contract.deployed import Deployed
from tests.contract.patient import ask

pytestmark = pytest.mark.contract

FAKE_KEY = "https://hooks.slack.com/services/T00000000/B00000000/FAKEDEPLOYED"
OTHER_FAKE_KEY = "https://hooks.slack.com/services/T00000000/B00000000/FAKECHANGED"
BLOCK, AUTOMATION = "deployed-alerts", "deployed warning"
FAILURES = ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"]
BY_HAND = {
    "name": AUTOMATION,
    "trigger": {
        "type": "event",
        "posture": "Reactive",
        "expect": FAILURES,
        "match": {"prefect.resource.id": "prefect.flow-run.*"},
        "threshold": 1,
        "within": 0,
    },
    "actions": [{"type": "do-nothing"}],
}


@pytest.fixture
def wire(prefect_wire: Wire) -> Iterator[Wire]:
    """The wire; what was made of the program is gone when the test is over."""
    yield prefect_wire
    for automation in automations(prefect_wire):
        api(prefect_wire, "DELETE", f"/automations/{automation['id']}")
    for block in blocks(prefect_wire):
        api(prefect_wire, "DELETE", f"/block_documents/{block['id']}")


def program(
    wire: Wire, key: str = FAKE_KEY, *, imported: str | None = None, **automation: Value
) -> Callable[[], None]:
    def run() -> None:
        provider = prefect.Provider("server", endpoint=f"{wire.url}/api")
        options = pulumi.ResourceOptions(provider=provider)
        block = prefect.Block(
            "alerts",
            name=BLOCK,
            type_slug="slack-webhook",
            data=json.dumps({"url": key}),
            opts=options,
        )
        prefect.Automation(
            "warning",
            **{
                "name": AUTOMATION,
                "trigger": {
                    "event": {
                        "posture": "Reactive",
                        "expects": FAILURES,
                        "match": json.dumps({"prefect.resource.id": "prefect.flow-run.*"}),
                        "threshold": 1,
                        "within": 0,
                    }
                },
                "actions": [
                    {
                        "type": "send-notification",
                        "block_document_id": block.id,
                        "subject": "{{ flow.name }}",
                        "body": "failed",
                    }
                ],
                **automation,
            },
            opts=pulumi.ResourceOptions(provider=provider, import_=imported),
        )

    return run


def api(wire: Wire, method: str, path: str, body: Value = None) -> Value:
    """Ask the server itself, past the wire."""
    return ask(method, f"{wire.target}/api{path}", body)


def automations(wire: Wire) -> Value:
    return api(
        wire, "POST", "/automations/filter", {"automations": {"name": {"any_": [AUTOMATION]}}}
    )


def blocks(wire: Wire) -> Value:
    named = {"block_documents": {"name": {"any_": [BLOCK]}}, "include_secrets": True}
    return api(wire, "POST", "/block_documents/filter", named)


def test_a_second_up_changes_nothing_and_writes_nothing(deployed: Deployed, wire: Wire) -> None:
    assert deployed.up(program(wire))["create"] == 4
    wire.sent.clear()
    assert deployed.up(program(wire)) == {"same": 4}
    assert wire.changes() == []
    deployed.expect_no_changes(program(wire))


def test_a_changed_program_changes_what_is_there(deployed: Deployed, wire: Wire) -> None:
    deployed.up(program(wire))
    [before] = automations(wire)
    assert deployed.up(program(wire, OTHER_FAKE_KEY, enabled=False)) == {"same": 2, "update": 2}
    [after] = automations(wire)
    assert (after["id"], after["enabled"]) == (before["id"], False)
    assert [block["data"] for block in blocks(wire)] == [{"url": OTHER_FAKE_KEY}]


def test_drift_is_found_by_a_refresh_and_mended_by_the_next_up(
    deployed: Deployed, wire: Wire
) -> None:
    deployed.up(program(wire))
    [automation] = automations(wire)
    api(wire, "PATCH", f"/automations/{automation['id']}", {"enabled": False})
    assert deployed.refresh() == {"same": 3, "update": 1}
    assert deployed.up(program(wire)) == {"same": 3, "update": 1}
    assert automations(wire)[0]["enabled"] is True
    deployed.expect_no_changes(program(wire))


def test_what_was_deleted_by_hand_is_made_again_after_a_refresh(
    deployed: Deployed, wire: Wire
) -> None:
    deployed.up(program(wire))
    [automation] = automations(wire)
    api(wire, "DELETE", f"/automations/{automation['id']}")
    assert deployed.refresh() == {"same": 3, "delete": 1}
    assert deployed.up(program(wire)) == {"same": 3, "create": 1}


def test_an_automation_made_by_hand_is_imported_as_it_is(deployed: Deployed, wire: Wire) -> None:
    made = api(wire, "POST", "/automations/", BY_HAND)
    adopting = program(wire, imported=made["id"], actions=[{"type": "do-nothing"}])
    assert deployed.up(adopting) == {"create": 3, "import": 1}
    assert deployed.up(program(wire, actions=[{"type": "do-nothing"}])) == {"same": 4}
    assert [a["id"] for a in automations(wire)] == [made["id"]]
    assert not any("/automations/" in change for change in wire.changes())


def test_destroy_leaves_nothing_on_the_server(deployed: Deployed, wire: Wire) -> None:
    deployed.up(program(wire))
    assert deployed.destroy() == {"delete": 4}
    assert automations(wire) == []
    assert blocks(wire) == []


def test_the_state_holds_no_block_data_in_plain(deployed: Deployed, wire: Wire) -> None:
    deployed.up(program(wire))
    deployed.refresh()
    assert BLOCK in deployed.checkpoint()
    assert FAKE_KEY not in deployed.checkpoint()
