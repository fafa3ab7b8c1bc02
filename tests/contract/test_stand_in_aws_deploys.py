"""The real engine, with pulumi-aws, manages secrets in moto through the stand-in."""

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import uuid4

import pulumi
import pulumi_aws as aws
import pytest

from sandbox.plugins.values import Value
from sandbox.wire import Wire
from tests.contract.deployed import Deployed

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import TagTypeDef

pytestmark = pytest.mark.contract

REGION = "eu-west-1"
FAKE_VALUE, OTHER_FAKE_VALUE = "FAKE-VALUE-ONE", "FAKE-VALUE-TWO"
DEFAULT_TAGS = {"project": "data-alerts"}


@pytest.fixture
def name() -> str:
    """The name of a secret that no other test has."""
    return f"deployed/{uuid4().hex}"


def provider(wire: Wire) -> aws.Provider:
    return aws.Provider(
        "aws",
        region=REGION,
        access_key="x",
        secret_key="x",
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_requesting_account_id=True,
        endpoints=[aws.ProviderEndpointArgs(secretsmanager=wire.url)],
        default_tags=aws.ProviderDefaultTagsArgs(tags=DEFAULT_TAGS),
    )


def program(
    wire: Wire, name: str, value: str = FAKE_VALUE, *, imported: str | None = None, **secret: Value
) -> Callable[[], None]:
    def run() -> None:
        options = pulumi.ResourceOptions(provider=provider(wire))
        made = aws.secretsmanager.Secret(
            "key",
            **{"name": name, "recovery_window_in_days": 0, **secret},
            opts=pulumi.ResourceOptions(provider=options.provider, import_=imported),
        )
        aws.secretsmanager.SecretVersion(
            "key", secret_id=made.id, secret_string=value, opts=options
        )

    return run


def value_of(secrets_manager: "SecretsManagerClient", name: str) -> str:
    return secrets_manager.get_secret_value(SecretId=name)["SecretString"]


def test_a_second_up_changes_nothing_and_writes_nothing(
    deployed: Deployed, moto_wire: Wire, name: str
) -> None:
    assert deployed.up(program(moto_wire, name))["create"] == 4
    moto_wire.sent.clear()
    assert deployed.up(program(moto_wire, name)) == {"same": 4}
    assert moto_wire.sent == []
    deployed.expect_no_changes(program(moto_wire, name))


def test_a_changed_value_replaces_the_version_and_keeps_the_secret(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    deployed.up(program(moto_wire, name))
    assert deployed.up(program(moto_wire, name, OTHER_FAKE_VALUE)) == {"same": 3, "replace": 1}
    assert value_of(secrets_manager, name) == OTHER_FAKE_VALUE


def test_description_and_tags_change_in_place(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    deployed.up(program(moto_wire, name, tags={"team": "data"}))
    changed = program(moto_wire, name, tags={"tier": "one"}, description="where alerts go")
    assert deployed.up(changed) == {"same": 3, "update": 1}
    found = secrets_manager.describe_secret(SecretId=name)
    assert found["Description"] == "where alerts go"
    tags = {tag["Key"]: tag["Value"] for tag in found["Tags"]}
    assert tags == {**DEFAULT_TAGS, "tier": "one"}


def test_drift_is_found_by_a_refresh_and_mended_by_the_next_up(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    deployed.up(program(moto_wire, name, description="where alerts go"))
    secrets_manager.update_secret(SecretId=name, Description="drift")
    secrets_manager.tag_resource(SecretId=name, Tags=[{"Key": "by", "Value": "hand"}])
    assert deployed.refresh() == {"same": 3, "update": 1}
    assert deployed.up(program(moto_wire, name, description="where alerts go"))["update"] == 1
    found = secrets_manager.describe_secret(SecretId=name)
    assert found["Description"] == "where alerts go"
    assert {tag["Key"] for tag in found["Tags"]} == {"project"}


def test_a_value_put_by_hand_is_not_found_by_a_refresh(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    deployed.up(program(moto_wire, name))
    secrets_manager.put_secret_value(SecretId=name, SecretString=OTHER_FAKE_VALUE)
    deployed.refresh()
    assert deployed.up(program(moto_wire, name)) == {"same": 4}
    assert value_of(secrets_manager, name) == OTHER_FAKE_VALUE


def test_a_secret_made_by_hand_is_imported_by_its_arn_and_not_replaced(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    tags: list[TagTypeDef] = [{"Key": key, "Value": value} for key, value in DEFAULT_TAGS.items()]
    arn = secrets_manager.create_secret(Name=name, Tags=tags)["ARN"]
    # AWS does not tell the recovery window, so the engine updates it in the state at once.
    importing = program(moto_wire, name, imported=arn)
    assert deployed.up(importing) == {"create": 3, "import": 1, "update": 1}
    assert deployed.up(program(moto_wire, name)) == {"same": 4}
    assert {sent.action for sent in moto_wire.sent} == {"DescribeSecret", "PutSecretValue"}


def test_destroy_leaves_nothing(
    deployed: Deployed, moto_wire: Wire, secrets_manager: "SecretsManagerClient", name: str
) -> None:
    deployed.up(program(moto_wire, name))
    assert deployed.destroy() == {"delete": 4}
    listed = secrets_manager.list_secrets(IncludePlannedDeletion=True)["SecretList"]
    assert name not in {secret["Name"] for secret in listed}


def test_the_state_holds_no_value_in_plain(deployed: Deployed, moto_wire: Wire, name: str) -> None:
    deployed.up(program(moto_wire, name))
    deployed.refresh()
    assert name in deployed.checkpoint()
    assert FAKE_VALUE not in deployed.checkpoint()
