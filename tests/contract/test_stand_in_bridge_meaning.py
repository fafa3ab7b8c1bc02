"""What the bridge takes for a change, refuses and looks up."""

import json
from collections.abc import Iterator

import pytest
from pulumi.runtime.rpc import UNKNOWN

from sandbox.plugins import values
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


@pytest.fixture
def engine(prefect_wire: Wire) -> Iterator[Engine]:
    with engine_for(PrefectBridge()) as engine:
        engine.call("Configure", {"args": {"endpoint": f"{prefect_wire.url}/api"}})
        yield engine


def automation(trigger: Value, **inputs: Value) -> Properties:
    return {"name": "meaning", "trigger": trigger, "actions": [{"type": "do-nothing"}], **inputs}


def planned(engine: Engine, inputs: Properties, kind: str = AUTOMATION) -> Properties:
    request = {"type": kind, "name": "test", "properties": inputs, "preview": True}
    state: Properties = engine.call("Create", request)["properties"]
    return state


def changed(engine: Engine, before: Properties, after: Properties) -> list[str]:
    """The properties that differ."""
    given = dict.fromkeys(("id", "created", "updated"), "known")
    state = planned(engine, before) | given
    request = {"type": AUTOMATION, "name": "test", "id": "1", "olds": state, "news": after}
    diffs: list[str] = engine.call("Diff", request).get("diffs", [])
    return diffs


def refusals(engine: Engine, kind: str, news: Properties) -> list[str]:
    answer = engine.call("Check", {"type": kind, "name": "test", "news": news})
    return [failure["reason"] for failure in answer.get("failures", [])]


def test_unknown_values_are_marked_as_the_engine_marks_them() -> None:
    assert values.UNKNOWN == UNKNOWN


def test_the_spelling_of_json_and_the_order_of_events_change_nothing(engine: Engine) -> None:
    other = {
        "match": '{"prefect.resource.id":"prefect.flow-run.*"}',
        "expects": EVENT["expects"][::-1],
    }
    before, after = automation({"event": EVENT}), automation({"event": EVENT | other})
    assert changed(engine, before, after) == []


def test_defaults_that_are_spelled_out_change_nothing(engine: Engine) -> None:
    spelled = {"afters": [], "forEaches": [], "matchRelated": "{}"}
    after = automation({"event": EVENT | spelled}, enabled=True, actionsOnTriggers=[])
    assert changed(engine, automation({"event": EVENT}), after) == []


@pytest.mark.parametrize(
    "change",
    [
        {"expects": ["prefect.flow-run.Failed"]},
        {"match": "{}"},
        {"matchRelated": json.dumps([FLOW_RUNS])},
        {"threshold": 4},
        {"posture": "Proactive"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_trigger_that_means_something_else_is_a_change(
    change: Properties, engine: Engine
) -> None:
    for kind in ("event", "compound"):
        before, after = EVENT, EVENT | change
        if kind == "compound":
            before, after = ({"triggers": [{"event": event}]} for event in (before, after))
        diffs = changed(engine, automation({kind: before}), automation({kind: after}))
        assert diffs == ["trigger", "updated"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "other"),
        ("description", "other"),
        ("enabled", False),
        ("actions", [{"type": "cancel-flow-run"}]),
        ("actionsOnResolves", [{"type": "do-nothing"}]),
    ],
)
def test_every_other_property_can_change_in_place(key: str, value: Value, engine: Engine) -> None:
    before = automation({"event": EVENT})
    assert changed(engine, before, before | {key: value}) == sorted([key, "updated"])


def test_a_block_of_another_name_or_type_is_another_block(engine: Engine) -> None:
    inputs = {"name": "meaning", "typeSlug": "slack-webhook", "data": "{}"}
    state = planned(engine, inputs, BLOCK)
    for key in ("name", "typeSlug"):
        request = {"type": BLOCK, "id": "1", "olds": state, "news": inputs | {key: "other"}}
        assert engine.call("Diff", request)["replaces"] == [key]


def test_a_preview_works_with_what_is_not_known_yet(engine: Engine) -> None:
    block = {"name": "meaning", "typeSlug": "slack-webhook", "data": UNKNOWN}
    assert refusals(engine, BLOCK, block) == []
    assert planned(engine, block, BLOCK)["id"] == UNKNOWN
    action = {"type": "send-notification", "blockDocumentId": UNKNOWN, "body": UNKNOWN}
    unknowns = automation({"event": EVENT | {"match": UNKNOWN}}, actions=[action])
    assert refusals(engine, AUTOMATION, unknowns) == []
    assert changed(engine, automation({"event": EVENT}), unknowns) == [
        *("actions", "trigger", "updated")
    ]


@pytest.mark.parametrize(
    "trigger",
    [
        UNKNOWN,
        {"event": UNKNOWN},
        {"event": {"posture": UNKNOWN, "expects": UNKNOWN, "within": UNKNOWN}},
        {"compound": UNKNOWN},
        {"sequence": {"triggers": UNKNOWN}},
        {"compound": {"require": UNKNOWN, "triggers": [UNKNOWN, {"event": UNKNOWN}]}},
    ],
    ids=str,
)
@pytest.mark.parametrize("actions", [UNKNOWN, [UNKNOWN]], ids=str)
def test_any_part_of_an_automation_may_be_unknown_in_a_preview(
    actions: Value, trigger: Value, engine: Engine
) -> None:
    unknowns = automation(trigger, actions=actions)
    assert refusals(engine, AUTOMATION, unknowns) == []
    assert planned(engine, unknowns)["actions"] == actions
    assert changed(engine, automation({"event": EVENT}), unknowns) == [
        *("actions", "trigger", "updated")
    ]


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        (automation({"event": EVENT, "compound": {}}), "Exactly one of these attributes must be"),
        (automation({}), "Exactly one of these attributes must be configured"),
        (automation({"metric": {}}), "Only Prefect Cloud has metric triggers"),
        (automation({"event": EVENT | {"expect": ["a"]}}), "'test.trigger.event.expect'"),
        (automation({"event": EVENT | {"posture": "Active"}}), '["Reactive" "Proactive"]'),
        (automation({"event": EVENT}, accountId="1"), "test.accountId is not supported"),
        (
            automation({"compound": {"triggers": [{"event": EVENT | {"match": "{"}}]}}),
            "'test.trigger.compound.triggers[0].event.match'",
        ),
    ],
)
def test_a_wrong_automation_is_refused_before_the_server_is_asked(
    inputs: Properties, reason: str, engine: Engine, prefect_wire: Wire
) -> None:
    [refusal] = refusals(engine, AUTOMATION, inputs)
    assert reason in refusal
    assert prefect_wire.sent == []


def test_a_resource_without_a_name_gets_one_and_keeps_it(engine: Engine) -> None:
    news = {"typeSlug": "slack-webhook", "data": "{}"}
    request = {"type": BLOCK, "name": "alerts", "news": news, "randomSeed": "q83v"}
    name = engine.call("Check", request)["inputs"]["name"]
    assert name.startswith("alerts-")
    again = engine.call("Check", request | {"olds": news | {"name": name}, "randomSeed": "AAAA"})
    assert again["inputs"]["name"] == name


def test_the_functions_find_a_block_and_an_automation(engine: Engine) -> None:
    inputs = {"name": "meaning", "typeSlug": "slack-webhook", "data": '{"url": "https://fake/1"}'}
    block = engine.call("Create", {"type": BLOCK, "name": "test", "properties": inputs})
    for arguments in ({"id": block["id"]}, {"name": "meaning", "typeSlug": "slack-webhook"}):
        request = {"tok": "prefect:index/getBlock:getBlock", "args": arguments}
        found = engine.call("Invoke", request)["return"]
        assert found["id"] == block["id"]
        assert json.loads(found["data"]["value"]) == {"url": "https://fake/1"}
    engine.call("Delete", {"type": BLOCK, "id": block["id"], "properties": {}})

    request = {"type": AUTOMATION, "name": "test", "properties": automation({"event": EVENT})}
    answer = engine.call("Create", request)
    token = "prefect:index/getAutomation:getAutomation"
    found = engine.call("Invoke", {"tok": token, "args": {"id": answer["id"]}})["return"]
    assert found["trigger"]["event"]["threshold"] == 3
    engine.call("Delete", {"type": AUTOMATION, "id": answer["id"], "properties": {}})
