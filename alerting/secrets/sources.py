"""Where a deployment takes a secret's value from, and putting a new one there."""

from collections.abc import Mapping
from typing import Protocol

from pydantic import SecretStr

from alerting.secrets.errors import SecretsError
from alerting.secrets.pulumi_stack import PulumiStack
from alerting.secrets.secrets_manager import SecretsManager


class Source(Protocol):
    """Where a deployment takes a value from. Every method may raise SecretsError."""

    def read(self) -> SecretStr | None:
        """The value that the next deployment would take; None when there is none."""

    def write(self, value: SecretStr) -> None:
        """Put the new value of the rotation under way there."""

    def put_back(self, value: SecretStr) -> None:
        """Put the value from before the rotation there."""


class SecretsManagerSource:
    """`from: secretsmanager`: the version in use."""

    def __init__(self, manager: SecretsManager, name: str) -> None:
        self._manager = manager
        self._name = name

    def read(self) -> SecretStr | None:
        """The value in use."""
        return self._manager.current(self._name)

    def write(self, value: SecretStr) -> None:
        """A new version, unless another rotation made its own at the same moment."""
        self._manager.replace(self._name, value)

    def put_back(self, value: SecretStr) -> None:
        """A new version, too: the one before may have been deleted by AWS."""
        self._manager.put(self._name, value)


class ConfigurationSource:
    """`value: {secure: ...}`: the stack's encrypted configuration."""

    def __init__(self, stack: PulumiStack, key: str) -> None:
        self._stack = stack
        self._key = key

    def read(self) -> SecretStr | None:
        """The value that the stack's file holds."""
        return self._stack.secret(self._key)

    def write(self, value: SecretStr) -> None:
        """Encrypt it into the stack's file."""
        self._stack.set_secret(self._key, value)

    def put_back(self, value: SecretStr) -> None:
        """Encrypt it into the stack's file."""
        self._stack.set_secret(self._key, value)


class EnvironmentSource:
    """`from: env`: a variable that is set where the deployment runs, and not from here."""

    def __init__(self, environment: Mapping[str, str], variable: str) -> None:
        self._environment = environment
        self._variable = variable

    def read(self) -> SecretStr | None:
        """What the variable holds in this process."""
        value = self._environment.get(self._variable)
        return SecretStr(value) if value else None

    def write(self, value: SecretStr) -> None:
        """Refuse: the variable's own source would overwrite it with the next deployment."""
        del value
        raise self._refusal("the new value")

    def put_back(self, value: SecretStr) -> None:
        """Refuse, for the same reason."""
        del value
        raise self._refusal("the old value")

    def _refusal(self, which: str) -> SecretsError:
        return SecretsError(
            f"it comes from the variable {self._variable}, which a CI step fills: put {which} "
            f"where that step takes it from, and run this again with {self._variable} set to it"
        )
