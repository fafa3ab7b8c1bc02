"""What `alertctl secrets` does with a secret, and says of it, by the kind of its channel."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import httpx
import pytest
from moto import mock_aws
from pydantic import SecretStr
from ruamel.yaml import YAML
from typer.testing import CliRunner, Result

from alerting.ctl import rotating
from alerting.ctl.__main__ import app
from alerting.secrets.prefect_blocks import PrefectBlocks
from alerting.secrets.pulumi_stack import PulumiStack
from tests.shared.example_stack import raw_settings
from tests.shared.secret_store import NEW

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.commands

VALUES = {
    "slack": NEW,
    "teams": "https://example.logic.azure.com/workflows/fake?sig=fake",
    "email": "SG.fake",
    "webhook": "https://receiver.example.com/fake",
}
NAME = "prefect/slack-url"


@pytest.fixture
def aws() -> "Iterator[SecretsManagerClient]":
    with mock_aws():
        client = boto3.client("secretsmanager", region_name="eu-west-1")
        client.create_secret(Name=NAME, SecretString="old")
        yield client


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(autouse=True)
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Requests that would have left, each as its method and host. Every key may send mail."""
    found: list[str] = []

    def send(_: httpx.Client, request: httpx.Request, **__: object) -> httpx.Response:
        found.append(f"{request.method} {request.url.host}")
        answers = {"GET": (200, '{"scopes": ["mail.send"]}'), "POST": (400, "no_text")}
        status, text = answers[request.method]
        return httpx.Response(status, text=text, request=request)

    monkeypatch.setattr(httpx.Client, "send", send)
    return found


def _secrets(kind: str, *arguments: str) -> Result:
    """The command, where the channel that uses slack-url is of that kind."""
    channels = raw_settings()["channels"]
    own = {"sender": "a@example.com", "to": ["b@example.com"]} if kind == "email" else {}
    channels["alerts"] = {"kind": kind, "block": "alerts", "secret": "slack-url", **own}
    settings = raw_settings(channels=channels)
    config = {f"data-alerts:{key}": value for key, value in settings.items()}
    with Path("Pulumi.example.yaml").open("w") as file:
        YAML().dump({"config": {"aws:region": "eu-west-1", **config}}, file)
    result = CliRunner().invoke(app, ["secrets", *arguments])
    assert VALUES[kind] not in result.output + repr(result.exception), "a value was shown"
    return result


@pytest.mark.parametrize(
    ("kind", "asked", "words"),
    [
        ("slack", ["POST hooks.slack.com"], "good: the webhook answers"),
        ("email", ["GET api.sendgrid.com"], "good: SendGrid knows the key"),
        ("teams", [], "unproven: its form is right, and it was not asked: a Teams webhook"),
        ("webhook", [], "unproven: its form is right, and it was not asked: any request"),
    ],
)
def test_verify_asks_only_where_nobody_gets_a_message_and_says_what_it_did_not_ask(
    aws: "SecretsManagerClient",
    monkeypatch: pytest.MonkeyPatch,
    sent: list[str],
    kind: str,
    asked: list[str],
    words: str,
) -> None:
    aws.put_secret_value(SecretId=NAME, SecretString=VALUES[kind])
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr(VALUES[kind]))
    result = _secrets(kind, "verify", "slack-url")
    assert result.exit_code == 0
    assert words in result.output
    assert sent == asked


@pytest.mark.parametrize("kind", VALUES)
def test_a_value_of_another_form_is_wrong_and_nobody_is_asked(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, sent: list[str], kind: str
) -> None:
    aws.put_secret_value(SecretId=NAME, SecretString="http://example.com/")
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr("http://example.com/"))
    assert _secrets(kind, "verify", "slack-url").exit_code == 1
    assert sent == []


@pytest.mark.parametrize(
    ("kind", "place"),
    [
        ("slack", "api.slack.com/apps, the app, Incoming Webhooks"),
        ("teams", "Teams, the channel, Workflows"),
        ("email", "SendGrid, Settings, API Keys"),
        ("webhook", "whoever gave the URL"),
    ],
)
def test_a_rotation_ends_with_where_the_old_value_of_that_kind_is_revoked(
    aws: "SecretsManagerClient", monkeypatch: pytest.MonkeyPatch, kind: str, place: str
) -> None:
    def deploy(*_: object) -> None:
        aws.put_secret_value(SecretId=NAME, SecretString=VALUES[kind])

    monkeypatch.setenv("SLACK_URL", VALUES[kind])
    monkeypatch.setattr(PulumiStack, "up", deploy)
    monkeypatch.setattr(PrefectBlocks, "value", lambda *_: SecretStr(VALUES[kind]))
    monkeypatch.setattr(rotating, "_drill", lambda *_, **__: True)
    result = _secrets(kind, "rotate", "slack-url")
    assert result.exit_code == 0, result.output
    [last] = [line for line in result.stdout.splitlines() if line.startswith("Last, revoke")]
    assert place in last
    assert ("slack.com" in last) == (kind == "slack")
