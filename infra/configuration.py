"""The stack's configuration as Pulumi hands it over: decrypted, and as text."""

import json
import os
import re
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_prefect as prefect
from pulumi.runtime.config import CONFIG

from alerting.settings import PROJECT, Problem, Settings, SettingsError, parse_settings
from alerting.settings.models import Credential, Encrypted, FromEnv


def source() -> str:
    """The file that a reader would mend."""
    return f"Pulumi.{pulumi.get_stack()}.yaml"


def read_settings() -> Settings:
    """Parse the stack's `data-alerts:` keys.

    Raises:
        SettingsError: with every problem, before any resource was registered.
    """
    raw: dict[str, Any] = {}
    plain_sections = {"tag", "namePrefix", "environment", "defaultOwner", "kmsKeyId"}
    for key, text in _config(PROJECT).items():
        raw[key] = text if key in plain_sections else _from_json(text)
    return parse_settings(raw, source())


def prefect_provider(settings: Settings) -> prefect.Provider:
    """The Prefect provider, explicit: bridged providers do not reliably read the environment."""
    credentials = settings.prefect
    return prefect.Provider(
        "prefect",
        endpoint=credentials.endpoint,
        api_key=_credential(credentials.api_key, "apiKey", "PREFECT_API_KEY"),
        basic_auth_key=_credential(
            credentials.basic_auth_key, "basicAuthKey", "PREFECT_BASIC_AUTH_KEY"
        ),
    )


def aws_provider() -> aws.Provider:
    """The AWS provider with the stack's `aws:` keys, which an explicit provider does not read.

    Raises:
        SettingsError: when a key is not one that the provider takes.
    """
    arguments = {_snake_case(key): _from_json(text) for key, text in _config("aws").items()}
    if not arguments.get("region"):
        problem = Problem(0, "aws:region", "is missing. Add the region, such as eu-west-1")
        raise SettingsError(source(), [problem])
    try:
        return aws.Provider("aws", aws.ProviderArgs(**arguments))
    except TypeError:
        known = {name.lstrip("_") for name in vars(aws.ProviderArgs) if not name.startswith("__")}
        unknown = ", ".join(f"aws:{key}" for key in sorted(set(arguments) - known))
        problem = Problem(0, unknown, "is not a setting of the AWS provider. Remove it")
        raise SettingsError(source(), [problem]) from None


def _credential(declared: Credential | None, key: str, variable: str) -> pulumi.Output[str] | None:
    if declared is None:
        return None
    if isinstance(declared, FromEnv):
        value = os.environ.get(variable, "")
        if not value.strip():
            problem = Problem(
                0,
                f"{PROJECT}:prefect.{key}",
                f"comes from the environment, but {variable} is not set. Set it, or encrypt the "
                "value into the stack's configuration",
            )
            raise SettingsError(source(), [problem])
        return pulumi.Output.secret(value)
    if isinstance(declared, Encrypted):
        raise TypeError("Pulumi decrypts what it hands over")
    return pulumi.Output.secret(declared.get_secret_value())


def _config(namespace: str) -> dict[str, str]:
    """All keys of a namespace. `pulumi.Config` only looks up keys it is asked for by name."""
    prefix = f"{namespace}:"
    return {
        key.removeprefix(prefix): text
        for key, text in CONFIG.get().items()
        if key.startswith(prefix)
    }


def _from_json(text: str) -> Any:  # noqa: ANN401 - configuration is what the reader wrote
    """Pulumi hands lists, mappings, numbers and booleans over as JSON, and text as itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _snake_case(key: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", r"_\1", key).lower()
