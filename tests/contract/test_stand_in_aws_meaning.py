"""What the AWS stand-in asks Secrets Manager for, takes for a change, and says when it fails."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest
from pulumi.runtime.rpc import UNKNOWN

from sandbox.plugins.aws import Aws
from sandbox.plugins.values import Properties, Value
from sandbox.ports import free_port
from sandbox.wire import Wire
from tests.contract.replay import SIGNATURE, Engine, engine_for, plain

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.contract

SECRET = "aws:secretsmanager/secret:Secret"
VERSION = "aws:secretsmanager/secretVersion:SecretVersion"
GET_VERSION = "aws:secretsmanager/getSecretVersion:getSecretVersion"
GET_SECRET = "aws:secretsmanager/getSecret:getSecret"
GET_SECRETS = "aws:secretsmanager/getSecrets:getSecrets"
REGION, OTHER_REGION = "eu-west-1", "us-east-1"
FAKE_VALUE = "FAKE-VALUE-NOT-TO-BE-SEEN"
DEFAULT_TAGS = {"project": "data-alerts"}


@pytest.fixture
def engine(moto_wire: Wire) -> Iterator[Engine]:
    with engine_for(Aws()) as engine:
        engine.call("Configure", {"args": config(moto_wire.url)})
        yield engine


@pytest.fixture
def name() -> str:
    """The name of a secret that no other test has."""
    return f"meaning/{uuid4().hex}"


def config(url: str) -> Properties:
    return {
        "region": REGION,
        "accessKey": "x",
        "endpoints": json.dumps([{"secretsmanager": url}]),
        "defaultTags": json.dumps({"tags": DEFAULT_TAGS}),
    }


def create(engine: Engine, kind: str, properties: Properties) -> Properties:
    return engine.call("Create", {"type": kind, "name": "test", "properties": properties})


def changed(engine: Engine, kind: str, before: Properties, after: Properties) -> Properties:
    state = engine.call("Create", {"type": kind, "properties": before, "preview": True})
    return engine.call(
        "Diff", {"type": kind, "id": "1", "olds": state["properties"], "news": after}
    )


def test_a_secret_is_made_with_all_that_was_asked_for(
    engine: Engine, moto_wire: Wire, name: str
) -> None:
    inputs = {"name": name, "description": "a", "kmsKeyId": "alias/a", "tags": {"team": "data"}}
    state = plain(create(engine, SECRET, inputs)["properties"])
    [sent] = moto_wire.sent
    assert sent.action == "CreateSecret"
    assert {key: value for key, value in sent.body.items() if key != "ClientRequestToken"} == {
        "Name": name,
        "Description": "a",
        "KmsKeyId": "alias/a",
        "Tags": [
            {"Key": "project", "Value": "data-alerts"},
            {"Key": "team", "Value": "data"},
        ],
    }
    assert state["tags"] == {"team": "data"}
    assert state["tagsAll"] == {"team": "data", **DEFAULT_TAGS}
    assert state["recoveryWindowInDays"] == 30
    assert state["region"] == REGION


def test_a_refresh_does_not_take_default_tags_for_the_secrets_own(
    engine: Engine, name: str
) -> None:
    made = create(engine, SECRET, {"name": name, "tags": {"team": "data"}})
    read = engine.call("Read", {"type": SECRET, "id": made["id"], "properties": made["properties"]})
    assert read["properties"] == made["properties"]


def test_a_secret_can_be_in_another_region_than_the_providers(engine: Engine, name: str) -> None:
    inputs = {"name": name, "region": OTHER_REGION}
    made = create(engine, SECRET, inputs)
    assert f":{OTHER_REGION}:" in made["id"]
    request = {"type": SECRET, "id": made["id"], "properties": made["properties"]}
    read = engine.call("Read", {**request, "inputs": inputs})
    assert read["inputs"] == inputs


@pytest.mark.parametrize(
    ("days", "asked"),
    [
        (0, {"ForceDeleteWithoutRecovery": True}),
        (7, {"RecoveryWindowInDays": 7}),
        (None, {"RecoveryWindowInDays": 30}),
    ],
)
def test_a_secret_is_deleted_after_its_recovery_window(
    days: int | None, asked: Properties, engine: Engine, moto_wire: Wire, name: str
) -> None:
    inputs = {"name": name} if days is None else {"name": name, "recoveryWindowInDays": days}
    made = create(engine, SECRET, inputs)
    request = {"type": SECRET, "id": made["id"], "properties": made["properties"]}
    engine.call("Delete", request)
    assert moto_wire.sent[-1].body == {"SecretId": made["id"], **asked}
    assert engine.call("Delete", request) == {}
    assert engine.call("Read", request) == {}


def test_the_name_of_a_secret_that_exists_is_refused_with_its_id(
    engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    arn = secrets_manager.create_secret(Name=name)["ARN"]
    error = engine.failure("Create", {"type": SECRET, "properties": {"name": name}})
    assert f"creating Secrets Manager Secret ({name}): CreateSecret was refused with" in error
    assert f"ResourceExistsException: The operation failed because the secret {name}" in error
    assert f"Import it with `pulumi import`, its id is {arn}" in error


def test_the_name_of_a_secret_that_is_being_deleted_is_refused_with_the_ways_out(
    engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    secrets_manager.create_secret(Name=name)
    secrets_manager.delete_secret(SecretId=name, RecoveryWindowInDays=7)
    error = engine.failure("Create", {"type": SECRET, "properties": {"name": name}})
    assert "is scheduled for deletion" in error
    assert f"restore-secret --secret-id {name}" in error
    assert "--force-delete-without-recovery" in error


@pytest.mark.parametrize("days", [1, 6, 31])
def test_a_recovery_window_that_aws_does_not_have_is_refused(days: int, engine: Engine) -> None:
    news = {"name": "a", "recoveryWindowInDays": days}
    answer = engine.call("Check", {"type": SECRET, "name": "test", "news": news})
    assert len(answer["failures"]) == 2


@pytest.mark.parametrize("days", [0, 7, 30, UNKNOWN])
def test_a_recovery_window_that_aws_has_is_taken(days: Value, engine: Engine) -> None:
    news = {"name": "a", "recoveryWindowInDays": days}
    answer = engine.call("Check", {"type": SECRET, "name": "test", "news": news})
    assert "failures" not in answer


@pytest.mark.parametrize(
    ("change", "diffs", "replaces"),
    [
        ({"description": "other"}, ["description"], []),
        ({"recoveryWindowInDays": 0}, ["recoveryWindowInDays"], []),
        ({"tags": {"a": "b"}}, ["tags", "tagsAll"], []),
        ({"name": "other"}, ["name"], ["name"]),
        ({"region": OTHER_REGION}, ["region"], ["region"]),
        ({"region": REGION, "tags": {}, "description": ""}, [], []),
    ],
    ids=lambda change: " ".join(change) if isinstance(change, dict) else "",
)
def test_what_changes_a_secret_and_what_replaces_it(
    change: Properties, diffs: list[str], replaces: list[str], engine: Engine
) -> None:
    answer = changed(engine, SECRET, {"name": "a"}, {"name": "a", **change})
    assert (answer.get("diffs", []), answer.get("replaces", [])) == (diffs, replaces)


@pytest.mark.parametrize("key", ["secretId", "secretString", "region"])
def test_whatever_changes_a_version_replaces_it(key: str, engine: Engine) -> None:
    inputs = {"secretId": "arn:a", "secretString": FAKE_VALUE}
    for value in ("other", UNKNOWN):
        answer = changed(engine, VERSION, inputs, {**inputs, key: value})
        assert answer["replaces"] == [key]


def test_a_value_is_always_a_secret(engine: Engine, name: str) -> None:
    made = create(engine, SECRET, {"name": name})
    inputs = {"secretId": made["id"], "secretString": FAKE_VALUE}
    checked = engine.call("Check", {"type": VERSION, "name": "test", "news": inputs})["inputs"]
    version = create(engine, VERSION, inputs)
    read = engine.call("Read", {"type": VERSION, "id": version["id"]})
    asked = {"tok": GET_VERSION, "args": {"secretId": made["id"]}}
    found = engine.call("Invoke", asked)["return"]
    for answer in (checked, version["properties"], read["properties"], read["inputs"], found):
        assert answer["secretString"][SIGNATURE]
        assert plain(answer["secretString"]) == FAKE_VALUE


def test_the_current_value_is_found_by_name_and_a_former_one_by_its_version(
    engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    first = secrets_manager.create_secret(Name=name, SecretString="one")
    secrets_manager.put_secret_value(SecretId=name, SecretString="two")

    def value(**arguments: str) -> Value:
        asked = {"tok": GET_VERSION, "args": {"secretId": name, **arguments}}
        return plain(engine.call("Invoke", asked)["return"])

    assert value()["secretString"] == "two"
    assert value()["versionStages"] == ["AWSCURRENT"]
    assert value(versionId=first["VersionId"])["secretString"] == "one"
    assert value(versionStage="AWSPREVIOUS")["secretString"] == "one"


@pytest.mark.parametrize("exists", [True, False])
def test_a_secret_without_a_value_or_none_at_all_cannot_be_read(
    exists: bool, engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    if exists:
        secrets_manager.create_secret(Name=name)
    error = engine.failure("Invoke", {"tok": GET_VERSION, "args": {"secretId": name}})
    assert f"reading Secrets Manager Secret Version ({name}): GetSecretValue" in error
    assert "ResourceNotFoundException" in error


def test_secrets_are_listed_by_name_without_those_being_deleted(
    engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    arns = [secrets_manager.create_secret(Name=f"{name}/{n}")["ARN"] for n in range(120)]
    secrets_manager.delete_secret(SecretId=arns.pop(), RecoveryWindowInDays=7)
    filters = [{"name": "name", "values": [name]}]
    found = engine.call("Invoke", {"tok": GET_SECRETS, "args": {"filters": filters}})["return"]
    assert sorted(found["arns"]) == sorted(arns)
    assert sorted(found["names"]) == sorted(f"{name}/{n}" for n in range(119))


def test_a_deleted_version_loses_its_labels_but_never_the_current_one(
    engine: Engine, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    def labels() -> list[list[str]]:
        listed = secrets_manager.list_secret_version_ids(SecretId=name)
        return [version["VersionStages"] for version in listed["Versions"]]

    made = create(engine, SECRET, {"name": name})
    version = create(engine, VERSION, {"secretId": made["id"], "secretString": "one"})
    request = {"type": VERSION, "id": version["id"]}
    engine.call("Delete", {**request, "properties": version["properties"]})
    assert labels() == [["AWSCURRENT"]]
    secrets_manager.put_secret_value(SecretId=name, SecretString="two")
    state = engine.call("Read", request)["properties"]
    engine.call("Delete", {**request, "properties": state})
    assert labels() == [[], ["AWSCURRENT"]]


def test_a_refused_value_is_not_repeated(engine: Engine, moto_wire: Wire) -> None:
    moto_wire.fail(
        "POST /",
        httpx.Response(400, json={"__type": "InvalidParameterException", "message": FAKE_VALUE}),
    )
    inputs = {"secretId": "arn:a", "secretString": FAKE_VALUE}
    error = engine.failure("Create", {"type": VERSION, "properties": inputs})
    assert error == "putting Secrets Manager Secret value (arn:a): InvalidParameterException"


@pytest.mark.parametrize(
    "answer",
    [httpx.Response(200, html="<h1>Welcome</h1>"), httpx.Response(404, json={"detail": "no"})],
    ids=["a page", "another API"],
)
def test_an_address_that_is_no_secrets_manager_is_an_error_and_not_a_missing_secret(
    answer: httpx.Response, engine: Engine, moto_wire: Wire
) -> None:
    moto_wire.fail("POST /", answer)
    error = engine.failure("Read", {"type": SECRET, "id": "arn:a"})
    assert f"Secrets Manager at {moto_wire.url} answers HTTP {answer.status_code}" in error
    assert "endpoint for secretsmanager" in error


def test_a_secrets_manager_that_is_down_is_an_error(engine: Engine) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    engine.call("Configure", {"args": config(endpoint)})
    error = engine.failure("Read", {"type": SECRET, "id": "arn:a"})
    assert f"Secrets Manager at {endpoint} gives no answer" in error


def test_a_secret_is_found_by_its_arn_with_its_tags_until_it_is_to_be_deleted(
    engine: Engine, name: str
) -> None:
    made = create(engine, SECRET, {"name": name, "tags": {"stack": "prod"}})
    asked = {"tok": GET_SECRET, "args": {"arn": made["id"]}}
    found = plain(engine.call("Invoke", asked)["return"])
    assert found["name"] == name
    assert found["tags"] == {**DEFAULT_TAGS, "stack": "prod"}
    engine.call("Delete", {"type": SECRET, "id": made["id"], "properties": made["properties"]})
    assert "couldn't find resource" in engine.failure("Invoke", asked)
