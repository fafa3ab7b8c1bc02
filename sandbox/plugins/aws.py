"""The stand-in for `pulumi-resource-aws`: of AWS it has Secrets Manager."""

import json
from functools import partial

from sandbox.plugins.aws_functions import secret, secret_version, secrets
from sandbox.plugins.aws_secret import Secret
from sandbox.plugins.aws_secret_version import SecretVersion
from sandbox.plugins.errors import ProviderError
from sandbox.plugins.guard import require_loopback
from sandbox.plugins.provider import Connection
from sandbox.plugins.secrets_manager import SecretsManager
from sandbox.plugins.values import Properties, Value

CONFIG = frozenset(
    {"accessKey", "secretKey", "token", "region", "endpoints", "defaultTags", "version"}
)
# skipCredentialsValidation and its like: here is nothing that could be validated.
SKIP = "skip"


class Aws:
    """Secrets Manager at the endpoint that the provider's configuration names for it."""

    version = "7.51.1"
    config_secrets = frozenset({"accessKey", "secretKey", "token"})

    def parameterize(self, name: str, value: bytes) -> str:
        """Refuse: there is no other package in this plugin."""
        del value
        raise ProviderError(f"The aws plugin cannot become the package {name}.")

    def config_problems(self, config: Properties) -> list[str]:
        """Refuse what would reach past this machine."""
        problems = [
            f"The provider's {key} is not supported by this stand-in, which is for tests only."
            for key in sorted(config.keys() - CONFIG)
            if not key.startswith(SKIP)
        ]
        if not config.get("region"):
            problems.append("The provider has no region: set aws:region.")
        endpoints = _endpoints(config)
        # Without an endpoint the vendor's plugin would ask AWS itself.
        for url in {"secretsmanager": "", **endpoints}.values():
            try:
                require_loopback(url)
            except ProviderError as error:
                problems.append(str(error))
        return problems

    def connect(self, config: Properties) -> Connection:
        """Talk to the endpoint for Secrets Manager."""
        manager = SecretsManager(
            _endpoints(config)["secretsmanager"], config["region"], config.get("accessKey", "")
        )
        default_tags = _value(config.get("defaultTags", {})).get("tags", {})
        return Connection(
            resources={
                "aws:secretsmanager/secret:Secret": Secret(manager, default_tags),
                "aws:secretsmanager/secretVersion:SecretVersion": SecretVersion(manager),
            },
            functions={
                "aws:secretsmanager/getSecret:getSecret": partial(secret, manager),
                "aws:secretsmanager/getSecretVersion:getSecretVersion": partial(
                    secret_version, manager
                ),
                "aws:secretsmanager/getSecrets:getSecrets": partial(secrets, manager),
            },
            function_secrets=SecretVersion.secrets,
        )


def _endpoints(config: Properties) -> dict[str, str]:
    return {
        service: url
        for endpoint in _value(config.get("endpoints", []))
        for service, url in endpoint.items()
    }


def _value(setting: Value) -> Value:
    """Return what a setting of the provider means; what is not a string comes as JSON in one."""
    return json.loads(setting) if isinstance(setting, str) else setting
