"""Scenarios that pytest collects in a project of somebody's own."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.shared.scenario_files import ISSUE, written

pytestmark = pytest.mark.scenarios

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a stack, a scenario that passes, one that fails and two that are wrong."""
    written(tmp_path, "name: theirs\n", "Pulumi.yaml")
    written(tmp_path, (ROOT / "Pulumi.prod.yaml").read_text(), "Pulumi.prod.yaml")
    options = "[pytest]\naddopts = -p alerting.scenarios.pytest_plugin --strict-markers\n"
    written(tmp_path, options, "pytest.ini")
    folder = tmp_path / "scenarios" / "deep"
    folder.mkdir(parents=True)
    failing = ISSUE.replace("name: a success", "name: another").replace("at: 45m", "at: 44m")
    written(folder, f"{ISSUE}---\n{failing}", "streaks.yaml")
    written(folder, ISSUE.replace("stack: prod", "stack: nowhere"), "stackless.yaml")
    written(folder, ISSUE.replace("tier: warning", "tier: warnin"), "wrong.yaml")
    written(tmp_path, "not: a scenario\n", "other.yaml")
    return tmp_path


def test_each_scenario_is_a_test(project: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-v",
            "--continue-on-collection-errors",
            "-m",
            "scenarios",
        ],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = done.stdout
    assert "streaks.yaml::a success in between resets the streak PASSED" in said
    assert "streaks.yaml::another in between resets the streak FAILED" in said
    assert "  + 45m       escalation on-call" in said
    assert "stackless.yaml:2: stack: there is no " in said
    assert "wrong.yaml:10: expect[0].tier: is not a tier." in said
    assert "2 failed, 1 passed, 1 error" in said
    assert "Traceback" not in said
