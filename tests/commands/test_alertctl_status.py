"""`alertctl status` and its like as commands, over an API in memory."""

import json
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from typer.testing import CliRunner, Result

from alerting.ctl import observed
from alerting.ctl.__main__ import app
from alerting.failures import FailedRun
from alerting.observing import observer as observer_module
from alerting.observing import prefect_reader
from alerting.observing.memory import Memory
from alerting.observing.observer import Observer
from alerting.sentinel.events import announcement
from alerting.sentinel.judging import judge
from tests.shared.fake_prefect import FakePrefect, ago
from tests.shared.fake_workspace import end

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2hunter2"


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for name in ("URL", "KEY", "AUTH_STRING"):
        monkeypatch.delenv(f"PREFECT_API_{name}", raising=False)


@pytest.fixture
def prefect(monkeypatch: pytest.MonkeyPatch) -> FakePrefect:
    """A healthy workspace, in place of the one that a command would be led to."""
    fake = FakePrefect()
    fake.heartbeat(ago(seconds=10))
    for name in ("orders", "load-clicks"):
        fake.run(name, "Completed", ago(minutes=30), deployment="prod")

    @asynccontextmanager
    async def observing(_asked: object) -> AsyncGenerator[Observer]:
        async with fake.client() as client:
            yield fake.observer(client, Memory())

    monkeypatch.setattr(observed, "observing", observing)
    return fake


def alertctl(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


@pytest.mark.usefixtures("prefect")
def test_when_all_is_well_the_exit_code_is_0() -> None:
    answer = alertctl("status")
    assert answer.exit_code == 0, answer.stderr
    assert "2 healthy" in answer.stdout
    assert "heard 10s ago" in answer.stdout
    assert answer.stdout.index("clicks") < answer.stdout.index("orders")


def test_when_something_fails_the_exit_code_is_1_and_it_stands_first(prefect: FakePrefect) -> None:
    prefect.run("orders", "Crashed", ago(minutes=1), deployment="prod", message="[bold] gone")
    answer = alertctl("status")
    assert answer.exit_code == 1
    assert answer.stdout.index("orders") < answer.stdout.index("clicks")
    row = next(line for line in answer.stdout.splitlines() if "orders" in line)
    assert "failing, Crashed" in row
    assert "50.0%" in row
    document = json.loads(alertctl("status", "--json").stdout)
    assert document["attention"] == 1
    [first, _] = document["pipelines"]
    assert (first["pipeline"], first["streak"], first["error"]) == ("orders", 1, "[bold] gone")


def test_when_the_alerting_is_impaired_the_exit_code_is_2(prefect: FakePrefect) -> None:
    prefect.run("orders", "Failed", ago(minutes=1), deployment="prod")
    prefect.paused.add("DLT Pipeline Recovery")
    answer = alertctl("status")
    assert answer.exit_code == 2
    assert "IMPAIRED" in answer.stdout
    assert "switched off: 'DLT Pipeline Recovery'" in answer.stdout
    assert json.loads(alertctl("status", "--json").stdout)["impaired"] is True


def test_only_the_most_urgent_are_printed_unless_all_are_asked_for(prefect: FakePrefect) -> None:
    prefect.run("orders", "Failed", ago(minutes=1), deployment="prod")
    answer = alertctl("status", "--limit", "1")
    assert "1 more, all less urgent" in answer.stdout
    assert "clicks" not in answer.stdout.partition("The alerting itself")[0]
    assert "more, all less" not in alertctl("status", "--limit", "0").stdout


@pytest.mark.parametrize("command", ["status", "history", "recent-failures", "report"])
def test_a_prefect_that_cannot_be_asked_is_one_clear_error(
    command: str, prefect: FakePrefect, tmp_path: Path
) -> None:
    arguments = ["--html", str(tmp_path / "report.html")] if command == "report" else []
    for wrong in (httpx.Response(401), httpx.Response(200, text="<html>"), httpx.Response(404)):
        prefect.fails = lambda _path, wrong=wrong: wrong  # type: ignore[misc]
        answer = alertctl(command, *arguments)
        assert answer.exit_code == 2
        [line] = answer.stderr.splitlines()
        assert line.startswith(f"{command}: ")
        assert answer.stdout == ""


@pytest.mark.parametrize("command", ["status", "history", "recent-failures", "report"])
def test_a_prefect_that_does_not_answer_is_one_clear_error(
    command: str, prefect: FakePrefect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prefect_reader, "ANSWER_SECONDS", 0.05)
    prefect.hangs = True
    arguments = ["--html", str(tmp_path / "report.html")] if command == "report" else []
    answer = alertctl(command, *arguments)
    assert answer.exit_code == 2
    [line] = answer.stderr.splitlines()
    assert line.startswith(f"{command}: ")
    assert "does not answer within" in line
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("status",), "PREFECT_API_URL is not set"),
        (("status", "--stack", "nowhere"), "Pulumi.nowhere.yaml"),
        (("status", "--stack", "prod"), "PREFECT_API_KEY is not set. Set it"),
        (("history", "--since", "soon"), "expected a duration such as 30s"),
        (("recent-failures", "--since", "0h"), "expected a duration above zero"),
        (("serve", "--stack", "prod"), "PREFECT_API_KEY is not set. Set it"),
    ],
)
def test_bad_input_is_one_clear_error(arguments: tuple[str, ...], error: str) -> None:
    answer = alertctl(*arguments)
    assert answer.exit_code == 2
    assert error in " ".join(answer.stderr.replace("│", "").split())
    assert answer.stdout == ""


@pytest.mark.parametrize(
    ("url", "error"),
    [
        ("http://127.0.0.1:9/api", "cannot be reached"),
        ("http://127.0.0.1:9", "expected the API's URL, which ends in /api"),
    ],
)
def test_a_server_that_is_not_there_is_said(url: str, error: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "alerting.ctl", "status"]
    environment = {"PREFECT_API_URL": url, "PATH": "/usr/bin", "HOME": str(tmp_path)}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert run.returncode == 2
    [line] = run.stderr.splitlines()
    assert error in line


def announced(fake: FakePrefect) -> dict[str, Any]:
    """Three failures of orders and what was announced of them; returns the last failure."""
    history = [end("orders", minutes) for minutes in (300, 320, 340)]
    made = [announcement(v, fake.settings, v.at) for v in judge(history, fake.settings, ago())]
    fake.events += [{**each, "received": each["occurred"]} for each in made]
    return dict(next(e for e in reversed(made) if e["event"].endswith(".failure")))


def sent(fake: FakePrefect, cause: dict[str, Any], **payload: str) -> None:
    at = datetime.fromisoformat(cause["payload"]["at"]) + timedelta(seconds=2)
    role = {"prefect.resource.role": "triggering-event"}
    fake.event(
        f"prefect.automation.action.{'failed' if payload else 'executed'}",
        at,
        {"prefect.resource.name": "DLT Pipeline Failure Alert"},
        {"action_index": 0, "action_type": "send-notification", **payload},
        [{"prefect.resource.id": f"prefect.event.{cause['id']}", **role}],
    )


def test_every_notification_is_in_the_history_with_the_review_of_them(
    prefect: FakePrefect,
) -> None:
    failure = announced(prefect)
    sent(prefect, failure)
    sent(prefect, failure, reason=f"refused, token={SECRET}")
    answer = alertctl("history", "--since", "2d")
    assert answer.exit_code == 0
    assert "2026-03-01 11:40:02" in answer.stdout
    assert "2 alerts, 1 messages not delivered" in answer.stdout
    assert "1 outages, 0 have ended" in answer.stdout
    assert "median 2.0s" in answer.stdout
    assert SECRET not in answer.stdout
    document = json.loads(alertctl("history", "--json").stdout)
    told = [(n["channel"], n["delivered"], n["seconds"]) for n in document["notifications"]]
    assert sorted(told) == [("alerts", False, 2.0), ("alerts", True, 2.0)]
    assert document["review"]["byPipeline"] == {"orders": 2}
    of_other = json.loads(alertctl("history", "--json", "--pipeline", "clicks").stdout)
    assert of_other["notifications"] == []


def test_failures_are_listed_with_error_link_and_who_was_told(
    prefect: FakePrefect, monkeypatch: pytest.MonkeyPatch
) -> None:
    failure = announced(prefect)
    sent(prefect, failure)
    payload = failure["payload"]
    told = FailedRun(
        flow="orders",
        deployment=None,
        run_id=UUID(payload["run_id"]),
        name="brave-otter",
        state="Failed",
        message=f"[bold]no password={SECRET}",
        time=ago(minutes=20),
        url=None,
    )
    untold = replace(told, flow="other", run_id=uuid4(), message="")

    async def failed_runs(*_: object, **__: object) -> list[FailedRun]:
        return [told, untold]

    monkeypatch.setattr(observer_module, "failed_runs", failed_runs)
    answer = alertctl("recent-failures")
    assert answer.exit_code == 0
    assert "alerts (warning)" in answer.stdout
    assert "[bold]no password=[redacted]" in answer.stdout
    assert f"runs/flow-run/{told.run_id}" in answer.stdout.replace("│", "").replace(
        "\n", ""
    ).replace(" ", "")
    assert "2 failures, of which nobody was told of 1" in answer.stdout
    assert SECRET not in answer.stdout
    [only] = json.loads(alertctl("recent-failures", "--json", "--pipeline", "orders").stdout)
    assert only["owner"] == "shop"
    assert [each["channel"] for each in only["told"]] == ["alerts"]


def test_the_report_is_one_file_that_asks_nobody(prefect: FakePrefect, tmp_path: Path) -> None:
    prefect.run("orders", "Failed", ago(minutes=1), deployment="prod", message=f"token={SECRET}")
    file = tmp_path / "report.html"
    answer = alertctl("report", "--html", str(file))
    assert answer.exit_code == 0
    assert "1 need attention" in answer.stdout
    html = file.read_text()
    assert "orders" in html
    assert "failing" in html
    assert "<script" not in html
    assert "src=" not in html
    assert "<link" not in html
    assert "default-src 'none'; style-src 'sha256-" in unescape(html)
    assert SECRET not in html


@pytest.mark.usefixtures("prefect")
def test_a_report_that_cannot_be_written_is_one_clear_error() -> None:
    answer = alertctl("report", "--html", "/dev/null/report.html")
    assert answer.exit_code == 2
    assert answer.stderr.startswith("report: /dev/null/report.html cannot be written")


def test_nobody_waits_for_prefect_who_does_not_look() -> None:
    program = (
        "import sys\n"
        "import alerting.ctl.status, alerting.ctl.history, alerting.ctl.serve\n"
        "print(sorted({'prefect', 'httpx', 'uvicorn', 'jinja2'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
