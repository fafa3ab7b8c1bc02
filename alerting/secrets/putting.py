"""Putting a value where the stack's file says that it comes from."""

from collections.abc import Callable

from pydantic import SecretStr

from alerting.secrets.declared import DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.secrets.secrets_manager import Presence, SecretsManager, Stored
from alerting.settings import SecretSource

Say = Callable[[str], None]


def refuse_if_from_environment(secret: DeclaredSecret) -> None:
    """Raise SecretsError for a secret that is nobody's to put."""
    if secret.source is SecretSource.ENV:
        raise SecretsError(
            f"{secret.key} comes from the variable {secret.rule.variable}, which a CI step fills: "
            "change it where that step takes it from. To put it by hand, set "
            "from: secretsmanager in the stack's file"
        )


def put_into_secrets_manager(
    secret: DeclaredSecret, value: SecretStr, manager: SecretsManager, say: Say
) -> None:
    """Make the secret, restore it or give it a new version, whatever it needs.

    Raises SecretsError, before anything is written, while a rotation of it is under way.
    """
    stored = manager.stored(secret.name)
    refuse_if_rotating(secret, stored)
    if stored.presence is Presence.MISSING:
        manager.create(secret.rule, value)
        say(f"{secret.name} is made in Secrets Manager")
        return
    if stored.presence is Presence.SCHEDULED:
        manager.restore(secret.name)
        say(f"{secret.name} was {stored.in_words} and is restored")
    manager.put(secret.name, value)
    say(f"{secret.name} has a new value in Secrets Manager")


def refuse_if_rotating(secret: DeclaredSecret, stored: Stored) -> None:
    """Raise SecretsError while a rotation of the secret is under way."""
    if stored.is_rotating:
        raise SecretsError(
            f"a rotation of {secret.key} is under way: finish it with `alertctl secrets rotate "
            f"{secret.key} --resume`, or put the old value back with --abandon"
        )
