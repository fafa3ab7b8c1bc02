"""`alertctl rules` as a command."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app
from alerting.plan import build_plan
from alerting.plan.documents import trigger_document
from alerting.settings.stackfile import read_stack_file
from tests.shared.mistakes import BASE

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
PROD = ROOT / "Pulumi.prod.yaml"


def _rules(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["rules", *arguments], env={"COLUMNS": "300"})


def _documents(*arguments: str) -> list[dict[str, Any]]:
    result = _rules(*arguments, "--json")
    assert result.exit_code == 0
    documents: list[dict[str, Any]] = json.loads(result.stdout)
    return documents


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.parametrize("stack", ["dev", "staging", "prod", "sandbox"])
def test_every_automation_is_printed_as_prefect_would_store_it(stack: str) -> None:
    found = read_stack_file(ROOT / f"Pulumi.{stack}.yaml")
    planned = build_plan(found.settings, found.stack).automations
    printed = _documents("--stack", stack)
    assert [each["key"] for each in printed] == [rule.key for rule in planned]
    for document, rule in zip(printed, planned, strict=True):
        assert document["name"] == rule.name
        assert document["tier"] == rule.tier.value
        assert document["description"] == rule.description
        assert document["enabled"] is rule.enabled
        assert document["trigger"] == trigger_document(rule.trigger)


def test_blocks_and_automations_are_named_where_prefect_would_have_ids() -> None:
    documents = {each["key"]: each for each in _documents("--file", str(PROD))}
    told = documents["critical"]["actions"]
    assert [action["block_document_id"] for action in told] == [
        "slack-webhook/alerts-critical",
        "custom-webhook/data-pipelines",
    ]
    standby = [each["name"] for each in documents.values() if not each["enabled"]]
    for key in ("sentinel-silent", "sentinel-back"):
        actions = documents[key]["actions"]
        assert [a["automation_id"] for a in actions if "automation_id" in a] == standby


def test_people_read_a_table_of_what_fires_and_who_is_told() -> None:
    result = _rules("--stack", "staging")
    assert result.exit_code == 0
    lines = {line.split()[1]: line for line in result.stdout.splitlines() if line.startswith("│")}
    assert len(lines) == 29
    for text in ("[staging] DLT Pipeline Critical Alert", "enabled", "3 consecutive failures of"):
        assert text in lines["critical"]
    assert "data-alerts-critical, on-call" in lines["critical"]
    assert "paused" in lines["standby-critical"]
    assert "on-call; resumes 9 automations" in lines["sentinel-silent"]
    assert "data-alerts, on-call; pauses 9 automations" in lines["sentinel-back"]


def test_a_name_with_the_signs_of_markup_is_printed_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.markup.yaml"
    file.write_text(BASE.replace("to: manager", "to: '[bold]manager[/bold]'"))
    assert "An outage of 1h, for the [bold]manager[/bold]." in _rules("--file", str(file)).stdout


def test_mistakes_are_told_by_line_and_exit_with_two(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text(BASE + "  data-alerts:evaluation: native\n")
    result = _rules("--file", str(file))
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("Pulumi.bad.yaml:21: data-alerts:evaluation: expected 'sentinel' or ")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--stack", "nowhere"), "Pulumi.nowhere.yaml: file: cannot be read"),
        ((), "--stack: stack: is not named. Name one of dev, prod, sandbox, staging"),
        (("--stack", "prod", "--file", str(PROD)), "name a stack or a file, not both"),
    ],
    ids=["no such stack", "none named", "both named"],
)
def test_what_cannot_be_printed_is_one_clear_error(arguments: tuple[str, ...], error: str) -> None:
    result = _rules(*arguments)
    assert result.exit_code == 2
    assert error in result.stderr


def test_encrypted_values_stay_unread() -> None:
    lines = (ROOT / "Pulumi.sandbox.yaml").read_text().splitlines()
    secure = [line.split("secure: ")[1] for line in lines if "secure: " in line]
    assert secure
    printed = _rules("--stack", "sandbox", "--json").stdout
    assert not [value for value in secure if value in printed]


def test_nobody_waits_for_prefect_or_pulumi() -> None:
    program = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from alerting.ctl.__main__ import app\n"
        "result = CliRunner().invoke(app, ['rules', '--stack', 'prod'])\n"
        "heavy = {'prefect', 'pulumi', 'httpx', 'jinja2'}\n"
        "print(result.exit_code, sorted(heavy & {n.partition('.')[0] for n in sys.modules}))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "0 []\n"
