"""`alertctl drill --stack` as a command, and its way to Prefect."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner, Result

from alerting.connection import ConnectionProblem, connect, what_went_wrong
from alerting.ctl import stack_drill
from alerting.ctl.__main__ import app
from alerting.drills.judging import report_of
from alerting.drills.report import DrillReport
from alerting.settings.models import PrefectSettings
from alerting.settings.stackfile import read_stack_file
from tests.shared.drills import BEGAN, ENDED, acted, drill_of, requested

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
SERVER = PrefectSettings(endpoint="https://prefect.example.com/api")


@pytest.fixture(autouse=True)
def in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name in ("URL", "KEY", "AUTH_STRING"):
        monkeypatch.delenv(f"PREFECT_API_{name}", raising=False)


def drill(*arguments: str, **environment: str) -> Result:
    return CliRunner().invoke(app, ["drill", *arguments], env=environment)


def settings_of(stack: str) -> PrefectSettings:
    return read_stack_file(ROOT / f"Pulumi.{stack}.yaml").settings.prefect


def report(*, broken: bool) -> DrillReport:
    planned = drill_of()
    requests = {BEGAN: requested(planned, BEGAN, 0), ENDED: requested(planned, ENDED, 5)}
    actions = [acted(planned, phase, 0, 7) for phase in (BEGAN, ENDED)]
    why = {"reason": "Notification failed [x]"} if broken else {}
    actions.append(acted(planned, BEGAN, 1, 1, **why))
    actions.append(acted(planned, ENDED, 1, 7))
    return report_of(planned, requests, actions)


@pytest.mark.parametrize("broken", [True, False])
def test_a_table_says_what_arrived_how_soon_or_why_not(
    broken: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[stack_drill.Asked] = []

    async def play(what: stack_drill.Asked) -> DrillReport:
        await asyncio.sleep(0)
        asked.append(what)
        return report(broken=broken)

    monkeypatch.setattr(stack_drill, "_play", play)
    result = drill("--stack", "prod", "--page", "--within", "1m")
    assert result.exit_code == (1 if broken else 0)
    rows = [line for line in result.stdout.splitlines() if line.startswith("│")]
    assert ("Notification failed [x]" in result.stdout) == broken
    assert len(rows) == (3 if broken else 4)
    assert "06:00:07" in rows[0]
    assert "7.0" in rows[0]
    verdict = "FAILED: 2 of 3" if broken else "passed: 4 of 4"
    assert f"{verdict} messages arrived in time" in result.stdout
    assert asked[0].page
    assert asked[0].within.total_seconds() == 60
    printed = drill("--stack", "prod", "--json")
    assert json.loads(printed.stdout)["passed"] is not broken


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--page",), "--page and --within go with --stack"),
        (("--within", "1m"), "--page and --within go with --stack"),
        (("--stack", "prod", "--within", "soon"), "expected a duration such as 30s"),
        (("--stack", "nowhere"), "Pulumi.nowhere.yaml: file: cannot be read"),
        (("--stack", "prod"), "drill: PREFECT_API_KEY is not set. Set it"),
        (("--stack", "dev"), "drill: PREFECT_API_AUTH_STRING is not set. Set it"),
        (("--stack", "prod", "--sandbox", "/nowhere"), "no sandbox is up in /nowhere"),
    ],
)
def test_what_cannot_be_drilled_is_one_clear_error(arguments: tuple[str, ...], error: str) -> None:
    result = drill(*arguments)
    assert result.exit_code == 2
    assert error in " ".join(result.stderr.replace("│", "").split())
    assert result.stdout == ""


def test_a_server_that_is_not_there_is_said() -> None:
    result = drill("--stack", "sandbox", PREFECT_API_URL="http://127.0.0.1:9/api")
    assert result.exit_code == 2
    [line] = result.stderr.splitlines()
    assert line.startswith("drill: http://127.0.0.1:9/api/ cannot be reached: ")


def test_the_environment_goes_over_the_stacks_endpoint_and_a_sandbox_over_both() -> None:
    assert str(connect(SERVER, {}).api_url) == "https://prefect.example.com/api/"
    elsewhere = {"PREFECT_API_URL": "https://other.example.com/api"}
    assert str(connect(SERVER, elsewhere).api_url) == "https://other.example.com/api/"
    here = connect(SERVER, elsewhere, endpoint="http://127.0.0.1:1/api")
    assert str(here.api_url) == "http://127.0.0.1:1/api/"


def authorization(settings: PrefectSettings, **environment: str) -> str | None:
    headers: httpx.Headers = connect(settings, environment)._client.headers
    found: str | None = headers.get("Authorization")
    return found


def test_cloud_is_logged_in_to_with_the_key_and_a_server_with_its_login() -> None:
    login = "Basic YWRtaW46cHc="
    assert authorization(settings_of("prod"), PREFECT_API_KEY="k3y") == "Bearer k3y"
    assert authorization(settings_of("dev"), PREFECT_API_AUTH_STRING="admin:pw") == login
    assert authorization(settings_of("dev"), PREFECT_BASIC_AUTH_KEY="admin:pw") == login
    assert authorization(SERVER) is None
    # A key of the Cloud's is nothing that a server should see.
    assert authorization(SERVER, PREFECT_API_KEY="k3y") is None


def test_a_credential_that_cannot_be_sent_is_not_repeated() -> None:
    with pytest.raises(ConnectionProblem) as caught:
        authorization(settings_of("prod"), PREFECT_API_KEY="s3cr3t\n")
    assert "PREFECT_API_KEY has white space around it" in str(caught.value)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "refuses the credentials (HTTP 401): set PREFECT_API_KEY"),
        (403, "refuses the credentials (HTTP 403): set PREFECT_API_KEY"),
        (404, "answers HTTP 404. Is it the API of a Prefect server?"),
    ],
)
def test_what_prefect_refuses_is_said_in_one_line(status: int, said: str) -> None:
    client = connect(SERVER, {"PREFECT_API_URL": "https://me:s3cr3t@prefect.example.com/api"})
    request = httpx.Request("GET", "https://prefect.example.com/api")
    error = httpx.HTTPStatusError("no", request=request, response=httpx.Response(status))
    text = what_went_wrong(error, client)
    assert said in text
    assert "s3cr3t" not in text


def test_nobody_waits_for_prefect_who_does_not_drill() -> None:
    program = (
        "import sys\n"
        "import alerting.ctl.drill\n"
        "print(sorted({'prefect', 'pulumi', 'httpx'} & set(sys.modules)))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
