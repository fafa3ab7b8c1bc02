"""What `alertctl explain` refuses, and how. What it finds is tested in tests/scenarios."""

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
COMPLETE = {"--stack": "prod", "--flow": "products-daily", "--state": "Failed"}


def _explain(**changes: str | None) -> Result:
    """Ask with some options changed, or left out where they are None."""
    options = {**COMPLETE, **{f"--{name}": value for name, value in changes.items()}}
    arguments = [text for name, value in options.items() if value for text in (name, value)]
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def _refused(result: Result) -> str:
    """The one line that says why."""
    assert result.exit_code == 2
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    return line


def test_a_state_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    line = _refused(_explain(state="Faild"))
    assert line == "--state: Faild: is not a state of Prefect's. Did you mean Failed?"


def test_a_state_like_no_other_is_refused_with_all_there_are() -> None:
    assert "Name one of AwaitingConcurrencySlot, AwaitingRetry," in _refused(_explain(state="xyz"))


def test_a_channel_that_does_not_exist_is_refused_with_the_one_that_was_meant() -> None:
    line = _refused(_explain(verify="data-alerts,oncall"))
    assert line == "--verify: oncall: is not a channel of the stack. Did you mean on-call?"


def test_a_stack_that_is_not_there_is_refused() -> None:
    assert "Pulumi.nowhere.yaml: file: cannot be read" in _refused(_explain(stack="nowhere"))


def test_of_several_stacks_one_must_be_named() -> None:
    line = _refused(_explain(stack=None))
    assert line == "--stack: stack: is not named. Name one of dev, prod, sandbox, staging"


def test_every_mistake_of_a_stack_file_is_told_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "Pulumi.bad.yaml"
    file.write_text("config:\n  aws:region: eu-west-1\n  data-alerts:tga: dlt\n")
    result = _explain(stack=None, file=str(file))
    assert result.exit_code == 2
    assert (
        "Pulumi.bad.yaml:3: data-alerts:tga: is not a setting. Did you mean tag?" in result.stderr
    )


@pytest.mark.parametrize("times", ["0", "1001", "many"])
def test_a_number_of_runs_that_cannot_be_played_is_refused(times: str) -> None:
    assert _explain(times=times).exit_code == 2


def test_what_is_refused_is_refused_without_waiting_for_prefect() -> None:
    script = (
        "import sys; sys.argv[1:] = ['explain', '--stack', 'prod', '--flow', 'a', '--state', 'b']\n"
        "import atexit; atexit.register(lambda: print('prefect' in sys.modules))\n"
        "from alerting.ctl.__main__ import main; main()"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert (run.returncode, run.stdout) == (2, "False\n")
