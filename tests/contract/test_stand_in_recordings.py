"""The stand-ins answer as the genuine plugins were recorded to, and send what those sent.

The servers are real: a Prefect server, and moto for AWS. What a recording found there is made
before it is replayed.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.plugins.aws import Aws
from sandbox.plugins.aws_secret import Secret
from sandbox.plugins.aws_secret_version import SecretVersion
from sandbox.plugins.prefect_automation import Automation
from sandbox.plugins.prefect_block import Block
from sandbox.plugins.prefect_bridge import PrefectBridge
from sandbox.wire import Wire
from tests.contract.patient import ask
from tests.contract.replay import Replay, engine_for, recorded

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import FilterTypeDef

pytestmark = pytest.mark.contract

PREFECT = [
    *("create", "noop", "update", "preview", "refresh", "repair", "import", "delete", "listmatch"),
    *("badaction", "badjson", "badname", "badwithin"),
]
AWS = ["create", "noop", "update", "refresh", "repair", "rename", "delete", "badwindow", "twice"]
INPUTS = {
    "prefect:index/block:Block": Block.inputs,
    "prefect:index/automation:Automation": Automation.inputs,
    "aws:secretsmanager/secret:Secret": Secret.inputs,
    "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion.inputs,
}
# The recordings are of Terraform's provider through the bridge; pulumi-aws has names of its own.
AWS_NAMES = {
    "aws:index/secretsmanagerSecret:SecretsmanagerSecret": "aws:secretsmanager/secret:Secret",
    "aws:index/secretsmanagerSecretVersion:SecretsmanagerSecretVersion": (
        "aws:secretsmanager/secretVersion:SecretVersion"
    ),
    "secretsmanagerSecretId": "id",
    "secretsmanagerSecretVersionId": "id",
}
# What pulumi-aws 7 adds.
ADDED = frozenset({"region", "secretArn"})
# In the recordings one secret has this name, and another was deleted with a recovery window.
TAKEN, KEPT = "prefect/slack-webhook-url", "prefect/pagerduty-integration-key"


@contextmanager
def prefect_replay(wire: Wire) -> Iterator[Replay]:
    with engine_for(PrefectBridge()) as engine:
        replay = Replay(engine, {"http://127.0.0.1:4210": wire.url}, INPUTS)
        yield replay
    for made in replay.made:
        for kind in ("automations", "block_documents"):
            ask("DELETE", f"{wire.target}/api/{kind}/{made}")


@pytest.fixture
def recorded_secrets(secrets_manager: "SecretsManagerClient") -> Iterator["SecretsManagerClient"]:
    """A client; no secret of the recordings is left when the test is over."""
    yield secrets_manager
    recorded_names: list[FilterTypeDef] = [{"Key": "name", "Values": ["prefect/"]}]
    left = secrets_manager.list_secrets(IncludePlannedDeletion=True, Filters=recorded_names)
    for secret in left["SecretList"]:
        secrets_manager.delete_secret(SecretId=secret["ARN"], ForceDeleteWithoutRecovery=True)


@pytest.mark.parametrize("recording", PREFECT)
def test_the_bridge_answers_as_recorded(recording: str, prefect_wire: Wire) -> None:
    with prefect_replay(prefect_wire) as replay:
        replay.run(recorded(f"prefect/{recording}"))


@pytest.mark.parametrize("recording", ["badname", "badwithin"])
def test_the_bridge_sends_what_the_server_was_recorded_to_get(
    recording: str, prefect_wire: Wire
) -> None:
    calls = recorded(f"prefect/{recording}")
    [error] = [text for call in calls for text in call.errors]
    [body] = re.findall(r'"request_body":({.*})}', error)
    with prefect_replay(prefect_wire) as replay:
        replay.run(calls)
    path = "block_documents" if recording == "badname" else "automations"
    assert without_schema(prefect_wire.bodies(f"POST /api/{path}/")[-1]) == without_schema(
        json.loads(body)
    )


@pytest.mark.parametrize("recording", AWS)
def test_the_aws_plugin_answers_as_recorded(
    recording: str, moto_url: str, recorded_secrets: "SecretsManagerClient"
) -> None:
    calls = [call for call in recorded(f"aws/{recording}") if call.method != "Parameterize"]

    def put_a_newer_value() -> None:
        recorded_secrets.put_secret_value(SecretId=TAKEN, SecretString="newer")

    if recording in {"badwindow", "twice"}:
        recorded_secrets.create_secret(Name=TAKEN)
        recorded_secrets.create_secret(Name=KEPT)
        recorded_secrets.delete_secret(SecretId=KEPT, RecoveryWindowInDays=30)
    with engine_for(Aws()) as engine:
        replay = Replay(engine, {**AWS_NAMES, "http://127.0.0.1:5210": moto_url}, INPUTS, ADDED)
        replay.run(calls, put_a_newer_value if recording == "refresh" else lambda: None)


def without_schema(body: dict[str, Any]) -> dict[str, Any]:
    """Leave out ids that every server gives anew."""
    return {k: v for k, v in body.items() if k not in {"block_schema_id", "block_type_id"}}
