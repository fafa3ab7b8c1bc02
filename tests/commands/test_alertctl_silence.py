"""`alertctl silence` as a command, over a workspace that is a fake."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from typer.testing import CliRunner, Result

from alerting.ctl import silencing
from alerting.ctl.__main__ import app
from alerting.plan.silences import Window
from alerting.settings.maintenance import MaintenanceWindow
from tests.commands.fake_variables_api import FakeVariablesApi
from tests.shared.example_stack import published_of

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 1, 6, 30, tzinfo=UTC)
STACK = "sandbox"
MOVED = ("--reason", "the source is moved [x]", "--author", "ada")
A_WINDOW = Window.of(
    MaintenanceWindow.model_validate(
        {"cron": "0 2 * * 0", "timeZone": "UTC", "duration": "5h", "reason": "patches"}
    )
)


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("URL", "KEY", "AUTH_STRING"):
        monkeypatch.delenv(f"PREFECT_API_{name}", raising=False)


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> FakeVariablesApi:
    fake = FakeVariablesApi(published_of(), flows=("ad-hoc-report",))
    monkeypatch.setattr(silencing, "connect", lambda *_args: fake)
    # The example is deployed under another name than the project's stacks have.
    scope = fake.settings.model_copy(update={"drills": None})
    fake.settings = scope
    return fake


def silence(*arguments: str, now: datetime = NOW) -> Result:
    with time_machine.travel(now, tick=False):
        return CliRunner().invoke(app, ["silence", *arguments, "--stack", STACK])


def added(api: FakeVariablesApi, *arguments: str, now: datetime = NOW) -> dict[str, Any]:
    result = silence("add", *arguments, *MOVED, "--json", now=now)
    assert result.exit_code == 0, result.stderr
    document: dict[str, Any] = json.loads(result.stdout)
    assert f"data-alerts-silence-{document['id']}" in api.variables
    return document


def listed(*arguments: str, now: datetime = NOW) -> list[dict[str, Any]]:
    result = silence("list", "--json", *arguments, now=now)
    assert result.exit_code == 0, result.stderr
    found: list[dict[str, Any]] = json.loads(result.stdout)
    return found


def test_pipelines_are_silenced_for_a_while_and_the_sentinel_is_told(
    api: FakeVariablesApi,
) -> None:
    result = silence("add", "--pipeline", "orders", "--pipeline", "clicks", "--for", "2h", *MOVED)
    assert result.exit_code == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert re.fullmatch(
        r"silence [0-9a-f]{8}: clicks, orders from 2026-03-01 06:30 until 2026-03-01 08:30 UTC "
        r"\(2h\), by ada: the source is moved \[x\]",
        first,
    )
    [variable] = api.variables.values()
    assert second == (
        f"end it earlier: alertctl silence end {variable['value']['id']} --stack sandbox"
    )
    assert api.events == ["data-alerts.silences-changed"]


@pytest.mark.parametrize(
    ("arguments", "starts", "ends"),
    [
        (("--until", "2026-03-01T08:00Z"), "06:30", "08:00"),
        (("--until", "2026-03-01T10:00+01:00"), "06:30", "09:00"),
        (("--from", "2026-03-01 07:00Z", "--for", "90m"), "07:00", "08:30"),
    ],
)
def test_a_silence_is_from_now_or_then_until_an_end_or_for_a_while(
    api: FakeVariablesApi, arguments: tuple[str, ...], starts: str, ends: str
) -> None:
    document = added(api, "--all", *arguments)
    assert document["pipelines"] == []
    assert (document["starts"], document["ends"]) == (
        f"2026-03-01T{starts}:00Z",
        f"2026-03-01T{ends}:00Z",
    )


@pytest.mark.usefixtures("api")
def test_who_is_logged_in_asks_for_it_unless_somebody_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("getpass.getuser", lambda: "grace")
    result = silence("add", "--all", "--for", "1h", "--reason", "moved", "--json")
    assert json.loads(result.stdout)["author"] == "grace"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--for", "1h", *MOVED), "name pipelines with --pipeline, or --all"),
        (("--all", "--pipeline", "orders", "--for", "1h", *MOVED), "and not both"),
        (("--all", *MOVED), "say how long with --for, or until when with --until"),
        (("--all", "--for", "1h", "--until", "2026-03-01T08:00Z", *MOVED), "say how long"),
        (("--all", "--for", "soon", *MOVED), "--for: expected a duration such as 30s"),
        (("--all", "--until", "2026-03-01T08:00", *MOVED), "--until: expected a time with its"),
        (("--all", "--until", "tonight", *MOVED), "--until: expected a time with its offset"),
        (("--all", "--from", "08:00", "--for", "1h", *MOVED), "--from: expected a time with its"),
        (("--all", "--for", "31d", *MOVED), "silence: it would last longer than 30d"),
        (("--all", "--until", "2026-03-01T06:00Z", *MOVED), "silence: it would end before"),
        (
            ("--all", "--from", "2026-03-01T04:00Z", "--for", "2h", *MOVED),
            "silence: it would be over already",
        ),
        (("--all", "--for", "1h", "--reason", " "), "silence: expected a reason"),
        (("--all", "--for", "1h"), "Missing option '--reason'"),
        (("--pipeline", "oders", "--for", "1h", *MOVED), "Did you mean 'orders'"),
        (("--pipeline", "load-clicks", "--for", "1h", *MOVED), "is the flow of 'clicks'"),
    ],
)
def test_what_cannot_be_silenced_is_one_clear_error(
    api: FakeVariablesApi, arguments: tuple[str, ...], error: str
) -> None:
    result = silence("add", *arguments)
    assert result.exit_code == 2
    assert error in " ".join(result.stderr.replace("│", "").split())
    assert result.stdout == ""
    assert not api.variables
    assert not api.events


def test_a_flow_that_is_not_listed_is_silenced_by_its_name(api: FakeVariablesApi) -> None:
    assert added(api, "--pipeline", "ad-hoc-report", "--for", "1h")["pipelines"] == [
        "ad-hoc-report"
    ]


def test_the_list_has_what_is_on_then_what_comes_and_what_is_over_if_asked(
    api: FakeVariablesApi,
) -> None:
    later = added(api, "--pipeline", "clicks", "--from", "2026-03-20T00:00Z", "--for", "1h")
    over = added(api, "--pipeline", "orders", "--for", "1h", now=NOW - timedelta(days=9))
    running = added(api, "--pipeline", "orders", "--for", "2h")
    assert api.settings.sentinel is not None
    with_window = api.settings.sentinel.model_copy(update={"maintenance": (A_WINDOW,)})
    api.settings = api.settings.model_copy(update={"sentinel": with_window})
    last_week, on, next_week = (
        f"window-{A_WINDOW.key}-{day}T020000Z" for day in ("20260222", "20260301", "20260308")
    )
    states = [(each["state"], each["id"]) for each in listed()]
    assert states == [
        ("running", running["id"]),
        ("running", on),
        ("coming", later["id"]),
        ("coming", next_week),
    ]
    everything = [(each["state"], each["id"]) for each in listed("--all")]
    assert everything == [*states, ("over", last_week), ("over", over["id"])]
    afterwards = listed("--all", now=NOW + timedelta(days=1))
    assert [each["id"] for each in afterwards if each["state"] == "over"] == [
        running["id"],
        on,
        over["id"],
    ]


def test_the_table_says_who_keeps_what_quiet_until_when(api: FakeVariablesApi) -> None:
    assert silence("list").stdout == "nothing of example is silenced\n"
    document = added(api, "--pipeline", "orders", "--for", "2h")
    silence("end", document["id"], "--author", "grace", "--reason", "it is done [y]")
    added(api, "--all", "--for", "1h")
    result = silence("list", "--all")
    assert result.exit_code == 0
    text = " ".join(result.stdout.replace("│", "").split())
    assert "Silences of example, times in UTC" in text
    assert "running all pipelines 2026-03-01 06:30 2026-03-01 07:30 the source is moved [x]" in text
    assert "; ended by grace" in text
    assert "[y]" in text


def test_a_silence_is_ended_once(api: FakeVariablesApi) -> None:
    document = added(api, "--pipeline", "orders", "--for", "2h")
    later = NOW + timedelta(minutes=10)
    result = silence("end", document["id"], "--author", "grace", now=later)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"ended: silence {document['id']}: orders from 2026-03-01")
    assert "until 2026-03-01 06:40 UTC (10m)" in result.stdout
    assert api.events == ["data-alerts.silences-changed"] * 2
    assert listed(now=later) == []
    again = silence("end", document["id"], now=later)
    assert again.exit_code == 1
    assert f"silence: silence {document['id']} is over since 2026-03-01 06:40 UTC" in again.stderr


def test_a_silence_that_is_not_there_cannot_be_ended(api: FakeVariablesApi) -> None:
    result = silence("end", "0badf00d")
    assert result.exit_code == 1
    assert "there is no silence '0badf00d'" in result.stderr
    assert api.events == []


@pytest.mark.parametrize(
    "command", [("list",), ("end", "0badf00d"), ("add", "--all", "--for", "1h")]
)
def test_a_workspace_that_refuses_is_said_in_one_line(
    api: FakeVariablesApi, command: tuple[str, ...]
) -> None:
    api.refused = 401
    given = MOVED if command[0] == "add" else ()
    result = silence(*command, *given)
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("silence: https://prefect.example.com/api/ refuses the credentials")


def test_a_stack_that_triggers_judge_knows_no_silence(api: FakeVariablesApi) -> None:
    api.settings = published_of(evaluation="triggers").model_copy(update={"drills": None})
    result = silence("list")
    assert result.exit_code == 2
    assert "judged by triggers, which know no silence" in result.stderr


def test_another_stack_in_the_workspace_is_not_silenced(api: FakeVariablesApi) -> None:
    api.settings = published_of()
    result = silence("add", "--all", "--for", "1h", *MOVED)
    assert result.exit_code == 2
    assert "the workspace holds stack 'example' and not 'sandbox'" in result.stderr


def test_a_stack_that_is_not_there_is_said() -> None:
    result = CliRunner().invoke(app, ["silence", "list", "--stack", "nowhere"])
    assert result.exit_code == 2
    assert "Pulumi.nowhere.yaml: file: cannot be read" in result.stderr


def test_a_file_is_taken_as_well_as_a_stack(api: FakeVariablesApi) -> None:
    result = CliRunner().invoke(
        app, ["silence", "add", "--all", "--for", "1h", *MOVED, "--file", "Pulumi.sandbox.yaml"]
    )
    assert result.exit_code == 0, result.stderr
    assert "--file Pulumi.sandbox.yaml" in result.stdout
    assert len(api.variables) == 1


def test_nobody_waits_for_prefect_who_does_not_silence() -> None:
    program = (
        "import sys\n"
        "import alerting.ctl.silence\n"
        "print(sorted({'prefect', 'pulumi', 'httpx'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
