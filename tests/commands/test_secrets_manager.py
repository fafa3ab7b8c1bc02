"""Secrets Manager as the commands use it, against moto; and AWS's refusals in plain words."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, cast

import boto3
import pytest
from botocore import exceptions
from moto import mock_aws
from pydantic import SecretStr

from alerting.secrets.aws_client import in_plain_words, secrets_manager_client
from alerting.secrets.declared import DeclaredSecret, declared_secrets, secret_named
from alerting.secrets.errors import SecretsError
from alerting.secrets.putting import put_into_secrets_manager
from alerting.secrets.secrets_manager import CURRENT, REPLACED, Presence, SecretsManager, Stored
from alerting.secrets.versions import SecretVersions
from alerting.settings.stackfile import StackFile
from tests.shared.example_stack import STACK, settings_of
from tests.shared.secret_store import NEW, OLD, OTHER, refusal

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

pytestmark = pytest.mark.commands

KEY = "fake" * 8
SECRET = "pagerduty-key"
NAME = "prefect/pagerduty-key"


@pytest.fixture
def client() -> "Iterator[SecretsManagerClient]":
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="eu-west-1")


@pytest.fixture
def secret() -> DeclaredSecret:
    return secret_named(declared_secrets(StackFile(STACK, settings_of())), SECRET)


def labelled(client: "SecretsManagerClient", name: str) -> dict[str, str]:
    stages = client.describe_secret(SecretId=name)["VersionIdsToStages"]
    return {
        label: client.get_secret_value(SecretId=name, VersionId=version)["SecretString"]
        for version, labels in stages.items()
        for label in labels
    }


def test_a_missing_secret_is_made_as_the_deployment_would_make_it(
    client: "SecretsManagerClient", secret: DeclaredSecret
) -> None:
    said: list[str] = []
    put_into_secrets_manager(secret, SecretStr(KEY), SecretsManager(client), said.append)
    made = client.describe_secret(SecretId=NAME)
    assert made["Description"] == secret.rule.description
    assert {tag["Key"]: tag["Value"] for tag in made["Tags"]} == secret.rule.tags
    assert labelled(client, NAME) == {CURRENT: KEY}
    assert said == [f"{NAME} is made in Secrets Manager"]


def test_a_secret_that_is_there_gets_a_new_version(
    client: "SecretsManagerClient", secret: DeclaredSecret
) -> None:
    client.create_secret(Name=NAME, SecretString="old")
    put_into_secrets_manager(secret, SecretStr(KEY), SecretsManager(client), lambda _: None)
    assert labelled(client, NAME) == {CURRENT: KEY, "AWSPREVIOUS": "old"}


def test_a_secret_scheduled_for_deletion_is_restored_and_that_is_said(
    client: "SecretsManagerClient", secret: DeclaredSecret
) -> None:
    client.create_secret(Name=NAME, SecretString="old")
    client.delete_secret(SecretId=NAME, RecoveryWindowInDays=30)
    said: list[str] = []
    put_into_secrets_manager(secret, SecretStr(KEY), SecretsManager(client), said.append)
    assert labelled(client, NAME)[CURRENT] == KEY
    assert said[0].startswith(f"{NAME} was scheduled for deletion on 20")
    assert said[0].endswith("and is restored")


def test_a_restoration_that_is_not_permitted_is_explained(secret: DeclaredSecret) -> None:
    class Denying:
        def describe_secret(self, **_: str) -> dict[str, object]:
            return {"DeletedDate": datetime(2026, 12, 24, tzinfo=UTC)}

        def restore_secret(self, **_: str) -> None:
            raise refusal("AccessDeniedException", "RestoreSecret")

    manager = SecretsManager(cast("SecretsManagerClient", Denying()))
    with pytest.raises(SecretsError, match="secretsmanager:RestoreSecret, or have somebody run"):
        put_into_secrets_manager(secret, SecretStr(KEY), manager, lambda _: None)


def test_nothing_is_put_while_a_rotation_is_under_way(
    client: "SecretsManagerClient", secret: DeclaredSecret
) -> None:
    client.create_secret(Name=NAME, SecretString="old")
    versions = SecretVersions(SecretsManager(client), NAME)
    assert versions.replaced() is None
    versions.keep(SecretStr("old"))
    with pytest.raises(SecretsError, match="rotate pagerduty-key --resume"):
        put_into_secrets_manager(secret, SecretStr(KEY), SecretsManager(client), lambda _: None)
    assert labelled(client, NAME) == {CURRENT: "old", REPLACED: "old"}


@pytest.mark.parametrize(
    ("prepare", "presence", "has_value"),
    [
        (lambda _: None, Presence.MISSING, False),
        (lambda client: client.create_secret(Name=NAME), Presence.EMPTY, False),
        (lambda client: client.create_secret(Name=NAME, SecretString=KEY), Presence.PRESENT, True),
    ],
)
def test_what_there_is_of_a_secret_is_told(
    client: "SecretsManagerClient",
    prepare: Callable[["SecretsManagerClient"], object],
    presence: Presence,
    *,
    has_value: bool,
) -> None:
    prepare(client)
    manager = SecretsManager(client)
    assert manager.stored(NAME).presence is presence
    assert (manager.current(NAME) is not None) is has_value


def test_a_rotation_leaves_the_labels_that_the_tests_of_rotations_expect(
    client: "SecretsManagerClient",
) -> None:
    client.create_secret(Name=NAME, SecretString=OLD)
    manager = SecretsManager(client)
    versions = SecretVersions(manager, NAME)
    assert versions.replaced() is None
    versions.keep(SecretStr(OLD))
    manager.replace(NAME, SecretStr(NEW))
    manager.replace(NAME, SecretStr(NEW))
    assert labelled(client, NAME) == {CURRENT: NEW, "AWSPREVIOUS": OLD, REPLACED: OLD}
    kept = versions.replaced()
    assert kept is not None
    assert kept.get_secret_value() == OLD
    with pytest.raises(SecretsError, match="another rotation"):
        manager.replace(NAME, SecretStr(OTHER))
    versions.forget(SecretStr(OLD))
    assert labelled(client, NAME) == {CURRENT: NEW}


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (exceptions.NoCredentialsError(), "there are no AWS credentials: log in"),
        (exceptions.UnauthorizedSSOTokenError(), "not valid any more: log in"),
        (exceptions.EndpointConnectionError(endpoint_url="https://aws"), "does not answer"),
        (exceptions.ConnectTimeoutError(endpoint_url="https://aws"), "does not answer"),
        (exceptions.ReadTimeoutError(endpoint_url="https://aws"), "does not answer"),
        (exceptions.SSLError(endpoint_url="https://aws", error=OSError()), "does not answer"),
        (exceptions.ProfileNotFound(profile="x"), "profile that is asked for does not exist"),
        (exceptions.ParamValidationError(report=NEW), "ParamValidationError"),
        (refusal("ExpiredTokenException"), "have expired: log in"),
        (refusal("UnrecognizedClientException"), "does not know these credentials"),
        (refusal("AccessDeniedException"), f"secretsmanager:PutSecretValue on {NAME}"),
        (refusal("DecryptionFailure"), f"the KMS key of {NAME}"),
        (refusal("LimitExceededException"), "refused PutSecretValue"),
    ],
)
def test_each_refusal_is_one_line_with_what_to_do_and_without_awss_words(
    error: exceptions.BotoCoreError | exceptions.ClientError, words: str
) -> None:
    text = in_plain_words(error, NAME)
    assert words in text
    assert "\n" not in text
    assert NEW not in text


def test_the_stacks_file_says_where_secrets_manager_is() -> None:
    aws = {
        "region": "eu-central-1",
        "endpoints": [{"s3": "http://localhost:1"}, {"secretsmanager": "http://localhost:2"}],
        "accessKey": "fake",
        "secretKey": "fake",
    }
    client = secrets_manager_client(aws)
    assert client.meta.endpoint_url == "http://localhost:2"
    assert client.meta.region_name == "eu-central-1"


def test_a_profile_that_does_not_exist_is_one_polite_line() -> None:
    with pytest.raises(SecretsError, match="mend AWS_PROFILE or aws:profile"):
        secrets_manager_client({"region": "eu-west-1", "profile": "nobody"})


def test_the_day_of_a_deletion_is_named() -> None:
    stored = Stored(Presence.SCHEDULED, deletion=datetime(2026, 12, 24, tzinfo=UTC))
    assert stored.in_words == "scheduled for deletion on 2026-12-24"
