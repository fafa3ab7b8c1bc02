"""Secrets that a CI step put into the environment."""

import os
from collections.abc import Mapping, Sequence

from pydantic import SecretStr

from alerting.plan import SecretRule
from alerting.settings import PROJECT, Problem, SecretSource
from alerting.settings.encrypted import Encrypted, FromEnv, credential_problem
from alerting.settings.models import Credential, SecretSettings
from alerting.settings.secret_values import secret_value_problem


def brought_values(
    rules: Sequence[SecretRule],
    settings: Mapping[str, SecretSettings],
    problems: list[Problem],
) -> dict[str, str]:
    """Values that the stack brings itself, by key: from the configuration and the environment.

    Adds to `problems` each variable that is not set or holds something else.
    """
    values: dict[str, str] = {}
    for rule in rules:
        declared = settings[rule.key]
        if isinstance(declared.value, SecretStr):
            values[rule.key] = declared.value.get_secret_value()
        elif declared.source is SecretSource.ENV:
            value = os.environ.get(rule.variable, "")
            problem = secret_value_problem(rule.kind, value) if value else "is not set. Set it"
            if problem:
                text = f"comes from the environment: {rule.variable} {problem}"
                problems.append(Problem(0, f"{PROJECT}:secrets.{rule.key}", text))
            values[rule.key] = value
    return values


def credential(
    declared: Credential | None, key: str, variable: str, problems: list[Problem]
) -> str | None:
    """A credential for Prefect, in plain.

    Adds to `problems` when it is to come from `variable` and that does not hold one.
    """
    if declared is None:
        return None
    if isinstance(declared, FromEnv):
        value = os.environ.get(variable, "")
        problem = credential_problem(value) if value else "is not set. Set it"
        if problem:
            text = f"comes from the environment: {variable} {problem}"
            problems.append(Problem(0, f"{PROJECT}:prefect.{key}", text))
        return value
    if isinstance(declared, Encrypted):
        raise TypeError("Pulumi decrypts what it hands over")
    return declared.get_secret_value()
