"""What a program can ask Secrets Manager without managing it."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.secrets_manager import RefusedError, SecretsManager
from sandbox.plugins.values import Properties

CURRENT = "AWSCURRENT"


def secret_version(manager: SecretsManager, arguments: Properties) -> Properties:
    """`aws:secretsmanager/getSecretVersion:getSecretVersion`."""
    secret_id, version_id = arguments["secretId"], arguments.get("versionId")
    region = arguments.get("region") or manager.region
    stage = arguments.get("versionStage") or (None if version_id else CURRENT)
    try:
        found = manager.call(
            "GetSecretValue", region, SecretId=secret_id, VersionId=version_id, VersionStage=stage
        )
    except RefusedError as refusal:
        raise ProviderError(
            f"reading Secrets Manager Secret Version ({secret_id}): {refusal}"
        ) from None
    return {
        "id": f"{secret_id}|{version_id or stage}",
        "arn": found["ARN"],
        "createdDate": f"{datetime.fromtimestamp(found['CreatedDate'], UTC):%Y-%m-%dT%H:%M:%SZ}",
        "region": region,
        "secretArn": found["ARN"],
        "secretBinary": found.get("SecretBinary", ""),
        "secretId": secret_id,
        "secretString": found.get("SecretString", ""),
        "versionId": found["VersionId"],
        "versionStage": stage,
        "versionStages": found["VersionStages"],
    }


def secret(manager: SecretsManager, arguments: Properties) -> Properties:
    """`aws:secretsmanager/getSecret:getSecret`, by ARN or name; not one scheduled for deletion."""
    secret_id = arguments.get("arn") or arguments["name"]
    region = arguments.get("region") or manager.region
    try:
        found = manager.call("DescribeSecret", region, SecretId=secret_id)
    except RefusedError as refusal:
        raise ProviderError(f"reading Secrets Manager Secret ({secret_id}): {refusal}") from None
    if found.get("DeletedDate"):
        raise ProviderError(f"reading Secrets Manager Secret ({secret_id}): couldn't find resource")
    return {
        "id": found["ARN"],
        "arn": found["ARN"],
        "name": found["Name"],
        "description": found.get("Description") or "",
        "kmsKeyId": found.get("KmsKeyId") or "",
        "region": region,
        "tags": {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []},
    }


def secrets(manager: SecretsManager, arguments: Properties) -> Properties:
    """`aws:secretsmanager/getSecrets:getSecrets`; not those scheduled for deletion."""
    region, filters = arguments.get("region") or manager.region, arguments.get("filters", [])
    asked = [{"Key": entry["name"], "Values": entry["values"]} for entry in filters]
    try:
        found = list(_listed(manager, region, asked))
    except RefusedError as refusal:
        raise ProviderError(f"listing Secrets Manager Secrets: {refusal}") from None
    return {
        "id": region,
        "arns": [secret["ARN"] for secret in found],
        "filters": filters,
        "names": [secret["Name"] for secret in found],
        "region": region,
    }


def _listed(
    manager: SecretsManager, region: str, filters: list[Properties]
) -> Iterator[Properties]:
    token = None
    while True:
        page = manager.call("ListSecrets", region, Filters=filters, NextToken=token)
        yield from page["SecretList"]
        token = page.get("NextToken")
        if not token:
            return
