"""The stack's configuration as Pulumi hands it over: decrypted, and as text."""

import inspect
import json
import re
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_prefect as prefect
from pulumi.runtime.config import CONFIG, is_config_secret

from alerting.adoption.claims import Ids, adopted_ids
from alerting.adoption.workspace import Workspace
from alerting.plan import Plan, build_plan
from alerting.settings import PROJECT, Problem, Settings, SettingsError, parse_settings
from infra.environment import brought_values, credential

_TEXTS = {"tag", "namePrefix", "environment", "defaultOwner", "kmsKeyId", "evaluation"}


@dataclass(frozen=True)
class Configuration:
    """All that the program needs to know before it declares its first resource.

    `brought` are the values that the stack itself brings to its secrets, by key; `adopted` the ids
    of what it takes over.
    """

    plan: Plan
    brought: dict[str, str]
    adopted: Ids
    workspace: Workspace
    aws: aws.ProviderArgs
    prefect: prefect.ProviderArgs


def read_configuration() -> Configuration:
    """Read the stack's configuration and the variables that it refers to.

    Raises:
        SettingsError: with every problem.
    """
    problems: list[Problem] = []
    aws_arguments = _aws_arguments(problems)
    try:
        settings = _settings()
    except SettingsError as error:
        raise SettingsError(error.source, [*problems, *error.problems]) from None
    plan = build_plan(settings, pulumi.get_stack())
    brought = brought_values(plan.secrets, settings.secrets, problems)
    workspace = _workspace(settings, problems)
    if problems:
        raise SettingsError(_source(), problems)
    return Configuration(
        plan=plan,
        brought=brought,
        adopted=adopted_ids(settings),
        workspace=workspace,
        aws=aws_arguments,
        prefect=_prefect_arguments(workspace),
    )


def _settings() -> Settings:
    raw = {
        key: text if key in _TEXTS else _from_json(text) for key, text in _config(PROJECT).items()
    }
    return parse_settings(raw, _source())


def _aws_arguments(problems: list[Problem]) -> aws.ProviderArgs:
    """The stack's `aws:` keys, which an explicit provider does not read by itself."""
    known = inspect.signature(aws.ProviderArgs.__init__).parameters
    arguments: dict[str, Any] = {}
    for key, text in _config("aws").items():
        if (name := _snake_case(key)) in known:
            value = _from_json(text)
            secret = is_config_secret(f"aws:{key}")
            arguments[name] = pulumi.Output.secret(value) if secret else value
        else:
            problem = "is not a setting of the AWS provider. Remove it"
            problems.append(Problem(0, f"aws:{key}", problem))
    if not isinstance(arguments.get("region"), str):
        problem = "expected the region of the secrets. Add it, such as eu-west-1"
        problems.append(Problem(0, "aws:region", problem))
    return aws.ProviderArgs(**arguments)


def _workspace(settings: Settings, problems: list[Problem]) -> Workspace:
    declared = settings.prefect
    return Workspace(
        endpoint=declared.endpoint,
        api_key=credential(declared.api_key, "apiKey", "PREFECT_API_KEY", problems),
        basic_auth_key=credential(
            declared.basic_auth_key, "basicAuthKey", "PREFECT_BASIC_AUTH_KEY", problems
        ),
    )


def _prefect_arguments(workspace: Workspace) -> prefect.ProviderArgs:
    """Arguments of an explicit provider: bridged ones do not reliably read the environment."""
    return prefect.ProviderArgs(
        endpoint=workspace.endpoint,
        api_key=_secret(workspace.api_key),
        basic_auth_key=_secret(workspace.basic_auth_key),
    )


def _secret(text: str | None) -> pulumi.Output[str] | None:
    return None if text is None else pulumi.Output.secret(text)


def _source() -> str:
    """The file that a reader would mend."""
    return f"Pulumi.{pulumi.get_stack()}.yaml"


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
