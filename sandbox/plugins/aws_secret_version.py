"""The values of Secrets Manager's secrets."""

import uuid
from typing import ClassVar

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.resource import Resource
from sandbox.plugins.secrets_manager import (
    INVALID_PARAMETER,
    INVALID_REQUEST,
    NOT_FOUND,
    RefusedError,
    SecretsManager,
)
from sandbox.plugins.values import UNKNOWN, Properties

CURRENT = "AWSCURRENT"


class SecretVersion(Resource):
    """`aws:secretsmanager/secretVersion:SecretVersion`."""

    inputs: ClassVar = frozenset({"secretId", "secretString", "region"})
    replacing: ClassVar = frozenset({"secretId", "secretString", "region"})
    secrets: ClassVar = frozenset({"secretString", "secretBinary"})

    def __init__(self, manager: SecretsManager) -> None:
        self._manager = manager

    def problems(self, inputs: Properties, name: str) -> list[str]:
        """Refuse a version without a secret or without a value."""
        return [
            f"Missing required argument. Examine values at '{name}.{key}'."
            for key in ("secretId", "secretString")
            if not inputs.get(key)
        ]

    def planned(self, inputs: Properties, state: Properties | None) -> Properties:
        """Keep what Secrets Manager gave the version."""
        given = dict.fromkeys(("id", "arn", "secretArn", "versionId", "versionStages"), UNKNOWN)
        return {
            **(given if state is None else {key: state[key] for key in given if key in state}),
            "region": inputs.get("region") or self._manager.region,
            "secretBinary": "",
            "secretId": inputs["secretId"],
            "secretString": inputs["secretString"],
        }

    def comparable(self, state: Properties) -> Properties:
        """Take the provider's region for a version that an older plugin noted none of."""
        return {**state, "region": state.get("region") or self._manager.region}

    def create(self, planned: Properties) -> tuple[str, Properties]:
        """Make the value the secret's current one."""
        secret_id, value = planned["secretId"], planned["secretString"]
        try:
            made = self._manager.call(
                "PutSecretValue",
                planned["region"],
                SecretId=secret_id,
                SecretString=value,
                ClientRequestToken=str(uuid.uuid4()),
            )
        except RefusedError as refusal:
            # The text of some refusals repeats the value.
            raise ProviderError(
                f"putting Secrets Manager Secret value ({secret_id}): {refusal.code}"
            ) from None
        version_id = f"{secret_id}|{made['VersionId']}"
        return version_id, planned | {
            "id": version_id,
            "arn": made["ARN"],
            "secretArn": made["ARN"],
            "versionId": made["VersionId"],
            "versionStages": made["VersionStages"],
        }

    def read(self, resource_id: str, state: Properties) -> Properties | None:
        """Read this version, which need not be the current one."""
        secret_id, separator, version_id = resource_id.partition("|")
        if not separator:
            raise ProviderError(
                f"{resource_id!r} is not the id of a secret's version: the secret's ARN, a | and "
                "the version's id."
            )
        region = state.get("region") or self._manager.region
        try:
            found = self._manager.call(
                "GetSecretValue", region, SecretId=secret_id, VersionId=version_id
            )
        except RefusedError as refusal:
            if refusal.code in (NOT_FOUND, INVALID_REQUEST):
                return None
            raise _failed("reading", resource_id, refusal) from None
        return {
            "id": resource_id,
            "arn": found["ARN"],
            "region": region,
            "secretArn": found["ARN"],
            "secretBinary": found.get("SecretBinary", ""),
            "secretId": secret_id,
            "secretString": found.get("SecretString", ""),
            "versionId": found["VersionId"],
            "versionStages": found["VersionStages"],
        }

    def update(self, resource_id: str, planned: Properties, state: Properties) -> Properties:
        """Change nothing: whatever a program can set replaces the version."""
        del resource_id, state
        return planned

    def delete(self, resource_id: str, state: Properties) -> None:
        """Take the version's labels away; the current label must stay, and its version with it."""
        secret_id, _, version_id = resource_id.partition("|")
        for stage in state.get("versionStages", []):
            if stage == CURRENT:
                continue
            try:
                self._manager.call(
                    "UpdateSecretVersionStage",
                    state.get("region"),
                    SecretId=secret_id,
                    RemoveFromVersionId=version_id,
                    VersionStage=stage,
                )
            except RefusedError as refusal:
                # The label has moved on, or the secret is gone or scheduled for deletion.
                if refusal.code not in (NOT_FOUND, INVALID_REQUEST, INVALID_PARAMETER):
                    raise _failed("deleting", resource_id, refusal) from None


def _failed(what: str, version: str, refusal: RefusedError) -> ProviderError:
    return ProviderError(f"{what} Secrets Manager Secret Version ({version}): {refusal}")
