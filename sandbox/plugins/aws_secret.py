"""Secrets of Secrets Manager, without their values."""

import uuid
from typing import ClassVar

from sandbox.plugins.errors import ProviderError
from sandbox.plugins.resource import Resource
from sandbox.plugins.secrets_manager import (
    EXISTS,
    INVALID_REQUEST,
    NOT_FOUND,
    RefusedError,
    SecretsManager,
)
from sandbox.plugins.values import UNKNOWN, Properties

DEFAULT_RECOVERY_DAYS, SHORTEST_RECOVERY_DAYS, LONGEST_RECOVERY_DAYS = 30, 7, 30


class Secret(Resource):
    """`aws:secretsmanager/secret:Secret`."""

    inputs: ClassVar = frozenset(
        {"name", "description", "kmsKeyId", "recoveryWindowInDays", "region", "tags"}
    )
    replacing: ClassVar = frozenset({"name", "region"})

    def __init__(self, manager: SecretsManager, default_tags: dict[str, str]) -> None:
        self._manager = manager
        self._default_tags = default_tags

    def problems(self, inputs: Properties, name: str) -> list[str]:
        """Refuse a recovery window that Secrets Manager does not have."""
        days = inputs.get("recoveryWindowInDays", 0)
        if days in (0, UNKNOWN) or SHORTEST_RECOVERY_DAYS <= days <= LONGEST_RECOVERY_DAYS:
            return []
        place = f"Examine values at '{name}.recoveryWindowInDays'."
        window = f"({SHORTEST_RECOVERY_DAYS} - {LONGEST_RECOVERY_DAYS})"
        return [
            f"expected recovery_window_in_days to be {expected}, got {days}. {place}"
            for expected in (f"in the range {window}", "one of [0]")
        ]

    def planned(self, inputs: Properties, state: Properties | None) -> Properties:
        """Fill in the defaults; only the ARN is not known before creation."""
        former = state or {}
        arn = former.get("arn", UNKNOWN)
        return {
            "id": arn,
            "arn": arn,
            "name": inputs["name"],
            "namePrefix": "",
            "description": inputs.get("description", ""),
            "kmsKeyId": inputs.get("kmsKeyId", ""),
            "forceOverwriteReplicaSecret": False,
            "policy": former.get("policy", ""),
            "recoveryWindowInDays": inputs.get("recoveryWindowInDays", DEFAULT_RECOVERY_DAYS),
            "region": inputs.get("region") or self._manager.region,
            "replicas": former.get("replicas", []),
            "tags": inputs.get("tags"),
            "tagsAll": self._all_tags(inputs.get("tags")),
        }

    def comparable(self, state: Properties) -> Properties:
        """Take no tags for an empty set of them, and no region for the provider's."""
        region = state.get("region") or self._manager.region
        return {**state, "tags": state.get("tags") or {}, "region": region}

    def create(self, planned: Properties) -> tuple[str, Properties]:
        """Create the secret, which has no value yet."""
        try:
            made = self._manager.call(
                "CreateSecret",
                planned["region"],
                Name=planned["name"],
                ClientRequestToken=str(uuid.uuid4()),
                Description=planned["description"] or None,
                KmsKeyId=planned["kmsKeyId"] or None,
                Tags=_tag_list(planned["tagsAll"]) or None,
            )
        except RefusedError as refusal:
            raise ProviderError(
                f"creating Secrets Manager Secret ({planned['name']}): {refusal}"
                f"{self._why_taken(planned, refusal)}"
            ) from None
        return made["ARN"], planned | {"id": made["ARN"], "arn": made["ARN"]}

    def read(self, resource_id: str, state: Properties) -> Properties | None:
        """Read the secret; one that is scheduled for deletion is gone.

        AWS does not tell the recovery window, so it is what it was, and nothing on import.
        """
        region = state.get("region") or self._manager.region
        try:
            found = self._manager.call("DescribeSecret", region, SecretId=resource_id)
        except RefusedError as refusal:
            if refusal.code == NOT_FOUND:
                return None
            raise _failed("reading", resource_id, refusal) from None
        if found.get("DeletedDate"):
            return None
        every_tag = {tag["Key"]: tag["Value"] for tag in found.get("Tags") or []}
        own = state.get("tags") or {}
        return {
            **state,
            "id": found["ARN"],
            "arn": found["ARN"],
            "name": found["Name"],
            "namePrefix": "",
            "description": found.get("Description") or "",
            "kmsKeyId": found.get("KmsKeyId") or "",
            "policy": state.get("policy", ""),
            "region": region,
            "replicas": state.get("replicas", []),
            "tags": {
                key: value
                for key, value in every_tag.items()
                if key in own or self._default_tags.get(key) != value
            },
            "tagsAll": every_tag,
        }

    def update(self, resource_id: str, planned: Properties, state: Properties) -> Properties:
        """Change description, key and tags; the recovery window matters only to `delete`."""
        region = planned["region"]
        wanted, present = planned["tagsAll"], state.get("tagsAll", {})
        try:
            if any(planned[key] != state.get(key) for key in ("description", "kmsKeyId")):
                self._manager.call(
                    "UpdateSecret",
                    region,
                    SecretId=resource_id,
                    Description=planned["description"],
                    KmsKeyId=planned["kmsKeyId"] or None,
                    # As AWS's clients do: moto takes an update without a token for a second create.
                    ClientRequestToken=str(uuid.uuid4()),
                )
            if removed := sorted(present.keys() - wanted.keys()):
                self._manager.call("UntagResource", region, SecretId=resource_id, TagKeys=removed)
            if changed := {k: v for k, v in wanted.items() if present.get(k) != v}:
                self._manager.call(
                    "TagResource", region, SecretId=resource_id, Tags=_tag_list(changed)
                )
        except RefusedError as refusal:
            raise _failed("updating", resource_id, refusal) from None
        return planned

    def delete(self, resource_id: str, state: Properties) -> None:
        """Delete the secret, after its recovery window or at once when that is 0."""
        days = state.get("recoveryWindowInDays", DEFAULT_RECOVERY_DAYS)
        try:
            self._manager.call(
                "DeleteSecret",
                state.get("region"),
                SecretId=resource_id,
                ForceDeleteWithoutRecovery=True if days == 0 else None,
                RecoveryWindowInDays=days or None,
            )
        except RefusedError as refusal:
            # Gone already, or scheduled for deletion.
            if refusal.code not in (NOT_FOUND, INVALID_REQUEST):
                raise _failed("deleting", resource_id, refusal) from None

    def _all_tags(self, tags: dict[str, str] | str | None) -> dict[str, str] | str:
        return tags if isinstance(tags, str) else self._default_tags | (tags or {})

    def _why_taken(self, planned: Properties, refusal: RefusedError) -> str:
        """Say what holds the name that could not be given to a new secret."""
        if refusal.code not in (EXISTS, INVALID_REQUEST):
            return ""
        try:
            holder = self._manager.call(
                "DescribeSecret", planned["region"], SecretId=planned["name"]
            )
        except RefusedError:
            return ""
        if holder.get("DeletedDate"):
            return (
                " It is scheduled for deletion and its name is not free until then: restore it "
                f"(aws secretsmanager restore-secret --secret-id {planned['name']}) and import it, "
                "or delete it for good with --force-delete-without-recovery."
            )
        return (
            f" Import it with `pulumi import`, its id is {holder['ARN']}, or choose another name."
        )


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def _failed(what: str, resource_id: str, refusal: RefusedError) -> ProviderError:
    return ProviderError(f"{what} Secrets Manager Secret ({resource_id}): {refusal}")
