"""The versions of one secret while it is rotated."""

from pydantic import SecretStr

from alerting.secrets.secrets_manager import REPLACED, SecretsManager


class SecretVersions:
    """One secret in Secrets Manager, for one rotation. Every method may raise SecretsError."""

    def __init__(self, manager: SecretsManager, name: str) -> None:
        self._manager = manager
        self._name = name
        self._seen: frozenset[str] = frozenset()

    def replaced(self) -> SecretStr | None:
        """The value that a rotation under way replaces; None when none is under way."""
        versions = self._manager.versions(self._name)
        self._seen = frozenset(versions)
        kept = next((version for version, labels in versions.items() if REPLACED in labels), None)
        return self._manager.version(self._name, kept) if kept else None

    def current(self) -> SecretStr | None:
        """The value in use; None when there is none."""
        return self._manager.current(self._name)

    def keep(self, value: SecretStr) -> None:
        """Begin a rotation: keep the value that was in use when `replaced` was asked."""
        self._manager.keep(self._name, value, self._seen)

    def forget(self, value: SecretStr) -> None:
        """End a rotation: let go of the value that it replaced."""
        self._manager.forget(self._name, value)
