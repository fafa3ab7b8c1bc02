"""`alertctl doctor` as a command: what it prints, and its exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alerting.ctl.__main__ import app
from alerting.doctor import checks
from alerting.doctor.findings import Check, Trouble

pytestmark = pytest.mark.commands

FILE = Path(__file__).resolve().parents[2] / "Pulumi.dev.yaml"


def fine(_: object) -> Iterator[Trouble]:
    yield from ()


def broken(_: object) -> Iterator[Trouble]:
    yield Trouble("[bold] is missing", "make it")


def doctor(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *arguments])


def test_a_healthy_stack_is_told_with_exit_code_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CHECKS", (Check("rain", "it is dry", fine),))
    answer = doctor("--file", str(FILE), "--json")
    assert answer.exit_code == 0
    assert json.loads(answer.stdout) == {
        "stack": "dev",
        "healthy": True,
        "findings": [{"check": "rain", "verdict": "good", "text": "it is dry", "remedy": ""}],
    }


def test_what_is_wrong_stands_first_with_exit_code_1(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = (Check("rain", "it is dry", fine), Check("roof", "", broken))
    monkeypatch.setattr(checks, "CHECKS", parts)
    answer = doctor("--file", str(FILE))
    assert answer.exit_code == 1
    assert answer.stdout.index("[bold] is missing") < answer.stdout.index("it is dry")
    assert "make it" in answer.stdout


@pytest.mark.parametrize(
    "arguments", [("--file", "Pulumi.nowhere.yaml"), ("--stack", "nowhere"), ()]
)
def test_a_stack_that_has_no_file_is_bad_input(arguments: tuple[str, ...]) -> None:
    answer = doctor(*arguments)
    assert answer.exit_code == 2
    assert not answer.stdout
    assert "doctor: there is no" in answer.stderr or "is not named" in answer.stderr
