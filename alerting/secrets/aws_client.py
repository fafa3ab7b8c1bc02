"""A client of Secrets Manager as the stack's file describes it, and its errors in plain words."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import boto3
from botocore import exceptions
from botocore.config import Config

from alerting.secrets.errors import SecretsError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

CONNECT_SECONDS = 5
ANSWER_SECONDS = 15
ATTEMPTS = 3

_LOG_IN = "log in, for example with `aws sso login`, or name a profile with AWS_PROFILE"
_NO_CREDENTIALS = (
    exceptions.NoCredentialsError,
    exceptions.PartialCredentialsError,
    exceptions.CredentialRetrievalError,
)
_NO_LOGIN = (exceptions.SSOError, exceptions.LoginError, exceptions.TokenRetrievalError)
_NO_ANSWER = (exceptions.HTTPClientError, exceptions.ConnectionError)
_EXPIRED = {"ExpiredTokenException", "ExpiredToken", "RequestExpired"}
_UNKNOWN_CREDENTIALS = {
    "UnrecognizedClientException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "IncompleteSignature",
    "MissingAuthenticationToken",
}
_DENIED = {"AccessDeniedException", "AccessDenied"}
_KEY_REFUSED = {"EncryptionFailure", "DecryptionFailure"}


def secrets_manager_client(aws: Mapping[str, Any]) -> "SecretsManagerClient":
    """A client for a stack's `aws:` keys; credentials it does not name come from boto3's chain.

    Raises SecretsError when the profile that is asked for does not exist.
    """
    try:
        session = boto3.Session(
            profile_name=_text(aws, "profile"),
            region_name=aws["region"],
            # Not those that the file holds encrypted: only the deployment can read them.
            aws_access_key_id=_text(aws, "accessKey"),
            aws_secret_access_key=_text(aws, "secretKey"),
        )
        return session.client(
            "secretsmanager",
            endpoint_url=_endpoint(aws),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
            ),
        )
    except exceptions.BotoCoreError as error:
        raise SecretsError(in_plain_words(error, "")) from None


def in_plain_words(error: exceptions.BotoCoreError | exceptions.ClientError, name: str) -> str:
    """One line on what is wrong and what to do.

    AWS's own words are left out: some refusals, and botocore's checks, repeat the value.
    """
    if isinstance(error, exceptions.ClientError):
        return _refusal(error, name)
    if isinstance(error, exceptions.ProfileNotFound):
        return "the AWS profile that is asked for does not exist: mend AWS_PROFILE or aws:profile"
    if isinstance(error, _NO_LOGIN):
        return f"the AWS login is not valid any more: {_LOG_IN}"
    if isinstance(error, _NO_CREDENTIALS):
        return f"there are no AWS credentials: {_LOG_IN}"
    if isinstance(error, _NO_ANSWER):
        return "Secrets Manager does not answer: check the network, aws:region and aws:endpoints"
    return f"Secrets Manager cannot be asked ({type(error).__name__}): check the AWS set-up"


def code_of(error: exceptions.ClientError) -> str:
    """The name of the exception with which AWS refused."""
    return str(error.response.get("Error", {}).get("Code", ""))


def is_denied(error: exceptions.ClientError) -> bool:
    """Whether AWS refused because the credentials may not do it."""
    return code_of(error) in _DENIED


def _refusal(error: exceptions.ClientError, name: str) -> str:
    code = code_of(error)
    if code in _EXPIRED:
        return f"the AWS credentials have expired: {_LOG_IN}"
    if code in _UNKNOWN_CREDENTIALS:
        return f"AWS does not know these credentials: {_LOG_IN}"
    if is_denied(error):
        return (
            f"the AWS credentials may not do secretsmanager:{error.operation_name} on {name}, or "
            "not use its KMS key: allow it (docs/secrets.md lists what is needed), or use others"
        )
    if code in _KEY_REFUSED:
        return f"the KMS key of {name} refuses: enable the key, and allow kms:Decrypt and more"
    if code == "InvalidRequestException":
        return f"{name} is scheduled for deletion, or another service's: see alertctl secrets list"
    return f"Secrets Manager refused {error.operation_name} on {name}: {code or 'no reason given'}"


def _text(aws: Mapping[str, Any], key: str) -> str | None:
    value = aws.get(key)
    return value if isinstance(value, str) else None


def _endpoint(aws: Mapping[str, Any]) -> str | None:
    """The endpoint that `aws:endpoints` names for Secrets Manager."""
    endpoints = aws.get("endpoints")
    entries = endpoints if isinstance(endpoints, list) else []
    named = (_text(entry, "secretsmanager") for entry in entries if isinstance(entry, Mapping))
    return next(filter(None, named), None)
