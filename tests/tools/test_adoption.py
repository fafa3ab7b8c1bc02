"""What `alertctl adopt` finds, says and writes."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber
from typer.testing import CliRunner

from alerting.adoption.inventory import Inventory
from alerting.adoption.matching import Match, Matching, Step, match
from alerting.adoption.stack_file import write_adopted
from alerting.adoption.terraform import Managed, TerraformError, read_state
from alerting.adoption.things import Kind
from alerting.adoption.workspace import Workspace, WorkspaceError
from alerting.ctl.__main__ import app
from alerting.plan import build_plan
from alerting.plan.documents import automation_document
from alerting.plan.ownership import marked
from alerting.settings.stackfile import read_stack_file
from tests.shared.recording_mocks import FAKE_WEBHOOK, PROJECT_FOLDER, arn_of

pytestmark = pytest.mark.tools

PROD = PROJECT_FOLDER / "Pulumi.prod.yaml"
PLAN = build_plan(read_stack_file(PROD).settings, "prod")
SHARED = frozenset({"pagerduty-integration-key"})
BLOCK_IDS = {rule.key: f"{rule.key}-id" for rule in PLAN.blocks}
NAMES = {rule.key: f"{rule.key}-id" for rule in PLAN.automations}
BY_GUIDE = "DLT Pipeline Critical Alert (PagerDuty)"


def stored_automation(key: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401
    rule = next(rule for rule in PLAN.automations if rule.key == key)
    return {"id": f"{key}-id", **automation_document(rule, BLOCK_IDS, NAMES), **changes}


def stored_block(key: str, **data: object) -> dict[str, Any]:
    rule = next(rule for rule in PLAN.blocks if rule.key == key)
    kind = {"slug": rule.type_slug}
    return {"id": f"{key}-id", "name": rule.name, "block_type": kind, "data": {**rule.data, **data}}


def stored_secret(name: str, **more: object) -> dict[str, Any]:
    return {"ARN": arn_of(name), "Name": name, **more}


def find(*managed: Managed, **there: Any) -> Matching:  # noqa: ANN401
    return match(PLAN, Inventory(**there), managed, SHARED)


def fields(found: Match) -> dict[str, tuple[str, str]]:
    return {each.field: (each.there, each.planned) for each in found.differences}


def test_nothing_there_is_nothing_to_adopt() -> None:
    assert find() == Matching((), ())


def test_what_carries_the_stacks_mark_is_left_to_the_deployment() -> None:
    blocks = [stored_block("data-alerts")]
    *_, found = find(blocks=blocks, automations=[stored_automation("warning")]).matches
    assert (found.step, found.differences) == (Step.NOTHING, ())


def test_a_rule_made_by_hand_is_adopted_and_its_differences_are_told() -> None:
    there = stored_automation("warning", description="By hand", enabled=False)
    there["trigger"] = {**there["trigger"], "threshold": 2, "expect": ["x"]}
    there["actions"] = [{**there["actions"][0], "subject": "Down"}]
    *_, found = find(blocks=[stored_block("data-alerts")], automations=[there]).matches
    assert found.step is Step.ADOPT
    told = fields(found)
    assert told.keys() == {
        "description",
        "enabled",
        "trigger.threshold",
        "trigger.expect",
        "actions[0].subject",
    }
    assert told["enabled"] == ("false", "true")
    assert told["trigger.threshold"] == ("2", "1")
    assert told["trigger.expect"][0] == '["x"]'


def test_references_are_compared_by_what_they_mean() -> None:
    blocks = [stored_block(rule.key) for rule in PLAN.blocks]
    automations = [stored_automation(rule.key, description="") for rule in PLAN.automations]
    found = find(blocks=blocks, automations=automations).matches
    told = {each.key: fields(each).keys() for each in found if each.kind is Kind.AUTOMATION}
    assert told == {rule.key: {"description"} for rule in PLAN.automations}


def test_the_guides_critical_rule_is_known_under_its_name() -> None:
    there = stored_automation("critical", name=BY_GUIDE, description="")
    (found,) = find(automations=[there]).matches
    assert (found.key, found.step) == ("critical", Step.ADOPT)
    assert fields(found)["name"] == (BY_GUIDE, "DLT Pipeline Critical Alert")


def test_a_rule_of_the_stacks_own_name_goes_before_one_of_the_guides() -> None:
    guides = stored_automation("critical", id="other", name=BY_GUIDE, description="")
    result = find(automations=[stored_automation("critical"), guides])
    assert [(each.key, each.id) for each in result.matches] == [("critical", "critical-id")]


def test_a_resource_of_terraform_is_known_by_what_the_guide_calls_it() -> None:
    there = stored_automation("critical", name="Renamed", description="")
    address = "prefect_automation.dlt_critical_alert"
    managed = Managed(Kind.AUTOMATION, address, "dlt_critical_alert", "critical-id", "Renamed")
    (found,) = find(managed, automations=[there]).matches
    assert (found.key, found.step, found.terraform) == ("critical", Step.ADOPT, address)


def test_what_another_stack_made_is_refused() -> None:
    there = stored_automation("warning", description=marked("", "dev"))
    (found,) = find(automations=[there]).matches
    assert found.step is Step.REFUSE
    assert "made by stack dev: set data-alerts:namePrefix" in found.note


def test_two_rules_of_one_name_are_refused() -> None:
    twins = [stored_automation("warning", id=i, description="") for i in ("one", "two")]
    assert {(each.id, each.step) for each in find(automations=twins).matches} == {
        ("one", Step.REFUSE),
        ("two", Step.REFUSE),
    }


def test_the_value_of_a_block_is_never_told() -> None:
    (found,) = find(blocks=[stored_block("data-alerts", url=FAKE_WEBHOOK, notify_type="x")]).matches
    assert fields(found) == {
        "notify_type": ("x", "warning"),
        "url": ("(hidden)", "the value of slack-webhook-url"),
    }
    assert FAKE_WEBHOOK not in str(found)


def test_a_block_loses_what_the_plan_does_not_have_and_that_is_told() -> None:
    there = stored_block("data-alerts", url=FAKE_WEBHOOK, allow_private_urls=True)
    assert fields(find(blocks=[there]).matches[0])["allow_private_urls"] == ("true", "")


def test_a_secret_made_by_hand_is_adopted_with_its_value() -> None:
    name = "prefect/slack-webhook-url"
    (found,) = find(secrets={name: stored_secret(name, Description="By hand")}).matches
    assert (found.step, found.id) == (Step.ADOPT, arn_of(name))
    assert fields(found).keys() == {"description", "tags"}


def test_a_secret_that_is_filled_out_of_band_is_left_to_the_deployment() -> None:
    name = "prefect/pagerduty-integration-key"
    assert find(secrets={name: stored_secret(name)}).matches[0].step is Step.NOTHING


def test_a_secret_scheduled_for_deletion_is_explained() -> None:
    name = "prefect/slack-webhook-url"
    deleted = datetime(2026, 1, 2, tzinfo=UTC)
    (found,) = find(secrets={name: stored_secret(name, DeletedDate=deleted)}).matches
    assert found.step is Step.RESTORE
    assert "2026-01-02" in found.note
    assert f"aws secretsmanager restore-secret --secret-id {name}" in found.note


def test_rules_that_tell_the_same_channels_are_left_alone_with_a_hint() -> None:
    other = stored_automation("warning", id="other", name="Ours Too", description="")
    stranger = {**other, "id": "far", "actions": []}
    result = find(blocks=[stored_block("data-alerts")], automations=[other, stranger])
    (leftover,) = result.leftovers
    assert leftover.found.id == "other"
    assert "prefect automation delete --id other" in leftover.hint


def test_a_rule_that_the_stack_plans_no_more_is_named() -> None:
    orphan = stored_automation("warning", id="orphan", name="DLT Former")
    (leftover,) = find(automations=[orphan]).leftovers
    assert "plans it no more" in leftover.hint


def state_file(folder: Path, *resources: dict[str, Any], version: int = 4) -> Path:
    file = folder / "terraform.tfstate"
    file.write_text(json.dumps({"version": version, "resources": resources}))
    return file


def resource(type_: str, label: str, **attributes: str) -> dict[str, Any]:
    instances = [{"attributes": attributes}]
    return {"mode": "managed", "type": type_, "name": label, "instances": instances}


def test_a_terraform_state_is_read(tmp_path: Path) -> None:
    block = resource("prefect_block", "slack", id="b", name="alerts", type_slug="slack-webhook")
    rule = {**resource("prefect_automation", "rule", id="a", name="A"), "module": "module.alerts"}
    rule["instances"][0]["index_key"] = "x"
    data = {**resource("prefect_block", "read", id="d", name="d"), "mode": "data"}
    other = resource("aws_s3_bucket", "bucket", id="s")
    assert read_state(state_file(tmp_path, block, rule, data, other)) == [
        Managed(Kind.BLOCK, "prefect_block.slack", "slack", "b", "slack-webhook/alerts"),
        Managed(Kind.AUTOMATION, 'module.alerts.prefect_automation.rule["x"]', "rule", "a", "A"),
    ]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"version": 3}', f'{{"x": "{FAKE_WEBHOOK}"}}'])
def test_what_is_no_terraform_state_is_said_without_quoting_it(tmp_path: Path, text: str) -> None:
    file = tmp_path / "terraform.tfstate"
    file.write_text(text)
    with pytest.raises(TerraformError, match="terraform state pull") as raised:
        read_state(file)
    assert FAKE_WEBHOOK not in str(raised.value)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "sandbox"])
def test_only_lines_are_added_to_a_stack_file_and_it_stays_good(tmp_path: Path, stack: str) -> None:
    original = (PROJECT_FOLDER / f"Pulumi.{stack}.yaml").read_text()
    file = tmp_path / f"Pulumi.{stack}.yaml"
    file.write_text(original)
    found = find(automations=[stored_automation("warning", description="")]).matches
    write_adopted(file, found)
    write_adopted(file, found)
    added = ["  data-alerts:adopt:", "    automations:", "      warning: warning-id"]
    assert file.read_text().splitlines() == original.splitlines() + added
    assert read_stack_file(file).settings.adopt.automations == {"warning": "warning-id"}


class FakeWorkspace(Workspace):
    """Answers what a workspace with one rule made by hand would."""

    def blocks(self, slugs: Any) -> list[dict[str, Any]]:  # noqa: ANN401
        return []

    def all_automations(self) -> list[dict[str, Any]]:
        return [stored_automation("warning", description="By hand")]


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import alerting.secrets.aws_client  # noqa: PLC0415
    import alerting.secrets.prefect_blocks  # noqa: PLC0415

    copy = tmp_path / "Pulumi.prod.yaml"
    copy.write_text(PROD.read_text())
    real = alerting.secrets.aws_client.secrets_manager_client

    def client(_aws: object) -> Any:  # noqa: ANN401
        made = real({"region": "eu-west-1", "accessKey": "x", "secretKey": "x"})
        stub = Stubber(made)
        for rule in PLAN.secrets:
            code, params = "ResourceNotFoundException", {"SecretId": rule.name}
            stub.add_client_error("describe_secret", code, expected_params=params)
        stub.activate()
        return made

    monkeypatch.setattr(alerting.secrets.aws_client, "secrets_manager_client", client)
    monkeypatch.setattr(
        alerting.secrets.prefect_blocks, "workspace_of", lambda *_: FakeWorkspace("http://x/api")
    )
    return copy


def test_without_yes_nothing_is_written(file: Path) -> None:
    result = CliRunner().invoke(app, ["adopt", "--file", str(file)])
    assert result.exit_code == 0, result.output
    assert "automation warning" in result.stdout
    assert "By hand" in result.stdout
    assert "alertctl adopt --stack prod --yes" in result.stdout
    assert file.read_text() == PROD.read_text()


def test_with_yes_the_stack_file_names_what_is_adopted(file: Path) -> None:
    result = CliRunner().invoke(app, ["adopt", "--file", str(file), "--yes"])
    assert result.exit_code == 0, result.output
    assert "pulumi preview --stack prod" in result.stdout
    assert read_stack_file(file).settings.adopt.automations == {"warning": "warning-id"}


def test_json_has_everything_that_was_found(file: Path) -> None:
    result = CliRunner().invoke(app, ["adopt", "--file", str(file), "--json"])
    (found,) = json.loads(result.stdout)["found"]
    assert (found["key"], found["step"], found["where"]) == ("warning", "adopt", "Prefect")
    assert found["differences"][0]["field"] == "description"


def test_terraform_is_told_to_let_go(file: Path, tmp_path: Path) -> None:
    rule = resource("prefect_automation", "dlt_failure_alert", id="warning-id", name="A")
    options = ["--terraform-state", str(state_file(tmp_path, rule)), "--yes"]
    result = CliRunner().invoke(app, ["adopt", "--file", str(file), *options])
    assert "terraform state rm 'prefect_automation.dlt_failure_alert'" in result.stdout


def test_what_is_another_stacks_is_refused_and_nothing_written(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = stored_automation("warning", description=marked("", "dev"))
    monkeypatch.setattr(FakeWorkspace, "all_automations", lambda _: [theirs])
    result = CliRunner().invoke(app, ["adopt", "--file", str(file), "--yes"])
    assert result.exit_code == 2
    assert "made by stack dev" in result.stdout
    assert file.read_text() == PROD.read_text()


def test_a_workspace_that_cannot_be_asked_ends_in_one_line(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise WorkspaceError("Prefect at http://x does not answer. Check it.")

    monkeypatch.setattr(FakeWorkspace, "all_automations", fail)
    result = CliRunner().invoke(app, ["adopt", "--file", str(file)])
    assert result.exit_code == 2
    assert result.stderr == "adopt: Prefect at http://x does not answer. Check it.\n"
