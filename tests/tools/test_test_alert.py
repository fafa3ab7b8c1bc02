from typing import Any

import pytest
import typer
from prefect import State
from prefect.states import Completed, Failed
from typer.testing import CliRunner, Result

from alerting import test_alert
from alerting.test_alert import UnreachableError, main

pytestmark = pytest.mark.tools


def run(
    monkeypatch: pytest.MonkeyPatch, end: State[Any] | UnreachableError, *arguments: str
) -> tuple[Result, list[str]]:
    tags: list[str] = []

    def run_test_alert(tag: str) -> State[Any]:
        tags.append(tag)
        if isinstance(end, UnreachableError):
            raise end
        return end

    def url_for(*_: object) -> str:
        return "https://prefect.example.com/run"

    monkeypatch.setattr(test_alert, "run_test_alert", run_test_alert)
    monkeypatch.setattr(test_alert, "url_for", url_for)
    app = typer.Typer()
    app.command()(main)
    return CliRunner().invoke(app, arguments), tags


def test_the_intended_failure_is_success_and_says_what_to_look_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    end: State[Any] = Failed(message=f"exception: IntendedError: {test_alert.FAILURE}")
    result, tags = run(monkeypatch, end)
    assert result.exit_code == 0
    assert "failed as intended: https://prefect.example.com/run" in result.stdout
    assert "Look for `Pipeline failed: test-alert`" in result.stdout
    assert tags == ["dlt"]


@pytest.mark.parametrize("end", [Completed(), Failed(message="no disk left")])
def test_any_other_end_is_a_failure(monkeypatch: pytest.MonkeyPatch, end: State[Any]) -> None:
    result, _ = run(monkeypatch, end)
    assert result.exit_code == 1
    assert f"was to fail and ended in {end.name}" in result.stderr


def test_an_unreachable_prefect_has_an_exit_code_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result, _ = run(monkeypatch, UnreachableError("no route"))
    assert (result.exit_code, result.stderr) == (2, "no route\n")


def test_a_blank_tag_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    result, tags = run(monkeypatch, Completed(), "--tag", " ")
    assert result.exit_code == 2
    assert "expected the tag" in result.stderr
    assert tags == []
