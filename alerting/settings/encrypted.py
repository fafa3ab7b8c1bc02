"""Values that a stack file holds encrypted, and what stands for them until they are read."""

from dataclasses import dataclass

from pydantic import SecretStr, ValidationInfo

_EXPECTED = "expected an encrypted value, {secure: ...}"
_PLAIN_TEXT = (
    "is in plain text. Encrypt it with `pulumi config set --secret --path`, fed from a pipe so "
    "that it stays out of the shell history, and consider it leaked"
)


@dataclass(frozen=True)
class Encrypted:
    """Stands for a `{secure: ...}` value that was not decrypted, as in `alertctl check`."""


@dataclass(frozen=True)
class FromEnv:
    """Stands for `{from: env}`: a credential that a CI step put into the environment."""


def read_secret(value: object, info: ValidationInfo) -> SecretStr | Encrypted:
    """Read a secret's value: decrypted by Pulumi, or not read at all.

    Raises:
        ValueError: when it is neither, or stands in a file in plain text.
    """
    if isinstance(value, Encrypted):
        return value
    if not isinstance(value, str):
        raise ValueError(_EXPECTED)  # noqa: TRY004 pydantic
    if info.context and info.context.get("from_file"):
        raise ValueError(_PLAIN_TEXT)
    return SecretStr(value)


def read_credential(value: object, info: ValidationInfo) -> SecretStr | Encrypted | FromEnv:
    """Read a credential, which may also come from the environment.

    Raises:
        ValueError: when it is none of these, or not fit to be sent.
    """
    if isinstance(value, FromEnv) or value == {"from": "env"}:
        return FromEnv()
    if not isinstance(value, str | Encrypted):
        raise ValueError(f"{_EXPECTED}, or {{from: env}}")  # noqa: TRY004 pydantic
    secret = read_secret(value, info)
    problem = isinstance(secret, SecretStr) and credential_problem(secret.get_secret_value())
    if problem:
        raise ValueError(problem)
    return secret


def credential_problem(value: str) -> str | None:
    """Say why a credential cannot be sent in a header, without repeating any of it."""
    if not value.strip():
        return "is blank. Expected the key itself"
    if value != value.strip() or not value.isprintable():
        return "has white space around it or a line break in it. Pipe it without a line break"
    return None
