"""What the Pulumi program does with things that are there before it."""

from typing import Any

import pulumi
import pytest

from alerting.adoption.things import Found, Kind
from alerting.plan import build_plan
from tests.shared.example_stack import FEW_RULES, raw_settings, settings_of
from tests.shared.recording_mocks import (
    AUTOMATION,
    BLOCK,
    FAKE_ROUTING_KEY,
    FAKE_WEBHOOK,
    GET_SECRET,
    PREFECT,
    SECRET,
    SECRET_VERSION,
    RecordingMocks,
    arn_of,
    config_of,
    run_program,
)

pytestmark = pytest.mark.unit

KEY = "prefect/pagerduty-key"
WEBHOOK = raw_settings()["secrets"]["slack-url"]["name"]
OURS = {"project": "data-alerts", "stack": "example"}
PLAN = build_plan(settings_of(), "example")
WARNING = next(rule for rule in PLAN.automations if rule.key == "warning")
FEW = config_of(**FEW_RULES)


@pytest.fixture(autouse=True)
def webhooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLACK_URL", FAKE_WEBHOOK)
    monkeypatch.setenv("SLACK_URL_CRITICAL", FAKE_WEBHOOK)


def run(
    in_aws: dict[str, str] | None = None,
    config: dict[str, str] = FEW,
    **there: Any,  # noqa: ANN401
) -> RecordingMocks:
    mocks = RecordingMocks(in_aws={KEY: FAKE_ROUTING_KEY, **(in_aws or {})}, **there)
    return run_program(mocks, "example", config)


def refusal(mocks: RecordingMocks) -> str:
    with pytest.raises(pulumi.RunError) as raised:
        run_program(mocks, "example", FEW)
    return str(raised.value)


def automation(stack: str | None) -> Found:
    return Found(Kind.AUTOMATION, "its-id", WARNING.name, stack)


def test_an_automation_with_the_stacks_mark_is_imported_and_no_other() -> None:
    mocks = run(in_prefect=[automation("example")])
    imported = {each.name: each.import_id for each in mocks.of(AUTOMATION) if each.import_id}
    assert imported == {"warning": "its-id"}


@pytest.mark.parametrize("on", [True, False])
def test_a_standby_automation_that_is_imported_stays_as_it_is_switched(on: bool) -> None:
    standby = next(rule for rule in PLAN.automations if rule.standby)
    found = Found(Kind.AUTOMATION, "its-id", standby.name, "example", enabled=on)
    config = config_of()
    imported = run(config=config, in_prefect=[found]).one(AUTOMATION, standby.key)
    assert imported.inputs["enabled"] is on
    assert imported.ignore_changes == ()
    ids = {"automationIds": {standby.tier.value: {standby.key: "its-id"}}}
    known = run(config=config, in_prefect=[found], deployed=ids).one(AUTOMATION, standby.key)
    assert known.inputs["enabled"] is on
    assert known.ignore_changes == (("enabled",) if on else ())


def test_a_stranger_stops_the_program_before_anything_but_providers() -> None:
    mocks = RecordingMocks(in_aws={KEY: FAKE_ROUTING_KEY}, in_prefect=[automation(None)])
    assert f"automation {WARNING.name} (its-id)" in refusal(mocks)
    assert {each.token.split(":")[1] for each in mocks.resources} == {"pulumi", "providers"}
    assert mocks.one(PREFECT, "prefect")


def test_a_secret_with_the_stacks_tags_is_imported_and_its_value_written() -> None:
    mocks = run({WEBHOOK: FAKE_WEBHOOK}, tags={WEBHOOK: OURS})
    assert mocks.one(SECRET, "slack-url").import_id == arn_of(WEBHOOK)
    assert mocks.one(SECRET_VERSION, "slack-url").import_id == ""


@pytest.mark.parametrize(
    ("tags", "whose"),
    [
        ({}, "not made by this project"),
        ({"stack": "example"}, "not made by this project"),
        ({**OURS, "stack": "prod"}, "made by stack prod"),
    ],
    ids=["none", "another project's", "another stack's"],
)
def test_a_secret_with_other_tags_stops_the_program(tags: dict[str, str], whose: str) -> None:
    in_aws = {KEY: FAKE_ROUTING_KEY, WEBHOOK: FAKE_WEBHOOK}
    text = refusal(RecordingMocks(in_aws=in_aws, tags={WEBHOOK: tags}))
    assert f"secret {WEBHOOK} ({arn_of(WEBHOOK)}): {whose}" in text
    assert FAKE_WEBHOOK not in text


def test_the_tags_of_what_was_deployed_are_not_asked_for() -> None:
    deployed = {"secretArns": {"slack-url": arn_of(WEBHOOK)}}
    mocks = run({WEBHOOK: FAKE_WEBHOOK}, deployed=deployed)
    assert GET_SECRET not in {token for token, _, _ in mocks.calls}
    assert mocks.one(SECRET, "slack-url").import_id == arn_of(WEBHOOK)


def test_a_block_whose_channel_has_a_new_key_keeps_its_id() -> None:
    block = PLAN.blocks[0]
    found = Found(Kind.BLOCK, "its-id", block.slug, "example")
    mocks = run(in_prefect=[found], deployed={"blockIds": {"former": "its-id"}})
    assert mocks.one(BLOCK, block.key).aliases == ("former",)
    assert mocks.one(BLOCK, block.key).import_id == ""


def test_ids_of_automations_are_read_from_every_tier() -> None:
    deployed = {"automationIds": {"warning": {"warning": "its-id"}, "critical": {}}}
    mocks = run(in_prefect=[automation(None)], deployed=deployed)
    assert mocks.one(AUTOMATION, "warning").import_id == "its-id"


def test_a_state_that_is_being_written_is_read_again() -> None:
    deployed = {"automationIds": {"warning": {"warning": "its-id"}}}
    mocks = run(in_prefect=[automation(None)], deployed=deployed, unreadable=2)
    assert mocks.one(AUTOMATION, "warning").import_id == "its-id"


def test_the_settings_are_published_before_any_other_block() -> None:
    first, *others = run().of(BLOCK)
    assert first.name == "hooks"
    for block in others:
        assert any(urn.endswith("::hooks") for urn in block.dependencies)
