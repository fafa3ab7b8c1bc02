"""`alertctl test` as a command, and what it says of messages that would not be whole."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import prefect  # noqa: F401 - under the settings that other tests of this process rely on
import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app
from alerting.plan import Plan, build_plan
from alerting.scenarios.isolation import fresh_settings
from alerting.scenarios.playing import Player
from alerting.settings.stackfile import read_stack_file
from tests.shared.scenario_files import ISSUE, scenario, written

pytestmark = pytest.mark.scenarios

ROOT = Path(__file__).resolve().parents[2]
WRONG = ISSUE.replace("at: 45m, tier: escalation", "at: 40m, tier: escalation")


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def played(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["test", *map(str, arguments)])


def test_a_scenario_that_goes_as_expected_is_ok(tmp_path: Path) -> None:
    file = written(tmp_path, ISSUE)
    result = played(file)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        f"ok a success in between resets the streak ({file}:1)",
        "1 passed, 0 failed",
    ]


def test_a_scenario_that_does_not_shows_what_was_expected_and_sent(tmp_path: Path) -> None:
    file = written(tmp_path, f"{WRONG}---\n{ISSUE}")
    result = played(file)
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert lines[0] == f"FAILED a success in between resets the streak ({file}:1)"
    assert [line[:40] for line in lines[1:10] if line[2] != " "] == [
        "  - 40m       escalation on-call",
        "  + 45m       escalation on-call        ",
    ]
    assert lines[-2:] == [
        f"ok a success in between resets the streak ({file}:19)",
        "1 passed, 1 failed",
    ]


def test_programs_read_the_same_as_json(tmp_path: Path) -> None:
    result = played(written(tmp_path, f"{WRONG}---\n{ISSUE}"), "--json")
    assert result.exit_code == 1
    document = json.loads(result.stdout)
    assert (document["passed"], document["failed"]) == (1, 1)
    assert [each["passed"] for each in document["scenarios"]] == [False, True]
    assert document["scenarios"][0]["missing"][0]["at"] == 2_400


def test_wrong_files_are_told_by_line_and_nothing_is_played(tmp_path: Path) -> None:
    wrong = written(tmp_path, ISSUE.replace("state: Failed", "state: Faild"), "wrong.yaml")
    good = written(tmp_path, ISSUE)
    result = played(good, wrong)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert [line.split(": ")[0] for line in result.stderr.splitlines()] == [
        f"{wrong}:{line}" for line in (4, 5, 7)
    ]
    document = json.loads(played(good, wrong, "--json").stdout)
    assert [problem["line"] for problem in document["problems"]] == [4, 5, 7]


def test_a_wrong_stack_file_is_told_once(tmp_path: Path) -> None:
    stack = written(tmp_path, "config:\n  data-alerts:tga: dlt\n", "Pulumi.bad.yaml")
    result = played(written(tmp_path, f"{ISSUE}---\n{ISSUE}"), "--file", stack)
    assert result.exit_code == 2
    assert result.stderr.count("data-alerts:tga: is not a setting. Did you mean tag?") == 1


def test_a_stack_may_be_named_for_scenarios_that_name_none(tmp_path: Path) -> None:
    without = ISSUE.replace("stack: prod", "")
    assert played(written(tmp_path, without), "--stack", "prod").exit_code == 0
    assert played(written(tmp_path, without), "--file", "Pulumi.staging.yaml").exit_code == 0
    assert played(written(tmp_path, without)).exit_code == 2


def test_a_folder_without_scenarios_is_one_error(tmp_path: Path) -> None:
    result = played(tmp_path)
    assert result.exit_code == 2
    assert "hold no scenario file" in result.stderr


def test_other_commands_do_not_wait_for_prefect() -> None:
    code = "import alerting.ctl.__main__, sys; sys.exit('prefect' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


@pytest.fixture
def player() -> Iterator[Player]:
    with Player(fresh_settings()) as one:
        yield one


@pytest.mark.parametrize("text", ["{{ flow_run_url }}", "{{ event.payload.typo }}", "{{ 1 / 0 }}"])
def test_a_template_that_would_not_be_whole_fails_the_scenario(
    player: Player, tmp_path: Path, text: str
) -> None:
    found = read_stack_file(ROOT / "Pulumi.prod.yaml")
    plan = _with_body(build_plan(found.settings, found.stack), text)
    failed = scenario(tmp_path, "{at: 0m, flow: a, state: Failed}")
    outcome = player.play(failed, plan)
    assert not outcome.passed
    assert outcome.error is not None
    assert outcome.error.startswith("DLT Pipeline Failure Alert: Template rendering failed")


def _with_body(plan: Plan, text: str) -> Plan:
    """The plan, whose warning says this."""
    warning, *others = plan.automations
    notifications = tuple(replace(n, body=text) for n in warning.notifications)
    return replace(plan, automations=(replace(warning, notifications=notifications), *others))
