"""`alertctl check` as a command."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]


def _check(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["check", *arguments])


@pytest.fixture
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


@pytest.mark.usefixtures("in_the_project")
def test_every_stack_of_the_project_is_checked_and_good() -> None:
    result = _check()
    assert result.exit_code == 0
    heads = [line.split(":")[:2] for line in result.output.splitlines()]
    assert [file for file, said in heads if said == " good"] == [
        "Pulumi.dev.yaml",
        "Pulumi.prod.yaml",
        "Pulumi.sandbox.yaml",
        "Pulumi.staging.yaml",
    ]
    assert {said for _, said in heads} == {" good", " note"}


def test_a_stack_is_found_from_a_folder_below_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT / "tests" / "unit")
    assert _check("--stack", "prod").exit_code == 0


def test_mistakes_are_told_by_line_and_exit_with_two(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text("config:\n  aws:region: eu-west-1\n  data-alerts:tga: dlt\n")
    result = _check("--file", str(file))
    assert result.exit_code == 2
    assert (
        "Pulumi.bad.yaml:3: data-alerts:tga: is not a setting. Did you mean tag?" in result.output
    )


def test_programs_read_the_same_as_json(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text("config:\n  aws:region: eu-west-1\n  data-alerts:tga: dlt\n")
    result = _check("--file", str(file), "--json")
    assert result.exit_code == 2
    [checked] = json.loads(result.stdout)
    assert checked["file"] == "Pulumi.bad.yaml"
    assert {"line": 3, "key": "data-alerts:tga"}.items() <= checked["problems"][-1].items()


def test_a_stack_that_is_not_there_is_one_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    result = _check("--stack", "nowhere")
    assert result.exit_code == 2
    assert "Pulumi.nowhere.yaml" in result.output


def test_a_stack_and_a_file_together_are_refused(tmp_path: Path) -> None:
    result = _check("--stack", "prod", "--file", str(tmp_path))
    assert result.exit_code == 2
