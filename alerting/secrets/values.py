"""A secret's value: checked before it goes anywhere, and compared without being shown."""

import hmac

from pydantic import SecretStr

from alerting.secrets.declared import DeclaredSecret
from alerting.secrets.errors import SecretsError
from alerting.settings.secret_values import secret_value_problem


def checked(secret: DeclaredSecret, value: SecretStr) -> SecretStr:
    """The value, if it is one that the secret may have. Raises SecretsError otherwise."""
    problem = secret_value_problem(secret.rule.kind, value.get_secret_value())
    if problem:
        raise SecretsError(f"the value of {secret.key} {problem}. Nothing was changed")
    return value


def same(one: SecretStr, other: SecretStr) -> bool:
    """Whether two values are the same, in a time that tells nothing of where they differ."""
    return hmac.compare_digest(one.get_secret_value().encode(), other.get_secret_value().encode())
