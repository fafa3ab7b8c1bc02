"""What the bridge tells the server."""

import json
from collections.abc import Iterator

import pytest

from sandbox.plugins.prefect_bridge import PrefectBridge
from sandbox.plugins.values import Properties, Value
from sandbox.wire import Wire
from tests.contract.replay import Engine, engine_for

pytestmark = pytest.mark.contract

AUTOMATION, BLOCK = "prefect:index/automation:Automation", "prefect:index/block:Block"
FLOW_RUNS = {"prefect.resource.id": "prefect.flow-run.*"}
EVENT: Properties = {
    "posture": "Reactive",
    "expects": ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"],
    "match": json.dumps(FLOW_RUNS),
    "threshold": 3,
    "within": 86400,
}
SENT_EVENT = {
    "type": "event",
    "posture": "Reactive",
    "expect": ["prefect.flow-run.Failed", "prefect.flow-run.Crashed"],
    "match": FLOW_RUNS,
    "match_related": {},
    "threshold": 3,
    "within": 86400,
}


@pytest.fixture
def engine(prefect_wire: Wire) -> Iterator[Engine]:
    with engine_for(PrefectBridge()) as engine:
        engine.call("Configure", {"args": {"endpoint": f"{prefect_wire.url}/api"}})
        yield engine


def automation(trigger: Value, **inputs: Value) -> Properties:
    return {"name": "meaning", "trigger": trigger, "actions": [{"type": "do-nothing"}], **inputs}


def made(engine: Engine, properties: Properties, kind: str = AUTOMATION) -> Properties:
    """Create, and delete at once: what matters is what was sent and answered."""
    request = {"type": kind, "name": "test", "properties": properties}
    answer = engine.call("Create", request)
    engine.call("Delete", {"type": kind, "id": answer["id"], "properties": answer["properties"]})
    return answer


@pytest.mark.parametrize(
    ("trigger", "sent"),
    [
        ({"event": EVENT}, SENT_EVENT),
        (
            {
                "event": {
                    "posture": "Proactive",
                    "afters": ["a.b"],
                    "forEaches": ["x"],
                    "within": 10,
                }
            },
            {
                "type": "event",
                "posture": "Proactive",
                "after": ["a.b"],
                "for_each": ["x"],
                "match_related": {},
                "within": 10,
            },
        ),
        (
            {"compound": {"require": 2, "within": 60, "triggers": [{"event": EVENT}] * 2}},
            {"type": "compound", "require": 2, "within": 60, "triggers": [SENT_EVENT] * 2},
        ),
        (
            {"sequence": {"within": 60, "triggers": [{"event": EVENT}] * 2}},
            {"type": "sequence", "within": 60, "triggers": [SENT_EVENT] * 2},
        ),
    ],
    ids=["reactive", "proactive", "compound", "sequence"],
)
def test_a_trigger_is_sent_without_what_was_not_given(
    trigger: Properties, sent: Properties, engine: Engine, prefect_wire: Wire
) -> None:
    made(engine, automation(trigger))
    assert prefect_wire.bodies("POST /api/automations/")[-1] == {
        "name": "meaning",
        "description": "",
        "enabled": True,
        "trigger": sent,
        "actions": [{"type": "do-nothing"}],
        "actions_on_trigger": [],
        "actions_on_resolve": [],
    }


def test_an_action_is_sent_with_its_json_as_objects(engine: Engine, prefect_wire: Wire) -> None:
    action = {
        "type": "run-deployment",
        "source": "selected",
        "deploymentId": "6b1e3d6a-5f0c-4c0e-9d5f-6f5e1d0c2b3a",
        "parameters": '{"full": true}',
    }
    answer = made(engine, automation({"event": EVENT}, actions=[action], enabled=False))
    body = prefect_wire.bodies("POST /api/automations/")[-1]
    assert body["enabled"] is False
    assert body["actions"] == [
        {
            "type": "run-deployment",
            "source": "selected",
            "deployment_id": "6b1e3d6a-5f0c-4c0e-9d5f-6f5e1d0c2b3a",
            "parameters": {"full": True},
        }
    ]
    assert answer["properties"]["actions"] == [action | {"jobVariables": "{}"}]


def test_an_update_sends_the_whole_automation(engine: Engine, prefect_wire: Wire) -> None:
    request = {"type": AUTOMATION, "name": "test", "properties": automation({"event": EVENT})}
    answer = engine.call("Create", request)
    engine.call(
        "Update",
        {
            "type": AUTOMATION,
            "name": "test",
            "id": answer["id"],
            "olds": answer["properties"],
            "news": automation({"event": EVENT | {"threshold": 5}}, description="five"),
        },
    )
    engine.call("Delete", {"type": AUTOMATION, "id": answer["id"], "properties": {}})
    first = prefect_wire.bodies("POST /api/automations/")[-1]
    second = prefect_wire.bodies(f"PUT /api/automations/{answer['id']}")[-1]
    assert second == {
        **first,
        "description": "five",
        "trigger": {**SENT_EVENT, "threshold": 5},
    }


def test_an_updated_block_keeps_none_of_its_former_data(engine: Engine, prefect_wire: Wire) -> None:
    inputs = {"name": "meaning", "typeSlug": "slack-webhook", "data": '{"url": "https://fake/1"}'}
    answer = engine.call("Create", {"type": BLOCK, "name": "test", "properties": inputs})
    news = inputs | {"data": '{"url": "https://fake/2"}'}
    request = {"type": BLOCK, "name": "test", "id": answer["id"], "olds": inputs, "news": news}
    engine.call("Update", request)
    engine.call("Delete", {"type": BLOCK, "id": answer["id"], "properties": {}})
    first = prefect_wire.bodies("POST /api/block_documents/")[-1]
    second = prefect_wire.bodies(f"PATCH /api/block_documents/{answer['id']}")[-1]
    assert second == {
        "data": {"url": "https://fake/2"},
        "block_schema_id": first["block_schema_id"],
        "merge_existing_data": False,
    }


def test_json_keeps_the_spelling_it_has_in_the_program(engine: Engine) -> None:
    spelled = '{ "prefect.resource.id" :  "prefect.flow-run.*" }'
    answer = made(engine, automation({"event": {**EVENT, "match": spelled}}))
    assert answer["properties"]["trigger"]["event"]["match"] == spelled
