"""AWS Secrets Manager as the commands on secrets use it.

While a value is being replaced, the one before it is kept in a version of its own under the label
REPLACED. That version is the whole record of a rotation: whoever has credentials can go on with
it, from any machine. It is a copy, and not a label on the version that was current, since the
deployment takes labels off the version that it replaces.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid4, uuid5

from botocore.exceptions import BotoCoreError, ClientError
from pydantic import SecretStr

from alerting.plan import SecretRule
from alerting.secrets.aws_client import code_of, in_plain_words, is_denied
from alerting.secrets.errors import SecretsError
from alerting.secrets.values import same

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CURRENT = "AWSCURRENT"
PREVIOUS = "AWSPREVIOUS"
REPLACED = "data-alerts-rotating"
_NOT_FOUND = "ResourceNotFoundException"
_EXISTS = "ResourceExistsException"


class Presence(StrEnum):
    """What there is of a secret."""

    PRESENT = "present"
    EMPTY = "empty"
    MISSING = "missing"
    SCHEDULED = "scheduled for deletion"


@dataclass(frozen=True)
class Stored:
    """What Secrets Manager says of a secret without showing its value."""

    presence: Presence
    changed: datetime | None = None
    deletion: datetime | None = None
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Labels by version."""

    @property
    def in_words(self) -> str:
        """Its state, with the day when it is to be deleted."""
        on = f" on {self.deletion:%Y-%m-%d}" if self.deletion else ""
        return f"{self.presence}{on}"

    @property
    def is_rotating(self) -> bool:
        """Whether a rotation of it is under way."""
        return self.version_labelled(REPLACED) is not None

    def version_labelled(self, label: str) -> str | None:
        """The version that bears a label."""
        return next((v for v, labels in self.stages.items() if label in labels), None)


class SecretsManager:
    """Secrets Manager of one account and region. Every method raises SecretsError."""

    def __init__(
        self, client: "SecretsManagerClient", hide: Callable[[SecretStr], None] = lambda _: None
    ) -> None:
        """Use a client of boto3's; `hide` is told each value read, to keep it out of outputs."""
        self._client = client
        self._hide = hide

    def stored(self, name: str) -> Stored:
        """What there is under a name."""
        with _refusals(name):
            try:
                found = self._client.describe_secret(SecretId=name)
            except ClientError as error:
                if code_of(error) == _NOT_FOUND:
                    return Stored(Presence.MISSING)
                raise
        stages = {v: tuple(labels) for v, labels in found.get("VersionIdsToStages", {}).items()}
        has_value = any(CURRENT in labels for labels in stages.values())
        presence = Presence.PRESENT if has_value else Presence.EMPTY
        if found.get("DeletedDate"):
            presence = Presence.SCHEDULED
        return Stored(presence, found.get("LastChangedDate"), found.get("DeletedDate"), stages)

    def current(self, name: str) -> SecretStr | None:
        """The value in use; None when there is none."""
        return self._value(name, VersionStage=CURRENT)

    def version(self, name: str, version: str) -> SecretStr | None:
        """The value of one version; None when AWS has deleted it."""
        return self._value(name, VersionId=version)

    def versions(self, name: str) -> dict[str, tuple[str, ...]]:
        """Every version there is with its labels, those without any included."""
        with _refusals(name):
            return dict(self._versions(name))

    def create(self, rule: SecretRule, value: SecretStr) -> None:
        """Make a secret as the deployment would, so that it is adopted without a change."""
        optional: dict[str, Any] = {"KmsKeyId": rule.kms_key_id} if rule.kms_key_id else {}
        with _refusals(rule.name):
            self._client.create_secret(
                Name=rule.name,
                Description=rule.description,
                Tags=[{"Key": key, "Value": text} for key, text in rule.tags.items()],
                SecretString=value.get_secret_value(),
                ClientRequestToken=str(uuid4()),
                **optional,
            )

    def restore(self, name: str) -> None:
        """Take back a scheduled deletion."""
        try:
            with _refusals(name, but=is_denied):
                self._client.restore_secret(SecretId=name)
        except ClientError:
            raise SecretsError(
                f"{name} is scheduled for deletion, and these credentials may not restore it: "
                "allow secretsmanager:RestoreSecret, or have somebody run `aws secretsmanager "
                f"restore-secret --secret-id {name}`. Until then its name is taken"
            ) from None

    def put(self, name: str, value: SecretStr) -> None:
        """Make a value the one in use."""
        with _refusals(name):
            self._put(name, value, str(uuid4()), CURRENT)

    def keep(self, name: str, value: SecretStr, seen: Iterable[str]) -> None:
        """Begin a rotation: keep the value in use in a version of its own.

        `seen` are the versions that there were before the value was read. The id follows from
        them: of several that begin at the same moment all keep the same version, and one that
        comes when another is over keeps none, and is told to begin again.
        """
        with _refusals(name):
            labels = self._put(name, value, _follows(*sorted(seen)), REPLACED)
        if REPLACED not in labels:
            raise _overtaken(name)

    def replace(self, name: str, value: SecretStr) -> None:
        """Make the new value of the rotation under way the one in use.

        The id of its version follows from the rotation. So of two that began at the same moment
        AWS takes one, and what is sent again after a lost answer makes no further version.
        """
        kept = self.stored(name).version_labelled(REPLACED)
        if kept is None:
            raise _overtaken(name)
        try:
            with _refusals(name, but=lambda error: code_of(error) == _EXISTS):
                self._put(name, value, _follows(kept), CURRENT)
        except ClientError:
            raise SecretsError(
                f"another rotation of {name} began at the same moment and has its value in. "
                "Run this again with --resume to go on with that one"
            ) from None

    def forget(self, name: str, value: SecretStr) -> None:
        """End a rotation: take the labels off the versions that hold the value replaced."""
        stored = self.stored(name)
        previous = stored.version_labelled(PREVIOUS)
        old = self._value(name, VersionId=previous) if previous else None
        kept = stored.version_labelled(REPLACED)
        with _refusals(name):
            if previous and old and same(old, value):
                self._unlabel(name, PREVIOUS, previous)
            # Last: while it is there, whoever runs this again goes on with it.
            if kept:
                self._unlabel(name, REPLACED, kept)

    def _put(self, name: str, value: SecretStr, version: str, label: str) -> list[str]:
        """Write a version, or nothing where it is there already; return the labels that it has."""
        written = self._client.put_secret_value(
            SecretId=name,
            SecretString=value.get_secret_value(),
            ClientRequestToken=version,
            VersionStages=[label],
        )
        return written["VersionStages"]

    def _versions(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        token: dict[str, Any] = {}
        while True:
            page = self._client.list_secret_version_ids(
                SecretId=name, IncludeDeprecated=True, **token
            )
            for version in page.get("Versions", []):
                yield version["VersionId"], tuple(version.get("VersionStages", []))
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _unlabel(self, name: str, label: str, version: str) -> None:
        self._client.update_secret_version_stage(
            SecretId=name, VersionStage=label, RemoveFromVersionId=version
        )

    def _value(self, name: str, **which: str) -> SecretStr | None:
        with _refusals(name):
            try:
                found = self._client.get_secret_value(SecretId=name, **which)
            except ClientError as error:
                if code_of(error) == _NOT_FOUND:
                    return None
                raise
        value = SecretStr(found.get("SecretString", ""))
        self._hide(value)
        return value


def _overtaken(name: str) -> SecretsError:
    return SecretsError(f"somebody else rotated {name} at the same time: begin again")


def _follows(*versions: str) -> str:
    """A version's id that follows from others: whoever knows the same ones makes the same."""
    return str(uuid5(NAMESPACE_URL, f"{REPLACED}:{','.join(versions)}"))


@contextmanager
def _refusals(name: str, but: Callable[[ClientError], bool] = lambda _: False) -> Iterator[None]:
    """Say what AWS refuses in plain words; what `but` accepts is left to the caller."""
    try:
        yield
    except ClientError as error:
        if but(error):
            raise
        raise SecretsError(in_plain_words(error, name)) from None
    except BotoCoreError as error:
        raise SecretsError(in_plain_words(error, name)) from None
