"""`alertctl secrets` as a command: what it puts where, what it says, and what it never says."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest
from botocore import exceptions
from moto import mock_aws
from pydantic import SecretStr
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from alerting.adoption.workspace import Workspace, WorkspaceError
from alerting.ctl import rotating
from alerting.ctl.__main__ import app
from alerting.secrets.prefect_blocks import PrefectBlocks
from alerting.secrets.pulumi_stack import PulumiStack
from alerting.secrets.webhooks import Answer, Pulse
from tests.shared.example_stack import raw_settings
from tests.shared.secret_store import NEW, OLD

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.commands

ROOT = Path(__file__).resolve().parents[2]
KEY = "fake" * 8
KEY_NAME = "prefect/pagerduty-key"
FAKE_PULUMI = """#!/bin/sh
case "$1" in
  version) echo v9.9.9 ;;
  config) echo "$@" > argv; cat > stdin; [ ! -e refusal ] || { cat refusal >&2; exit 1; } ;;
  up) cat said; [ ! -e refusal ] ;;
esac
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one stack that has a secret of each source, and a Pulumi CLI that notes."""
    secrets = {
        "slack-url": {"name": "prefect/slack-url", "from": "env"},
        "slack-url-critical": {"name": "prefect/slack-url-critical", "value": {"secure": "v1:x"}},
        "pagerduty-key": {"name": KEY_NAME, "from": "secretsmanager"},
    }
    config = {f"data-alerts:{k}": v for k, v in raw_settings(secrets=secrets).items()}
    document = {"config": {"aws:region": "eu-west-1", **config}}
    with (tmp_path / "Pulumi.example.yaml").open("w") as file:
        YAML().dump(document, file)
    (tmp_path / "Pulumi.yaml").write_text("name: data-alerts\n")
    (tmp_path / "bin").mkdir()
    pulumi = tmp_path / "bin" / "pulumi"
    pulumi.write_text(FAKE_PULUMI)
    pulumi.chmod(0o755)
    monkeypatch.setenv("PATH", f"{pulumi.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def aws() -> "Iterator[SecretsManagerClient]":
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


def _secrets(*arguments: str, given: str = "") -> Result:
    result = CliRunner().invoke(app, ["secrets", *arguments], input=given)
    shown = result.output + repr(result.exception)
    assert not any(value in shown for value in (KEY, NEW, OLD)), "a value was shown"
    return result


def test_a_piped_value_goes_into_secrets_manager_without_its_line_break(
    aws: "SecretsManagerClient",
) -> None:
    result = _secrets("put", "pagerduty-key", given=f"{KEY}\n")
    assert result.exit_code == 0
    assert aws.get_secret_value(SecretId=KEY_NAME)["SecretString"] == KEY
    assert "pulumi up --stack example" in result.output


def test_a_value_of_the_configuration_goes_through_a_pipe_to_the_pulumi_cli(project: Path) -> None:
    result = _secrets("put", "slack-url-critical", given=f"{NEW}\r\n")
    assert result.exit_code == 0
    assert (project / "stdin").read_text() == NEW
    argv = (project / "argv").read_text()
    assert 'config set --secret --path data-alerts:secrets["slack-url-critical"].value' in argv
    assert NEW not in argv
    assert "commit it" in result.output


def test_a_refusal_of_the_pulumi_cli_is_one_line_without_the_value(project: Path) -> None:
    (project / "refusal").write_text(f"warning: x\nerror: no stack for {NEW}\nTraceback\n")
    result = _secrets("put", "slack-url-critical", given=NEW)
    assert result.exit_code == 2
    assert result.output.startswith("secrets: the Pulumi CLI refuses stack example: no stack for")
    assert len(result.output.splitlines()) == 1


def test_a_value_from_the_environment_is_refused_with_where_it_comes_from() -> None:
    result = _secrets("put", "slack-url", given=NEW)
    assert result.exit_code == 2
    assert "comes from the variable SLACK_URL, which a CI step fills" in result.output


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("pagerduty-key", "", "no value came through the pipe"),
        ("pagerduty-key", f"{KEY} \n", "contains white space"),
        ("slack-url-critical", KEY, "expected https://hooks.slack.com/services/"),
        ("slack-url-critical", OLD.replace("https", "http"), "starts with http://"),
        ("pagerduty-kye", KEY, "Did you mean pagerduty-key?"),
        (KEY, KEY, "has no such key. Name one of pagerduty-key, slack-url"),
    ],
)
def test_what_cannot_be_put_is_refused_before_anything_is_written(
    aws: "SecretsManagerClient", project: Path, name: str, given: str, words: str
) -> None:
    result = _secrets("put", name, given=given)
    assert result.exit_code == 2
    assert words in result.output
    assert aws.list_secrets()["SecretList"] == []
    assert not (project / "argv").exists()


def test_bytes_that_are_no_text_are_refused_without_showing_them() -> None:
    result = CliRunner().invoke(app, ["secrets", "put", "pagerduty-key"], input=b"fake\xff")
    assert result.exit_code == 2
    assert result.output == "secrets: what came through the pipe is not UTF-8 text\n"


def test_without_credentials_it_is_one_polite_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise exceptions.NoCredentialsError

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", nobody)
    for command in (["put", "pagerduty-key"], ["rotate", "pagerduty-key", "--page"]):
        result = _secrets(*command, given=KEY)
        assert result.exit_code == 2
        last = result.output.splitlines()[-1]
        assert last.startswith("secrets: there are no AWS credentials: log in")


def test_a_list_names_everything_and_shows_no_value(aws: "SecretsManagerClient") -> None:
    aws.create_secret(Name=KEY_NAME, SecretString=KEY)
    aws.create_secret(Name="prefect/slack-url")
    aws.create_secret(Name="prefect/slack-url-critical", SecretString=OLD)
    aws.delete_secret(SecretId="prefect/slack-url-critical", RecoveryWindowInDays=7)
    result = _secrets("list", "--json")
    assert result.exit_code == 0
    listed = {each["key"]: each for each in json.loads(result.stdout)}
    assert {key: (e["from"], e["state"], e["channels"]) for key, e in listed.items()} == {
        "slack-url": ("env", "empty", ["alerts"]),
        "slack-url-critical": ("value", "scheduled for deletion", ["critical"]),
        "pagerduty-key": ("secretsmanager", "present", ["on-call"]),
    }
    assert listed["slack-url-critical"]["deletion"].startswith("20")
    assert listed["pagerduty-key"]["changed"].startswith("20")
    table = " ".join(_secrets("list").output.split())
    for words in ("Secrets of stack example", "on-call", "variable", "present"):
        assert words in table


def test_a_list_without_aws_says_so_and_prints_what_the_file_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nobody(*_: object, **__: object) -> None:
        raise exceptions.EndpointConnectionError(endpoint_url="https://aws")

    monkeypatch.setattr("botocore.client.BaseClient._make_api_call", nobody)
    result = _secrets("list", "--json")
    assert result.exit_code == 2
    assert [each["state"] for each in json.loads(result.stdout)] == [None, None, None]
    assert result.stderr.count("Secrets Manager does not answer") == 1


def test_verify_says_good_wrong_or_unknown_in_its_exit_code(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.create_secret(Name=KEY_NAME, SecretString=KEY)
    held = aws.get_secret_value(SecretId=KEY_NAME)["SecretString"]
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr(held))
    good = _secrets("verify", "pagerduty-key")
    assert good.exit_code == 0
    assert "not provable without paging" in good.output
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr("another"))
    assert _secrets("verify", "pagerduty-key").exit_code == 1
    assert _secrets("verify").exit_code == 1


def test_verify_tells_what_does_not_answer_from_what_is_wrong(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    def out_of_reach(*_: object) -> None:
        raise WorkspaceError("Prefect does not answer.")

    aws.create_secret(Name=KEY_NAME, SecretString=KEY)
    monkeypatch.setattr(Workspace, "blocks", out_of_reach)
    result = _secrets("verify", "pagerduty-key")
    assert result.exit_code == 2
    assert "unknown: Prefect does not answer" in result.output


@pytest.fixture
def deployable(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, project: Path
) -> dict[str, str]:
    """A stack whose `pulumi up` fills the block; the CLI prints the value, as it never should."""
    aws.create_secret(Name=KEY_NAME, SecretString="old")
    (project / "said").write_text(f"updating\nwriting {KEY}\n")
    block = {"value": "old"}

    def deploy(stack: PulumiStack, say: Callable[[str], None]) -> None:
        real_up(stack, say)
        block["value"] = aws.get_secret_value(SecretId=KEY_NAME)["SecretString"]

    real_up = PulumiStack.up
    monkeypatch.setattr(PulumiStack, "up", deploy)
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr(block["value"]))
    monkeypatch.setattr(rotating, "_drill", lambda *_, **__: True)
    return block


def test_a_rotation_deploys_drills_and_says_what_to_revoke(
    deployable: dict[str, str], aws: "SecretsManagerClient"
) -> None:
    result = _secrets("rotate", "pagerduty-key", "--page", given=KEY)
    assert result.exit_code == 0
    assert "writing [redacted]" in result.output
    assert "Last, revoke the old one: PagerDuty" in result.stdout
    assert deployable["value"] == KEY
    stages = aws.describe_secret(SecretId=KEY_NAME)["VersionIdsToStages"].values()
    assert [label for labels in stages for label in labels] == ["AWSCURRENT"]


def test_a_failed_deployment_is_resumed_without_the_value(
    deployable: dict[str, str], project: Path
) -> None:
    (project / "refusal").touch()
    stopped = _secrets("rotate", "pagerduty-key", "--page", given=KEY)
    assert stopped.exit_code == 2
    assert "the deployment failed: mend what `pulumi up --stack example` says" in stopped.output
    (project / "refusal").unlink()
    assert _secrets("rotate", "pagerduty-key", "--page", "--resume").exit_code == 0
    assert deployable["value"] == KEY


def test_a_value_of_the_environment_is_rotated_from_its_variable_and_not_shown(
    deployable: dict[str, str], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = project / "Pulumi.example.yaml"
    file.write_text(file.read_text().replace("from: secretsmanager", "from: env"))
    refused = _secrets("rotate", "pagerduty-key", "--page", given=KEY)
    assert refused.exit_code == 2
    assert "comes from the variable PAGERDUTY_KEY, which a CI step fills" in refused.output
    monkeypatch.setenv("PAGERDUTY_KEY", KEY)
    stopped = _secrets("rotate", "pagerduty-key", "--page")
    # This deployment only copies what Secrets Manager has, which a real one would have written.
    assert stopped.exit_code == 1
    assert "writing [redacted]" in stopped.output
    assert deployable["value"] == "old"


def test_a_failed_drill_exits_with_one_and_can_be_abandoned(
    deployable: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotating, "_drill", lambda *_, **__: False)
    failed = _secrets("rotate", "pagerduty-key", "--page", given=KEY)
    assert failed.exit_code == 1
    assert "revoke nothing" in failed.output
    listed = json.loads(_secrets("list", "--json").stdout)
    assert [each["rotating"] for each in listed] == [True, False, False]
    assert deployable["value"] == KEY
    abandoned = _secrets("rotate", "pagerduty-key", "--page", "--abandon")
    assert abandoned.exit_code == 0
    assert deployable["value"] == "old"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pagerduty-key"], "only a page proves it: tell on-call, and add --page"),
        (["pagerduty-key", "--page", "--resume"], "is under way: leave --resume out"),
        (["pagerduty-key", "--page", "--abandon"], "no rotation of pagerduty-key is under way"),
        (["pagerduty-key", "--resume", "--abandon"], "are opposites"),
    ],
)
@pytest.mark.usefixtures("deployable")
def test_a_rotation_that_makes_no_sense_is_refused(arguments: list[str], words: str) -> None:
    result = _secrets("rotate", *arguments, given=KEY)
    assert result.exit_code == 2
    assert words in result.output


def test_a_dead_webhook_is_refused_before_it_is_put_anywhere(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch
) -> None:
    aws.create_secret(Name="prefect/slack-url", SecretString=OLD)
    dead = Answer(Pulse.DEAD, "the webhook is dead: Slack answers 404 no_service")
    monkeypatch.setattr(rotating, "ask", lambda *_: dead)
    monkeypatch.setenv("SLACK_URL", NEW)
    result = _secrets("rotate", "slack-url")
    assert result.exit_code == 2
    assert "the new value is no use: the webhook is dead" in result.output
    labels = aws.describe_secret(SecretId="prefect/slack-url")["VersionIdsToStages"].values()
    assert list(labels) == [["AWSCURRENT"]]


def test_a_typed_value_is_asked_for_twice_and_never_echoed() -> None:
    """On a real terminal, and with a value that is refused: nothing of it is printed."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "alerting.ctl", "secrets", "put", "slack-url-critical"],
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    os.close(terminal)
    shown = ""
    for question in ("not shown", "again"):
        while question not in shown:
            shown += os.read(controller, 1000).decode()
        os.write(controller, f"{KEY}\n".encode())
    try:
        while more := os.read(controller, 1000).decode():
            shown += more
    except OSError:  # the terminal has no one left
        pass
    os.close(controller)
    assert process.wait(timeout=30) == 2
    assert "expected https://hooks.slack.com/services" in shown
    assert KEY not in shown
