"""Secrets from the first value to the last, by `alertctl` as a team runs it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alerting.secrets.secrets_manager import CURRENT, REPLACED
from sandbox.capture.channels import register_channels
from sandbox.environment import base_environment, captured
from sandbox.state import SandboxState
from tests.e2e.in_services import aws, blocks
from tests.e2e.live import Live, deployed

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

REPOSITORY = Path(__file__).resolve().parents[2]
KEY, KEY_NAME = "pagerduty-integration-key", "prefect/pagerduty-integration-key"
SECONDS = 150


@dataclass
class Team:
    """People with a terminal in the project's folder, and at Slack and PagerDuty."""

    live: Live
    variables: dict[str, str]
    valid: dict[str, str]
    """Values that the vendors take, with the channel of each."""
    values: set[str] = field(default_factory=set)
    """Every value that there ever was: none may be shown."""

    def alertctl(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            self.command(arguments),
            input=given,
            check=False,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            **self.place(),
        )
        shown = answer.stdout + answer.stderr
        assert not any(value in shown for value in self.values), "a value was shown"
        assert "Traceback" not in shown
        return answer

    def command(self, arguments: Sequence[str]) -> list[str]:
        secrets = [sys.executable, "-m", "alerting.ctl", "secrets"]
        return [*secrets, *arguments, "--stack", "sandbox"]

    def place(self) -> dict[str, Any]:
        return {"cwd": self.live.stack.stack_file.parent, "env": self.variables}

    def make_at_vendor(self, key: str, name: str) -> str:
        """A new webhook or integration key for the channel of a secret, beside those there are."""
        stack = self.live.stack
        rule = next(rule for rule in stack.plan.secrets if rule.key == key)
        channel = next(n for n, c in stack.settings.channels.items() if c.secret == key)
        token = sha256(name.encode()).hexdigest()[:25]
        value = f"sandbox{token}"
        if rule.kind == "slack":
            value = f"https://hooks.slack.com/services/T00000000/B00000000/{token.upper()}"
        self.values.add(value)
        self.valid[value] = channel
        register_channels(self.live.state.folder, self.valid)
        return value

    def revoke_at_vendor(self, value: str) -> None:
        """The value is no use any more."""
        del self.valid[value]
        register_channels(self.live.state.folder, self.valid)

    def labels(self, name: str) -> dict[str, str]:
        client = aws(self.live.state)
        stages = client.describe_secret(SecretId=name)["VersionIdsToStages"]
        return {
            label: client.get_secret_value(SecretId=name, VersionId=version)["SecretString"]
            for version, labels in stages.items()
            for label in labels
        }


@pytest.fixture(scope="module")
def at_work(sandbox: SandboxState) -> Iterator[Team]:
    """The stack with a sentinel, and its team."""
    with deployed(sandbox) as live:
        live.start_sentinel()
        live.wait_until_followed()
        yield _team(live)


@pytest.fixture
def team(at_work: Team) -> Team:
    """The same, with nothing left to be told."""
    at_work.live.begin()
    return at_work


def _team(live: Live) -> Team:
    state, stack = live.state, live.stack
    variables = {
        **base_environment(),
        **captured(state.proxy_url, state.ca_file),
        **stack.engine_environment(),
        **{rule.variable: stack.secrets[rule.key] for rule in stack.plan.secrets},
        "PYTHONPATH": str(REPOSITORY),
        "PREFECT_HOME": str(state.folder / "alertctl"),
    }
    valid = {
        stack.secrets[channel.secret]: name
        for name, channel in stack.settings.channels.items()
        if channel.secret
    }
    return Team(live, variables, valid, set(stack.secrets.values()))


def test_a_value_is_put_deployed_and_verified(team: Team) -> None:
    listed = json.loads(team.alertctl("list", "--json").stdout)
    assert {each["state"] for each in listed} == {"present"}
    value = team.make_at_vendor(KEY, "put")
    put = team.alertctl("put", KEY, given=f"{value}\n")
    assert put.returncode == 0, put.stderr
    differs = team.alertctl("verify", KEY)
    assert differs.returncode == 1
    assert "block pager-duty-webhook/data-pipelines holds another value" in differs.stdout
    team.live.stack.up()
    assert (
        blocks(team.live.state)["pager-duty-webhook/data-pipelines"]["data"]["integration_key"]
        == value
    )
    verified = team.alertctl("verify")
    assert verified.returncode == 0, verified.stdout
    assert verified.stdout.count("good: the webhook answers") == 3
    assert "not provable without paging" in verified.stdout
    assert not any(message.accepted for message in team.live.messages())


def test_a_value_of_the_configuration_is_rotated_and_its_messages_arrive(team: Team) -> None:
    key, name = "slack-webhook-url", "prefect/slack-webhook-url"
    old = team.labels(name)[CURRENT]
    new = team.make_at_vendor(key, "rotated")
    rotated = team.alertctl("rotate", key, given=new)
    assert rotated.returncode == 0, rotated.stderr
    assert "Commit Pulumi.sandbox.yaml" in rotated.stdout
    assert "revoke the old one" in rotated.stdout
    assert team.labels(name) == {CURRENT: new}
    assert blocks(team.live.state)["slack-webhook/alerts"]["data"]["url"] == new
    assert new not in team.live.stack.stack_file.read_text()
    assert [title for title in team.live.titles("data-alerts") if "DRILL" in title]
    team.revoke_at_vendor(old)
    assert team.alertctl("verify", key).returncode == 0


def test_a_rotation_that_is_killed_goes_on_without_the_value(team: Team) -> None:
    old = team.labels(KEY_NAME)[CURRENT]
    new = team.make_at_vendor(KEY, "killed")
    process = subprocess.Popen(
        team.command(["rotate", KEY, "--page"]),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
        **team.place(),
    )
    assert process.stdin
    assert process.stderr
    process.stdin.write(new)
    process.stdin.close()
    said = ""
    for line in process.stderr:
        said += line
        if "drilling" in line:
            break
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "deployed: Secrets Manager and Prefect hold it" in said
    assert team.labels(KEY_NAME)[REPLACED] == old
    refused = team.alertctl("put", KEY, given=team.make_at_vendor(KEY, "other"))
    assert refused.returncode == 2
    assert "--resume" in refused.stderr
    resumed = team.alertctl("rotate", KEY, "--page", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "it is deployed already" in resumed.stderr
    assert team.labels(KEY_NAME) == {CURRENT: new}
    assert [title for title in team.live.titles("on-call") if "DRILL" in title]


def test_a_revoked_webhook_is_found_and_no_use_for_a_rotation(team: Team) -> None:
    key, name = "slack-webhook-url-info", "prefect/slack-webhook-url-info"
    revoked = team.make_at_vendor(key, "revoked")
    team.revoke_at_vendor(revoked)
    before = team.labels(name)
    in_ci = replace(team, variables={**team.variables, "SLACK_WEBHOOK_URL_INFO": revoked})
    refused = in_ci.alertctl("rotate", key)
    assert refused.returncode == 2
    assert "Slack answers 404 no_service" in refused.stderr
    assert team.labels(name) == before
    team.revoke_at_vendor(before[CURRENT])
    found = team.alertctl("verify", key)
    assert found.returncode == 1
    assert "wrong: the webhook is dead: Slack answers 404 no_service" in found.stdout
